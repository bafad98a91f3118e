"""Heads, changes and snapshots as items: what is known of a room, and how that came to be.

The members stand in the head while they are few, since every report reads it. When they are more,
the head holds the version of a snapshot, from which the changes since lead to the members.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from chalicelib.roster.codec import (
    head_form,
    head_of,
    members_form,
    members_of,
    transitions_form,
    transitions_of,
)
from chalicelib.roster.head import Head
from chalicelib.roster.members import replay
from chalicelib.roster.timeouts import due
from chalicelib.table.item_keys import Item, RoomKey, change_key, head_key, number_of, snapshot_key
from chalicelib.table.list_codec import read, written
from chalicelib.table.reports import DeltaBase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.roster.fold import Folded
    from chalicelib.roster.members import Member, Transition

Load: TypeAlias = "Callable[[], Mapping[str, Member]]"
"""Reads the members of a room as of its head's version, those about to leave among them."""

INLINE_BYTES: Final = 2_400
"""Members that take more stand apart. So a head stays under 4 KB, which is one strong read."""

INLINE_AGAIN: Final = 64
"""Members from which on, downwards, it is tried to have them in the head again."""

SNAPSHOT_EVERY: Final = 64
SNAPSHOT_EVERY_APART: Final = 16
"""Versions between snapshots: where the members stand apart, all of these are read to have them."""

MINUTE_MS: Final = 60_000
DAY: Final = 86_400


class RoomState(NamedTuple):
    """A room as its head item tells it.

    Attributes:
        ref: which room.
        head: what is known of it.
        inline: the members as the item holds them (an attribute's value); None: they stand apart.
        base: the version of the newest snapshot; 0: none yet, the roster before the first change.
        based: unix ms at which that was written.
        latest: unix ms, the latest transition of all.
    """

    ref: RoomKey
    head: Head = Head()
    inline: Mapping[str, Any] | None = written([])
    base: int = 0
    based: int = 0
    latest: int = 0


class Change(NamedTuple):
    """What one version changed.

    Attributes:
        ref: which room.
        version: counts its changes from 1.
        at: unix ms at which it was recorded.
        size: members after it.
        latest: unix ms, the latest transition up to it.
        transitions: who came and went, in this order.
    """

    ref: RoomKey
    version: int
    at: int
    size: int
    latest: int
    transitions: tuple[Transition, ...]


def inline_of(members: Mapping[str, Member]) -> Mapping[str, Any] | None:
    """The members as a head holds them, or None where they are too many for that."""
    value = written(members_form(members))
    ((_, content),) = value.items()
    return value if len(content) <= INLINE_BYTES else None


def head_item(state: RoomState) -> Item:
    """The item of a head; one with members stands in the index of open rooms.

    It never becomes garbage, so that a room's versions never begin anew: whoever reads its history
    could not tell the changes apart. An empty room's head has no names in it, and 300 to 800 bytes.
    """
    item: Item = {
        **head_key(state.ref),
        "revision": {"N": str(state.head.revision)},
        "state": written(head_form(state.head)),
        "base": {"N": str(state.base)},
        "based": {"N": str(state.based)},
        "latest": {"N": str(state.latest)},
    }
    if state.inline is not None:
        item["members"] = dict(state.inline)
    when = due(state.head)
    if when is None:
        return item
    return item | {"open": {"S": state.ref.shard}, "due": {"N": str(due_minute(when))}}


def state_of(item: Mapping[str, Mapping[str, Any]]) -> RoomState:
    """Read what `head_item` wrote."""
    return RoomState(
        ref=RoomKey.of(item["pk"]["S"]),
        head=head_of(json.loads(read(item["state"]))),
        inline=item.get("members"),
        base=int(item["base"]["N"]),
        based=int(item["based"]["N"]),
        latest=int(item["latest"]["N"]),
    )


def due_minute(ms: int) -> int:
    """The first unix minute at whose start a moment has come."""
    return -(-ms // MINUTE_MS)


def change_item(change: Change, ttl: int) -> Item:
    """The item of a change."""
    return {
        **change_key(change.ref, change.version),
        "at": {"N": str(change.at)},
        "size": {"N": str(change.size)},
        "latest": {"N": str(change.latest)},
        "transitions": written(transitions_form(change.transitions)),
        "ttl": {"N": str(ttl)},
    }


def change_of(item: Mapping[str, Mapping[str, Any]]) -> Change:
    """Read what `change_item` wrote."""
    return Change(
        ref=RoomKey.of(item["pk"]["S"]),
        version=number_of(item["sk"]["S"]),
        at=int(item["at"]["N"]),
        size=int(item["size"]["N"]),
        latest=int(item["latest"]["N"]),
        transitions=transitions_of(json.loads(read(item["transitions"]))),
    )


def snapshot_item(ref: RoomKey, version: int, members: Mapping[str, Member], ttl: int) -> Item:
    """The item of a snapshot: who was in the room by that version."""
    return {
        **snapshot_key(ref, version),
        "members": written(members_form(members)),
        "ttl": {"N": str(ttl)},
    }


def snapshot_of(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Member]:
    """Read what `snapshot_item` wrote."""
    return members_of(json.loads(read(item["members"])))


def beside(room: RoomState, members: Load) -> DeltaBase:
    """A room as the roster that a report is written beside."""
    pending = room.head.pending
    known = not any(group.others for group in pending)
    leaving = {user for group in pending for user in group.names} if known else None
    return DeltaBase(room.head.version, room.head.hash, leaving, lambda: members().keys())


def written_room(
    room: RoomState, folded: Folded, members: Load, now: int, history_days: int
) -> tuple[RoomState, list[Item]]:
    """The next state of a room, and the items that are written for it, the head first.

    Args:
        room: as it was read.
        folded: what became of it.
        members: reads the members as of ``room``.
        now: unix ms.
        history_days: how long changes and snapshots are kept.
    """
    head, transitions = folded.head, folded.transitions
    ttl = now // 1000 + history_days * DAY
    roster = cache(lambda: replay(members(), transitions))
    after = room._replace(head=head, based=room.based or now)
    items: list[Item] = []
    if transitions:
        latest = max(room.latest, *(it.t for it in transitions))
        after = after._replace(latest=latest)
        change = Change(room.ref, head.version, now, head.size, latest, transitions)
        items.append(change_item(change, ttl))
        if room.inline is not None or head.size <= INLINE_AGAIN:
            after = after._replace(inline=inline_of(roster()))
    if _wants_snapshot(after, now, history_days):
        after = after._replace(base=head.version, based=now)
        items.append(snapshot_item(room.ref, head.version, roster(), ttl))
    return after, [head_item(after), *items]


def _wants_snapshot(room: RoomState, now: int, history_days: int) -> bool:
    """Whether to write a snapshot: often enough to bound reads, and before older changes expire."""
    every = SNAPSHOT_EVERY_APART if room.inline is None else SNAPSHOT_EVERY
    if room.head.version - room.base >= every:
        return True
    return now - room.based > history_days * DAY * 1000 // 2
