"""Records of the event table's stream, as Lambda hands them over, and what they tell."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.reports import signal_of
from chalicelib.table.stored_callbacks import callback_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.roster.signal import Signal
    from chalicelib.table.item_keys import Item, RoomKey
    from chalicelib.table.table import EventTable

    Heard = tuple[RoomKey, Signal]

Record = dict[str, Any]
"""A record of the stream; binary values are base64 in it."""


def sequence_of(record: Record) -> str:
    """A record's place in its shard; a decimal number."""
    sequence: str = record["dynamodb"]["SequenceNumber"]
    return sequence


def tells_of_change(record: Record) -> bool:
    """Whether the item is a change of a room; else it is what somebody said."""
    partition: str = record["dynamodb"]["Keys"]["pk"]["S"]
    return partition.startswith("R#")


def item_of(record: Record) -> Item:
    """The item as it was written."""
    image: Mapping[str, Any] = record["dynamodb"]["NewImage"]
    return {name: _value(value) for name, value in image.items()}


def heard(item: Item, table: EventTable) -> Heard | None:
    """What an item says to the fold, and of which room; None: nothing of who is in it.

    Args:
        item: a report or a callback.
        table: reads the roster that a list refers to, if the fold looks into the list.
    """
    return _READERS[item["pk"]["S"][:2]](item, table)


def _report(item: Item, table: EventTable) -> Heard:
    ref = ReporterKey.of(item["pk"]["S"]).ref
    return ref, signal_of(item, lambda version: table.members_at(ref, version))


def _callback(item: Item, _table: EventTable) -> Heard | None:
    return callback_of(item).heard


_READERS: Final[dict[str, Callable[[Item, EventTable], Heard | None]]] = {
    "P#": _report,
    "C#": _callback,
}
"""By how the item's partition begins."""


def _value(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    return {kind: b64decode(content, validate=True) if kind == "B" else content}
