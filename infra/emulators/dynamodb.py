"""A stand-in of DynamoDB in this process: one table, fast, safe for threads, strict.

It knows the operations and conditions that the event table uses and refuses all others, so that a
new one gets its meaning here on purpose. Its clock is nobody's: nothing expires.
"""

# ruff: noqa: N803  (the arguments have the names that AWS gives them)

from __future__ import annotations

import copy
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from typing import Any, Final, NoReturn

from botocore.exceptions import ClientError

from chalicelib.table.item_keys import item_bytes

Item = dict[str, dict[str, Any]]

_MOST_BYTES: Final = 400 * 1024
_READ_BYTES: Final = 1024 * 1024
_MOST_READS: Final = 100
_MOST_WRITES: Final = 100


def _older(found: Item, values: dict[str, Any]) -> bool:
    return "mark" in found and int(found["mark"]["N"]) < int(values[":mark"]["N"])


_Test = Callable[[Item | None, dict[str, Any]], bool]
_CONDITIONS: Final[dict[str | None, _Test]] = {
    None: lambda _found, _values: True,
    "attribute_not_exists(pk)": lambda found, _values: found is None,
    "attribute_exists(pk)": lambda found, _values: found is not None,
    "revision = :revision": lambda found, values: (
        found is not None and found.get("revision") == values[":revision"]
    ),
    "mark = :mark": lambda found, values: (
        found is not None and found.get("mark") == values[":mark"]
    ),
    "mark < :mark": lambda found, values: found is not None and _older(found, values),
    "attribute_not_exists(pk) OR mark < :mark": lambda found, values: (
        found is None or _older(found, values)
    ),
}


