"""Records of the event table's stream, as Lambda delivers them, and what their items say."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from chalicelib.table.callback_items import decode_callback
from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.reports import signal_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.roster.signal import Signal
    from chalicelib.table.item_keys import Item, RoomKey
    from chalicelib.table.table import EventTable

    RoomSignal = tuple[RoomKey, Signal]

Record = dict[str, Any]
"""A record of the stream; its binary values are base64 text."""


def is_change(record: Record) -> bool:
    """Whether the record's item is a change of a room; else it is a report or a callback."""
    partition: str = record["dynamodb"]["Keys"]["pk"]["S"]
    return partition.startswith("R#")


def item_of(record: Record) -> Item:
    """The item as it was written, its binary values as bytes."""
    image: Mapping[str, Any] = record["dynamodb"]["NewImage"]
    return {name: _value(value) for name, value in image.items()}


def signal_from(item: Item, table: EventTable) -> RoomSignal | None:
    """The room that an item is about and its signal; None: it says nothing about members.

    Args:
        item: a report or a callback.
        table: reads the roster that a list differs from, if the fold looks into the list.
    """
    return _READERS[item["pk"]["S"][:2]](item, table)


def _report(item: Item, table: EventTable) -> RoomSignal:
    ref = ReporterKey.of(item["pk"]["S"]).ref
    return ref, signal_of(item, lambda version: table.members_at(ref, version))


def _callback(item: Item, _table: EventTable) -> RoomSignal | None:
    return decode_callback(item).room_signal


_READERS: Final[dict[str, Callable[[Item, EventTable], RoomSignal | None]]] = {
    "P#": _report,
    "C#": _callback,
}
"""By the beginning of the item's partition key."""


def _value(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    return {kind: b64decode(content, validate=True) if kind == "B" else content}
