"""What calls of DynamoDB cost, by the sizes of items and AWS's rules, around a stand-in.

AWS, "DynamoDB on-demand capacity mode" and "Amazon DynamoDB Transactions": a strong read costs one
unit for each 4 KB begun, of one item or of the sum that a query reads; an eventually consistent one
half of it. A write costs one unit for each 1 KB begun of the larger of the old and the new image;
in a transaction, two. A write that its condition refuses costs as much, and so does a transaction
that is canceled. An index costs one unit to put a row or to take one out, and both to move it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from chalicelib.table.item_keys import item_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from infra.emulators.dynamodb import DynamoDBEmulator

READ_BYTES: Final = 4096
WRITE_BYTES: Final = 1024
_IN_INDEX: Final = ("open", "due")
_KINDS: Final = {"P": "reports", "C": "callbacks", "U": "sessions"}
_PARTS: Final = {"H": "heads", "T": "changes", "R": "snapshots"}


class Bill:
    """What was consumed.

    Attributes:
        reads: halves of read units, by what was read.
        writes: write units, by what was written.
        index: write units of the index.
        calls: round trips, by what for.
        lost: writes that a condition refused, by what was to be written.
        stored: bytes, by what was written anew.
    """

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.stored: Counter[str] = Counter()
        self.index = 0

    @property
    def read_units(self) -> float:
        """All of them."""
        return self.reads.total() / 2


class Metered:
    """A client that writes down what each of its calls costs.

    Args:
        client: the store's.
        bill: where.
    """

    def __init__(self, client: DynamoDBEmulator, bill: Bill) -> None:
        self._client = client
        self.bill = bill

    def get_item(self, **arguments: Any) -> Any:
        """See DynamoDB."""
        answer = self._client.get_item(**arguments)
        kind = kind_of(arguments["Key"])
        found = [answer["Item"]] if "Item" in answer else []
        self._read(kind, found, strong=arguments.get("ConsistentRead", False))
        return answer

    def query(self, **arguments: Any) -> Any:
        """See DynamoDB."""
        answer = self._client.query(**arguments)
        values = arguments["ExpressionAttributeValues"]
        kind = kind_of({"pk": values[":pk"], "sk": values[":first"]})
        self._read(kind, answer["Items"], strong=arguments.get("ConsistentRead", False))
        return answer

    def put_item(self, **arguments: Any) -> Any:
        """See DynamoDB."""
        item = arguments["Item"]
        return self._write(self._client.put_item, arguments, [item], factor=1)

    def transact_write_items(self, **arguments: Any) -> Any:
        """See DynamoDB."""
        items = [each["Put"]["Item"] for each in arguments["TransactItems"]]
        return self._write(self._client.transact_write_items, arguments, items, factor=2)

    def _read(self, kind: str, items: Iterable[Any], *, strong: bool) -> None:
        units = max(1, _begun(sum(map(item_bytes, items)), READ_BYTES))
        self.bill.reads[kind] += 2 * units if strong else units
        self.bill.calls[f"read {kind}"] += 1

    def _write(
        self,
        operation: Callable[..., Any],
        arguments: dict[str, Any],
        items: list[Any],
        *,
        factor: int,
    ) -> Any:
        images = [(self._found(item), item) for item in items]
        self.bill.calls[f"write {kind_of(items[0])}"] += 1
        for old, new in images:
            larger = max(item_bytes(new), item_bytes(old) if old else 0)
            self.bill.writes[kind_of(new)] += factor * _begun(larger, WRITE_BYTES)
        try:
            answer = operation(**arguments)
        except ClientError:
            self.bill.lost[kind_of(items[0])] += 1
            raise
        for old, new in images:
            self.bill.index += _index_units(old or {}, new)
            if old is None:
                self.bill.stored[kind_of(new)] += item_bytes(new)
        return answer

    def _found(self, item: Any) -> Any:
        key = {"pk": item["pk"], "sk": item["sk"]}
        return self._client.get_item(TableName="", Key=key).get("Item")


def kind_of(key: Any) -> str:
    """What an item is, by its key."""
    pk, sk = key["pk"]["S"], key["sk"]["S"]
    return _PARTS[sk[0]] if pk.startswith("R#") else _KINDS[pk[0]]


def _index_units(old: dict[str, Any], new: dict[str, Any]) -> int:
    before, after = ([item.get(name) for name in _IN_INDEX] for item in (old, new))
    if before == after:
        return 0
    return (before[0] is not None) + (after[0] is not None)


def _begun(size: int, unit: int) -> int:
    return -(-size // unit)
