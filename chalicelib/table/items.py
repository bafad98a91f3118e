"""The operations of DynamoDB that the event table is made of: reads, conditional writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from chalicelib.aws_errors import error_code
from chalicelib.table.client import cancellation_reasons, transient_failures
from chalicelib.table.errors import HeadMoved, StoreUnavailable
from chalicelib.table.item_keys import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.table.item_keys import Item

_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_CONFLICT: Final = "TransactionConflictException"
"""A single write met a transaction on the same item."""
_LOST: Final = {"ConditionalCheckFailed", "TransactionConflict"}
"""Reasons of a canceled transaction that mean that somebody else writes the same items."""

_BATCH_TRIES: Final = 4
"""Times that DynamoDB is asked for what it left out of a batch: 16 MB fit, or it is throttled."""


class Items:
    """The items of one table.

    Args:
        client: DynamoDB's.
        table: the table's name.

    Every operation may raise StoreUnavailable: what was to be written may be or not.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key: Item, *, strong: bool = True) -> Item | None:
        """Read an item as it stands now; if not strongly, it may be one of a second ago, or none.

        That costs half as much, and is enough for what is written once.
        """
        with transient_failures():
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=strong)
        found: Item | None = answer.get("Item")  # type: ignore[assignment]  # Its types are wider.
        return found

    def put_once(self, item: Item) -> Item | None:
        """Write an item unless one stands there; return the one that does."""
        with transient_failures():
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error_code(error) != _CONDITION_FAILED:
                    raise
                found: Item = error.response["Item"]  # type: ignore[typeddict-item]  # Its types omit it.
                return found
        return None

    def put_newer(self, item: Item, mark: int, *, create: bool) -> bool:
        """Write an item unless the one that stands there is as new.

        Args:
            item: the item; it holds its mark.
            mark: that mark, a number.
            create: also write it where there is none.

        Returns:
            Whether it was written.
        """
        older = "mark < :mark"
        condition = f"attribute_not_exists(pk) OR {older}" if create else older
        with transient_failures():
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression=condition,
                    ExpressionAttributeValues={":mark": {"N": str(mark)}},
                )
            except ClientError as error:
                if error_code(error) != _CONDITION_FAILED:
                    raise
                return False
        return True

    def move(self, head: Item, revision: int, others: list[Item]) -> None:
        """Write a head, and others with it: all or nothing.

        Args:
            head: the item; it holds its revision.
            revision: of the one that it takes the place of; 0: there is none.
            others: put beside it as they are.

        Raises:
            HeadMoved: another revision stands there, or is being written.
        """
        put: dict[str, Any] = {"TableName": self._table, "Item": head}
        if revision:
            put["ConditionExpression"] = "revision = :revision"
            put["ExpressionAttributeValues"] = {":revision": {"N": str(revision)}}
        else:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        with transient_failures():
            try:
                if others:
                    puts = [put, *({"TableName": self._table, "Item": item} for item in others)]
                    transaction: Any = [{"Put": each} for each in puts]
                    self._client.transact_write_items(TransactItems=transaction)
                else:
                    self._client.put_item(**put)
            except ClientError as error:
                if _is_lost(error):
                    raise HeadMoved from error
                raise

    def range(
        self,
        pk: str,
        first: dict[str, Any],
        last: dict[str, Any],
        *,
        newest_first: bool = False,
        page: int = 0,
        strong: bool = True,
    ) -> Iterator[Item]:
        """Read a range of a partition as it stands now, page by page as its items are taken.

        Args:
            pk: the partition.
            first: the least sort key, as a value; it need not be there.
            last: the greatest one, likewise.
            newest_first: from the greatest to the least.
            page: most items read at once; 0: as many as an answer holds (1 MB).
            strong: as of `get`.
        """
        asked: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":first": first, ":last": last},
            "ConsistentRead": strong,
            "ScanIndexForward": not newest_first,
        }
        if page:
            asked["Limit"] = page
        return self._pages(asked)

    def due(self, shard: str, minute: int, page: int) -> Iterator[Item]:
        """The keys of open rooms that something is due in, the longest due first.

        What the index has may be a moment old.

        Args:
            shard: a part of the index of open rooms.
            minute: by this unix minute.
            page: most read at once.
        """
        return self._pages(
            {
                "TableName": self._table,
                "IndexName": OPEN,
                "KeyConditionExpression": "#open = :open AND due <= :due",
                "ExpressionAttributeNames": {"#open": OPEN},
                "ExpressionAttributeValues": {":open": {"S": shard}, ":due": {"N": str(minute)}},
                "Limit": page,
            }
        )

    def open_rooms(self, shard: str) -> Iterator[Item]:
        """Read the keys in one part of the index of open rooms, as they stood a moment ago."""
        return self._pages(
            {
                "TableName": self._table,
                "IndexName": OPEN,
                "KeyConditionExpression": "#open = :open",
                "ExpressionAttributeNames": {"#open": OPEN},
                "ExpressionAttributeValues": {":open": {"S": shard}},
            }
        )

    def batch(self, keys: list[Item]) -> list[Item]:
        """Read some items as they stood a moment ago; those that are there, in any order.

        Args:
            keys: 1 to 100 of them, each one once (AWS).
        """
        found: list[Item] = []
        asked: Any = {self._table: {"Keys": keys}}
        for _ in range(_BATCH_TRIES):
            with transient_failures():
                answer: Any = self._client.batch_get_item(RequestItems=asked)
            found += answer["Responses"].get(self._table, [])
            asked = answer["UnprocessedKeys"]
            if not asked:
                return found
        raise StoreUnavailable

    def _pages(self, asked: dict[str, Any]) -> Iterator[Item]:
        while True:
            with transient_failures():
                answer = self._client.query(**asked)
            yield from answer["Items"]  # type: ignore[misc]  # Its types are wider.
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def pages(self) -> Iterator[list[Item]]:
        """Read the whole table, page by page; not as it stands at one moment."""
        asked: dict[str, Any] = {"TableName": self._table}
        while True:
            with transient_failures():
                answer = self._client.scan(**asked)
            yield answer["Items"]  # type: ignore[misc]  # Its types are wider.
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def replace(self, old: Item, new: Item) -> bool:
        """Put an item in the place of another one with the same key; whether that was still there.

        A head is told by its revision and a session by its mark; all other items are never changed,
        so they are there or not.
        """
        put: dict[str, Any] = {"TableName": self._table, "Item": new}
        counted = next((name for name in ("revision", "mark") if name in old), None)
        if counted:
            put["ConditionExpression"] = f"{counted} = :{counted}"
            put["ExpressionAttributeValues"] = {f":{counted}": old[counted]}
        else:
            put["ConditionExpression"] = "attribute_exists(pk)"
        with transient_failures():
            try:
                self._client.put_item(**put)
            except ClientError as error:
                if _is_lost(error):
                    return False
                raise
        return True

    def delete(self, key: Item) -> None:
        """Delete an item, if it is there."""
        with transient_failures():
            self._client.delete_item(TableName=self._table, Key=key)


def _is_lost(error: ClientError) -> bool:
    """Whether somebody else writes, or has written, the same items."""
    if error_code(error) in {_CONDITION_FAILED, _CONFLICT}:
        return True
    return bool(cancellation_reasons(error) & _LOST)
