"""All that is stored, for those who look after it: replays, exports, a user who is to be forgotten.

May read whole partitions, or the whole table. No function that answers callers does.
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

_LEAST, _MOST = {"S": " "}, {"S": "~"}  # Around all that a sort key may begin with.


class Archive:
    """All items of the event table.

    Args:
        client: DynamoDB's.
        name: the table's name.

    Every reading may raise StoreUnavailable as its items are taken, every writing too.
    """

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._items = Items(client, name)

    def reports(self, place: ReporterKey) -> list[Item]:
        """The stored reports of one member of a room, oldest first."""
        return list(self._items.range(place.pk, _LEAST, _MOST))

    def callbacks(self, ref: RoomKey) -> Iterator[StoredCallback]:
        """The stored callbacks about a room, in the order of what they tell of."""
        pk = callbacks_pk(ref.sdk_app_id, ref.room.key)
        yield from map(decode_callback, self._items.range(pk, _LEAST, _MOST))

    def reporters(self, ref: RoomKey) -> set[str]:
        """Everyone of whom a report of a room is stored; reads the whole table for that."""
        prefix = ReporterKey(*ref, "").pk
        return {
            ReporterKey.of(pk).user_id
            for pk in (item["pk"]["S"] for item in self.everything())
            if pk.startswith(prefix)
        }

    def everything(self) -> Iterator[Item]:
        """Every item of the table, as it stood at some time since the call."""
        yield from chain.from_iterable(self._items.pages())

    def replace(self, old: Item, new: Item) -> bool:
        """Put an item in the place of another one, unless that has changed; whether it was."""
        return self._items.replace(old, new)

    def delete(self, item: Item) -> None:
        """Delete an item."""
        self._items.delete({"pk": item["pk"], "sk": item["sk"]})
