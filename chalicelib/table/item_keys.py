"""The keys of the event table: whose things stand where.

    report    P#<app>#<room key>#<user>   E#<epoch>#<seq>      one report of one member
    callback  C#<app>#<room key>          <ms>#<type>#<user>   one callback of Tencent
    head      R#<app>#<room key>          HEAD                 what is known of a room
    change    R#<app>#<room key>          T#<version>          who came and went, by that version
    snapshot  R#<app>#<room key>          ROSTER#<version>     who was in the room then
    session   U#<app>#<user>              S#<ms>#<room key>    one stay of one user
    index     O#<app>#<shard>             a minute             open rooms, by when they are due

All numbers in keys are decimal and padded, so that they sort as numbers do. Neither a room key nor
a userid holds a number sign. The index is the global secondary index `OPEN` of heads.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from zlib import crc32

from chalicelib.trtc.identifiers import Room, parse_room_key

Item = dict[str, dict[str, Any]]
"""An item, or a key, as DynamoDB's low-level API writes it."""

OPEN: Final = "open"
SHARDS: Final = 8
"""Parts of an application's index: one takes 1,000 writes a second (AWS)."""


class RoomKey(NamedTuple):
    """One room of one application."""

    sdk_app_id: int
    room: Room

    @property
    def pk(self) -> str:
        """The partition of what is known of it."""
        return f"R#{self.sdk_app_id}#{self.room.key}"

    @property
    def shard(self) -> str:
        """Its part of the index of open rooms."""
        return shard_pk(self.sdk_app_id, crc32(self.room.key.encode()) % SHARDS)

    @classmethod
    def of(cls, pk: str) -> RoomKey:
        """Read the partition of a room."""
        _, sdk_app_id, key = pk.split("#")
        return cls(int(sdk_app_id), parse_room_key(key))


class ReporterKey(NamedTuple):
    """Whose reports, and where: one member of one room of one application."""

    sdk_app_id: int
    room: Room
    user_id: str

    @property
    def ref(self) -> RoomKey:
        """The room."""
        return RoomKey(self.sdk_app_id, self.room)

    @property
    def pk(self) -> str:
        """The partition of this member's reports of this room."""
        return f"P#{self.sdk_app_id}#{self.room.key}#{self.user_id}"

    @classmethod
    def of(cls, pk: str) -> ReporterKey:
        """Read that partition."""
        _, sdk_app_id, key, user = pk.split("#")
        return cls(int(sdk_app_id), parse_room_key(key), user)


def shard_pk(sdk_app_id: int, shard: int) -> str:
    """One part of an application's index of open rooms."""
    return f"O#{sdk_app_id}#{shard}"


def report_key(place: ReporterKey, epoch: int, seq: int) -> Item:
    """The key of a report."""
    return _key(place.pk, f"E#{epoch:013}#{seq:010}")


def callback_key(sdk_app_id: int, room: str | None, identity: tuple[int, int, str]) -> Item:
    """The key of a callback.

    Args:
        sdk_app_id: the application.
        room: the room's key; None: the callback names none that there can be.
        identity: unix ms, Tencent's type of event, the user or what tells it from others.
    """
    t, event_type, user = identity
    return _key(callbacks_pk(sdk_app_id, room), f"{t:013}#{event_type}#{user}")


def callbacks_pk(sdk_app_id: int, room: str | None) -> str:
    """The partition of the callbacks about a room, by its key."""
    return f"C#{sdk_app_id}#{room or ''}"


def head_key(ref: RoomKey) -> Item:
    """The key of a room's head."""
    return _key(ref.pk, "HEAD")


def change_key(ref: RoomKey, version: int) -> Item:
    """The key of a change."""
    return _key(ref.pk, f"T#{version:010}")


def snapshot_key(ref: RoomKey, version: int) -> Item:
    """The key of a snapshot."""
    return _key(ref.pk, f"ROSTER#{version:010}")


def number_of(sk: str) -> int:
    """The version in the sort key of a change or a snapshot."""
    return int(sk.partition("#")[2])


def item_bytes(item: Item) -> int:
    """An item's size as DynamoDB counts it: names and values (AWS: "Item sizes and formats")."""
    return sum(len(name) + _value_bytes(value) for name, value in item.items())


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "N":
        return (len(content) + 1) // 2 + 1
    if kind == "BOOL":
        return 1
    if kind == "L":
        return 3 + sum(1 + _value_bytes(each) for each in content)
    return len(content.encode() if kind == "S" else content)
