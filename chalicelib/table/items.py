"""DynamoDB's operations on the items of one table: reads and conditional writes."""

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
"""A single write collided with a transaction on the same item."""
_LOST: Final = {"ConditionalCheckFailed", "TransactionConflict"}
"""Reasons of a canceled transaction that mean a concurrent writer of the same items."""

_BATCH_TRIES: Final = 4
"""Calls for one batch: DynamoDB leaves keys unprocessed over 16 MB, or if it is throttled."""


class Items:
    """The items of one table.

    Args:
        client: DynamoDB's.
        table: the table's name.

    Every operation may raise StoreUnavailable; a write may have happened then or not.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key: Item, *, strong: bool = True) -> Item | None:
        """Read an item, or None if there is none.

        Args:
            key: the item's key.
            strong: read its newest state. An eventually consistent read costs half as much, may
                miss the last second, and suffices for items that are written once.
        """
        with transient_failures():
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=strong)
        item: Item | None = answer.get("Item")  # type: ignore[assignment]  # Its types are wider.
        return item

    def put_once(self, item: Item) -> Item | None:
        """Write an item unless its key is taken. Returns the item that has the key, or None."""
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
                stored: Item = error.response["Item"]  # type: ignore[typeddict-item]  # Its types omit it.
                return stored
        return None

    def put_newer(self, item: Item, mark: int, *, create: bool) -> bool:
        """Replace an item with a lower mark.

        Args:
            item: the new item; its attribute ``mark`` is a number.
            mark: that number.
            create: also write it if there is no item yet.

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
        """Replace a head and write other items with it, in one transaction.

        Args:
            head: the new head; it holds its revision.
            revision: of the head that it replaces; 0: there is none.
            others: items that are written without a condition.

        Raises:
            HeadMoved: another revision is stored, or is being written.
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
                    transaction: Any = [{"Put": entry} for entry in puts]
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
        """Read a range of a partition, page by page while it is iterated.

        Args:
            pk: the partition key.
            first: the least sort key as an attribute value; no item need have it.
            last: the greatest sort key as an attribute value; no item need have it.
            newest_first: from the greatest sort key to the least.
            page: most items read at once; 0: as many as an answer holds (1 MB).
            strong: read the newest state; else the last second may be missing, at half the cost.
        """
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":first": first, ":last": last},
            "ConsistentRead": strong,
            "ScanIndexForward": not newest_first,
        }
        if page:
            query["Limit"] = page
        return self._pages(query)

    def due(self, shard: str, minute: int, page: int) -> Iterator[Item]:
        """The keys of open rooms in which something is due, the longest due first.

        The index may lag by a moment.

        Args:
            shard: the partition key of a shard of the index.
            minute: the unix minute up to which something is due.
            page: most keys read at once.
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
        """The keys in one shard of the index of open rooms, as of a moment ago."""
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
        """Read some items as of a moment ago; missing ones are left out, and the order is any.

        Args:
            keys: 1 to 100 distinct keys (AWS: BatchGetItem).
        """
        items: list[Item] = []
        request: Any = {self._table: {"Keys": keys}}
        for _ in range(_BATCH_TRIES):
            with transient_failures():
                answer: Any = self._client.batch_get_item(RequestItems=request)
            items += answer["Responses"].get(self._table, [])
            request = answer["UnprocessedKeys"]
            if not request:
                return items
        raise StoreUnavailable

    def _pages(self, query: dict[str, Any]) -> Iterator[Item]:
        while True:
            with transient_failures():
                answer = self._client.query(**query)
            yield from answer["Items"]  # type: ignore[misc]  # Its types are wider.
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def pages(self) -> Iterator[list[Item]]:
        """Read the whole table, page by page; the pages are not of one moment."""
        query: dict[str, Any] = {"TableName": self._table}
        while True:
            with transient_failures():
                answer = self._client.scan(**query)
            yield answer["Items"]  # type: ignore[misc]  # Its types are wider.
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def replace(self, old: Item, new: Item) -> bool:
        """Replace an item by one with the same key. Returns whether the old one was still stored.

        The revision of a head, or the mark of a session, tells whether it has changed. All other
        items never change, so it suffices that one is stored.
        """
        put: dict[str, Any] = {"TableName": self._table, "Item": new}
        counter = next((name for name in ("revision", "mark") if name in old), None)
        if counter:
            put["ConditionExpression"] = f"{counter} = :{counter}"
            put["ExpressionAttributeValues"] = {f":{counter}": old[counter]}
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
        """Delete an item if it is stored."""
        with transient_failures():
            self._client.delete_item(TableName=self._table, Key=key)


def _is_lost(error: ClientError) -> bool:
    """Whether a concurrent writer writes, or has written, the same items."""
    if error_code(error) in {_CONDITION_FAILED, _CONFLICT}:
        return True
    return bool(cancellation_reasons(error) & _LOST)
