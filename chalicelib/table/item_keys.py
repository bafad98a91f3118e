"""The keys of the event table, and the size of its items.

    report    P#<app>#<room key>#<user>   E#<epoch>#<seq>      one report of one member
    callback  C#<app>#<room key>          <ms>#<type>#<user>   one callback of Tencent
    head      R#<app>#<room key>          HEAD                 what is known of a room
    change    R#<app>#<room key>          T#<version>          who joined and left with that version
    snapshot  R#<app>#<room key>          ROSTER#<version>     who was in the room then
    session   U#<app>#<user>              S#<ms>#<room key>    one session of one user
    index     O#<app>#<shard>             a minute             open rooms, by when they are due

Numbers in sort keys are decimal and padded, so that they sort as numbers. Neither a room key nor a
userid can hold "#". The index is the global secondary index `OPEN` of heads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zlib import crc32

from chalicelib.trtc.identifiers import Room, parse_room_key

if TYPE_CHECKING:
    from collections.abc import Mapping

Item = dict[str, dict[str, Any]]
"""An item or a key, in the form of DynamoDB's low-level API: ``{"pk": {"S": "…"}}``."""

OPEN: Final = "open"
SHARDS: Final = 8
"""Shards of an application's index: a partition takes 1,000 writes a second (AWS)."""


class RoomKey(NamedTuple):
    """One room of one application."""

    sdk_app_id: int
    room: Room

    @property
    def pk(self) -> str:
        """The partition of its head, changes and snapshots."""
        return f"R#{self.sdk_app_id}#{self.room.key}"

    @property
    def shard(self) -> str:
        """Its shard of the index of open rooms."""
        return shard_pk(self.sdk_app_id, crc32(self.room.key.encode()) % SHARDS)

    @classmethod
    def of(cls, pk: str) -> RoomKey:
        """The room whose partition that is.

        Raises:
            ValueError: it is no partition of a room.
        """
        _, sdk_app_id, key = pk.split("#")
        return cls(int(sdk_app_id), parse_room_key(key))


class ReporterKey(NamedTuple):
    """One member of one room of one application: whose reports they are."""

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
        """The reporter whose partition that is.

        Raises:
            ValueError: it is no partition of reports.
        """
        _, sdk_app_id, key, user = pk.split("#")
        return cls(int(sdk_app_id), parse_room_key(key), user)


def shard_pk(sdk_app_id: int, shard: int) -> str:
    """The partition of one shard of an application's index of open rooms."""
    return f"O#{sdk_app_id}#{shard}"


def report_key(place: ReporterKey, epoch: int, seq: int) -> Item:
    """The key of a report."""
    return _key(place.pk, f"E#{epoch:013}#{seq:010}")


def callback_key(sdk_app_id: int, room: str | None, identity: tuple[int, int, str]) -> Item:
    """The key of a callback.

    Args:
        sdk_app_id: the application.
        room: the room's key; None: the callback names no possible room.
        identity: unix ms, Tencent's event type, and the userid or what else tells it from others.
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


def user_pk(sdk_app_id: int, user_id: str) -> str:
    """The partition of a user's sessions."""
    return f"U#{sdk_app_id}#{user_id}"


def session_key(ref: RoomKey, user_id: str, joined: int) -> Item:
    """The key of a session; ``joined`` is in unix ms."""
    return _key(user_pk(ref.sdk_app_id, user_id), session_sk(joined, ref))


def session_sk(joined: int, ref: RoomKey) -> str:
    """The sort key of a session: a user's sessions sort by their beginnings, in unix ms."""
    return f"S#{joined:013}#{ref.room.key}"


def session_sk_range(first: int, last: int) -> tuple[str, str]:
    """The least and the greatest sort key of sessions that began from first to last, in unix ms."""
    return f"S#{first:013}", f"S#{last:013}~"  # All that may follow the time sorts before "~".


def parse_session_key(key: Mapping[str, Mapping[str, Any]]) -> tuple[RoomKey, str, int]:
    """The room, the userid and the beginning (unix ms) in a session's key.

    Raises:
        ValueError: it is no key of a session.
    """
    _, sdk_app_id, user = key["pk"]["S"].split("#")
    _, joined, room = key["sk"]["S"].split("#")
    return RoomKey(int(sdk_app_id), parse_room_key(room)), user, int(joined)


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
        return 3 + sum(1 + _value_bytes(element) for element in content)
    return len(content.encode() if kind == "S" else content)
