"""A table that refuses what it is told to, and what keeper is told of it and answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.stream import stream_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulation.stream import Record


class Failing(DynamoDBEmulator):
    """A table some of whose operations are refused.

    Attributes:
        refuses: gets an operation and a partition; what DynamoDB says against it, or nothing.
        reads: the keys of items that were read one by one; queries.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refuses: Callable[[str, str], str] = lambda _operation, _pk: ""
        self.reads: list[tuple[str, str]] = []

    def get_item(self, **asked: Any) -> dict[str, Any]:
        """Read an item, or refuse to."""
        pk, sk = (asked["Key"][part]["S"] for part in ("pk", "sk"))
        self.reads.append((pk, sk))
        self._check("get", pk)
        return super().get_item(**asked)

    def put_item(self, **asked: Any) -> dict[str, Any]:
        """Write an item, or refuse to."""
        self._check("put", asked["Item"]["pk"]["S"])
        return super().put_item(**asked)

    def transact_write_items(self, **asked: Any) -> dict[str, Any]:
        """Write items, or refuse to."""
        self._check("transact", asked["TransactItems"][0]["Put"]["Item"]["pk"]["S"])
        return super().transact_write_items(**asked)

    def query(self, **asked: Any) -> dict[str, Any]:
        """Read a range, or refuse to."""
        self.reads.append(("query", asked["KeyConditionExpression"]))
        return super().query(**asked)

    def _check(self, operation: str, pk: str) -> None:
        if said := self.refuses(operation, pk):
            raise refusal(said, operation)


def refusal(code: str, operation: str) -> ClientError:
    """What botocore makes of a refusal; of a transaction's, all have the same shape."""
    canceled = operation == "transact"
    response: Any = {
        "Error": {"Code": "TransactionCanceledException" if canceled else code},
        "ResponseMetadata": {"HTTPStatusCode": 400},
        "CancellationReasons": [{"Code": code}],
    }
    return ClientError(response, operation)


def records(client: DynamoDBEmulator) -> list[Record]:
    """All that keeper is told of what was written, in the order of one shard."""
    told = [
        stream_record(new, None, number)
        for number, (_, old, new) in enumerate(client.log, 1)
        if new is not None and old is None and new["sk"]["S"][:2] in {"E#", "T#"}
    ]
    return json.loads(json.dumps(told))  # type: ignore[no-any-return]  # As it went in.


def failures(batch: Any) -> list[int]:
    """The sequence numbers that an answer names."""
    return [int(each["itemIdentifier"]) for each in batch.response["batchItemFailures"]]


def is_change(record: Record) -> bool:
    """Whether a record tells of a change of a room."""
    return bool(record["dynamodb"]["Keys"]["pk"]["S"].startswith("R#"))