class DynamoDBEmulator:
    """One table, with the methods of botocore's client.

    Attributes:
        log: every write, oldest first, as ``(key, old image or None, new image or None)``: what a
            stream with both images tells.
    """

    def __init__(self) -> None:
        self.log: list[tuple[Item, Item | None, Item | None]] = []
        self._partitions: dict[str, dict[str, Item]] = {}
        self._orders: dict[str, list[str]] = {}
        self._open: dict[tuple[str, str], Item] = {}  # The items of the index.
        self._lock = threading.RLock()

    def get_item(
        self,
        *,
        TableName: str,
        Key: Item,
        ConsistentRead: bool = False,
    ) -> dict[str, Any]:
        """See DynamoDB."""
        del TableName, ConsistentRead
        found = self._find(Key)
        return {} if found is None else {"Item": _copied(found)}

    def put_item(self, *, TableName: str, Item: Item, **options: Any) -> dict[str, Any]:
        """See DynamoDB."""
        del TableName
        returned = options.pop("ReturnValuesOnConditionCheckFailure", None)
        condition = _condition(options)
        if _is_too_large(Item):
            _refuse("PutItem", {"Code": "ValidationException"})
        with self._lock:
            found = self._find(Item)
            if not condition(found):
                error: dict[str, Any] = {"Code": "ConditionalCheckFailedException"}
                extra = {"Item": _copied(found)} if returned and found else {}
                _refuse("PutItem", error, **extra)
            self._put(Item)
        return {}

    def delete_item(self, *, TableName: str, Key: Item) -> dict[str, Any]:
        """See DynamoDB."""
        del TableName
        with self._lock:
            pk, sk = Key["pk"]["S"], Key["sk"]["S"]
            old = self._partitions.get(pk, {}).pop(sk, None)
            if old is not None:
                self._orders[pk].remove(sk)
                self._open.pop((pk, sk), None)
                self.log.append(({"pk": {"S": pk}, "sk": {"S": sk}}, old, None))
        return {}

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:
        """See DynamoDB."""
        assert len(TransactItems) <= _MOST_WRITES
        puts = []
        for each in TransactItems:
            ((kind, put),) = each.items()
            assert kind == "Put"
            put = dict(put)
            del put["TableName"]
            puts.append((put.pop("Item"), _condition(put)))
        with self._lock:
            codes = [self._fault(item, condition) for item, condition in puts]
            if any(code != "None" for code in codes):
                reasons = [{"Code": code} for code in codes]
                error: dict[str, Any] = {"Code": "TransactionCanceledException"}
                _refuse("TransactWriteItems", error, CancellationReasons=reasons)
            for item, _ in puts:
                self._put(item)
        return {}

    def query(
        self,
        *,
        TableName: str,
        ExpressionAttributeValues: dict[str, Any],
        KeyConditionExpression: str,
        ExpressionAttributeNames: dict[str, str] | None = None,
        IndexName: str | None = None,
        ConsistentRead: bool = False,
        ScanIndexForward: bool = True,
        Limit: int | None = None,
        ExclusiveStartKey: Item | None = None,
    ) -> dict[str, Any]:
        """See DynamoDB."""
        del TableName
        values = ExpressionAttributeValues
        if IndexName:
            assert not ConsistentRead
            assert ExpressionAttributeNames == {"#open": "open"}
            return self._query_index(
                IndexName, KeyConditionExpression, values, Limit, ExclusiveStartKey
            )
        assert KeyConditionExpression == "pk = :pk AND sk BETWEEN :first AND :last"
        pk, first, last = (values[name]["S"] for name in (":pk", ":first", ":last"))
        with self._lock:
            order = self._orders.get(pk, [])
            keys = order[bisect_left(order, first) : bisect_right(order, last)]
            if not ScanIndexForward:
                keys.reverse()
            if ExclusiveStartKey:
                keys = keys[keys.index(ExclusiveStartKey["sk"]["S"]) + 1 :]
            found = [self._partitions[pk][sk] for sk in keys]
        return _page(found, Limit, ("pk", "sk"))

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        """See DynamoDB."""
        ((table, asked),) = RequestItems.items()
        keys = asked["Keys"]
        names = {(key["pk"]["S"], key["sk"]["S"]) for key in keys}
        assert 1 <= len(keys) == len(names) <= _MOST_READS
        assert asked.keys() == {"Keys"}
        with self._lock:
            found = [_copied(item) for key in keys if (item := self._find(key))]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def scan(self, *, TableName: str, ExclusiveStartKey: Item | None = None) -> dict[str, Any]:
        """See DynamoDB."""
        del TableName, ExclusiveStartKey
        with self._lock:
            items = [item for items in self._partitions.values() for item in items.values()]
            return {"Items": [_copied(item) for item in items]}

    def _query_index(
        self,
        name: str,
        expression: str,
        values: dict[str, Any],
        limit: int | None,
        start: Item | None,
    ) -> dict[str, Any]:
        assert name == "open"
        assert expression in {"#open = :open", "#open = :open AND due <= :due"}
        wanted = values[":open"]
        with self._lock:
            every = list(self._open.values())
        rows = [
            {part: item[part] for part in ("open", "due", "pk", "sk")}
            for item in every
            if item.get("open") == wanted
            and (":due" not in values or int(item["due"]["N"]) <= int(values[":due"]["N"]))
        ]
        rows.sort(key=_index_order)
        if start:
            rows = [row for row in rows if _index_order(row) > _index_order(start)]
        return _page(rows, limit, ("open", "due", "pk", "sk"))

    def _fault(self, item: Item, condition: Callable[[Item | None], bool]) -> str:
        if _is_too_large(item):
            return "ValidationError"
        return "None" if condition(self._find(item)) else "ConditionalCheckFailed"

    def _find(self, key: Item) -> Item | None:
        return self._partitions.get(key["pk"]["S"], {}).get(key["sk"]["S"])

    def _put(self, item: Item) -> None:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        items = self._partitions.setdefault(pk, {})
        old = items.get(sk)
        if old is None:
            insort(self._orders.setdefault(pk, []), sk)
        items[sk] = _copied(item)
        if "open" in item:
            self._open[pk, sk] = items[sk]
        else:
            self._open.pop((pk, sk), None)
        self.log.append(({"pk": item["pk"], "sk": item["sk"]}, old, items[sk]))


def _condition(options: dict[str, Any]) -> Callable[[Item | None], bool]:
    expression = options.pop("ConditionExpression", None)
    values = options.pop("ExpressionAttributeValues", {})
    assert not options, f"the stand-in does not know {sorted(options)}"
    test = _CONDITIONS[expression]
    return lambda found: test(found, values)


def _is_too_large(item: Item) -> bool:
    return item_bytes(item) > _MOST_BYTES


def _copied(item: Item) -> Item:
    """A copy of an item, of which nobody else holds a part; deepcopy takes ten times as long."""
    return {
        name: copy.deepcopy(value) if "L" in value else dict(value) for name, value in item.items()
    }


def _page(found: list[Item], limit: int | None, key: tuple[str, ...]) -> dict[str, Any]:
    page: list[Item] = []
    size = 0
    for item in found:
        if (limit and len(page) == limit) or size > _READ_BYTES:
            last = {part: page[-1][part] for part in key}
            return {"Items": page, "LastEvaluatedKey": last}
        page.append(_copied(item))
        size += len(repr(item))
    return {"Items": page}


def _index_order(row: Item) -> tuple[int, str, str]:
    return int(row["due"]["N"]), row["pk"]["S"], row["sk"]["S"]


def _refuse(operation: str, error: dict[str, Any], **extra: Any) -> NoReturn:
    metadata = {"HTTPStatusCode": 400, "RequestId": "r", "RetryAttempts": 0}
    response: Any = {"Error": error, "ResponseMetadata": metadata, **extra}
    raise ClientError(response, operation)
