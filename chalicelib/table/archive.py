"""Reads everything that is stored, for the operator's tools: replay, export, `users forget`.

It may read whole partitions, or the whole table; no function that answers callers does that.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from chalicelib.table.callback_items import decode_callback
from chalicelib.table.item_keys import ReporterKey, callbacks_pk
from chalicelib.table.items import Items

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.table.callback_items import StoredCallback
    from chalicelib.table.item_keys import Item, RoomKey

_LEAST, _MOST = {"S": " "}, {"S": "~"}  # Below and above every sort key.


class Archive:
    """All items of the event table.

    Args:
        client: DynamoDB's.
        name: the table's name.

    Every method may raise StoreUnavailable; those that return iterators raise it while iterating.
    """

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._items = Items(client, name)

    def reports(self, reporter: ReporterKey) -> list[Item]:
        """The stored reports of one reporter, by epoch and seq."""
        return list(self._items.range(reporter.pk, _LEAST, _MOST))

    def callbacks(self, ref: RoomKey) -> Iterator[StoredCallback]:
        """The stored callbacks about a room, in the order of Tencent's event times."""
        pk = callbacks_pk(ref.sdk_app_id, ref.room.key)
        yield from map(decode_callback, self._items.range(pk, _LEAST, _MOST))

    def reporters(self, ref: RoomKey) -> set[str]:
        """The userids whose reports about a room are stored; this reads the whole table."""
        prefix = ReporterKey(*ref, "").pk
        return {
            ReporterKey.of(pk).user_id
            for pk in (item["pk"]["S"] for item in self.everything())
            if pk.startswith(prefix)
        }

    def everything(self) -> Iterator[Item]:
        """Every item of the table, each as of some time during the iteration."""
        yield from chain.from_iterable(self._items.pages())

    def replace(self, old: Item, new: Item) -> bool:
        """Replace an item unless it changed since it was read. Returns whether it was replaced."""
        return self._items.replace(old, new)

    def delete(self, item: Item) -> None:
        """Delete an item."""
        self._items.delete({"pk": item["pk"], "sk": item["sk"]})
