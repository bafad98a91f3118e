"""Records of the event table's stream, as Lambda hands them over, and what they are about."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.events.keys import Place, RoomRef
from chalicelib.events.reports import signal_of
from chalicelib.events.rooms import change_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.events.keys import Item
    from chalicelib.events.rooms import Change
    from chalicelib.events.table import EventTable
    from chalicelib.roster.signal import Signal

    SignalReader = Callable[[Item, EventTable], Signal | None]

Record = dict[str, Any]
"""A record of the stream; binary values are base64 in it."""


class News(NamedTuple):
    """One record.

    Attributes:
        sequence: its place in its shard; a decimal number.
        record: as it came.
    """

    sequence: str
    record: Record

    @classmethod
    def of(cls, record: Record) -> News:
        """Read where a record stands."""
        return cls(record["dynamodb"]["SequenceNumber"], record)

    @property
    def pk(self) -> str:
        """The partition of the item that was written."""
        partition: str = self.record["dynamodb"]["Keys"]["pk"]["S"]
        return partition

    @property
    def ref(self) -> RoomRef:
        """The room that it is about."""
        if self.pk.startswith("P#"):
            return Place.of(self.pk).ref
        return RoomRef.of(self.pk)

    @property
    def item(self) -> Item:
        """The item as it was written."""
        image: Mapping[str, Any] = self.record["dynamodb"]["NewImage"]
        return {name: _value(value) for name, value in image.items()}

    @property
    def is_change(self) -> bool:
        """Whether it tells of a change of a room; else it was said by somebody."""
        return self.pk.startswith("R#")

    @property
    def change(self) -> Change:
        """The change of a room that it tells of."""
        return change_of(self.item)

    def signal(self, table: EventTable) -> Signal | None:
        """What it says to the fold; None: nothing about who is in the room.

        Args:
            table: reads the roster that a list refers to, if the fold looks into the list.
        """
        return SIGNALS[self.pk[:2]](self.item, table)


def _report(item: Item, table: EventTable) -> Signal:
    ref = Place.of(item["pk"]["S"]).ref
    return signal_of(item, lambda version: table.members_at(ref, version))


SIGNALS: Final[dict[str, SignalReader]] = {"P#": _report}
"""What reads a signal from an item, by how the item's partition begins."""


def _value(value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    return {kind: b64decode(content, validate=True) if kind == "B" else content}
