"""What the passing of time does to a room: leaves that have waited long enough, leases over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.members import Reason, Transition, replay
from chalicelib.roster.transforms import counted, finished, left

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Load, Member


class Settled(NamedTuple):
    """What became of a head.

    Attributes:
        head: the next head; the very same one if nothing was due.
        transitions: who left.
    """

    head: Head
    transitions: tuple[Transition, ...] = ()


def due(head: Head) -> int | None:
    """When something will be due next, in unix ms, if nobody reports before; None: never."""
    if not head.size:
        return None
    return min([head.lease.ends, *map(head.ends_waiting, head.pending)])


def settle(head: Head, now: int, members: Load) -> Settled:
    """Do what is due.

    Args:
        head: the room's head.
        now: unix ms.
        members: called only when the lease is over.
    """
    settled, transitions = settled_parts(head, now, members)
    return Settled(finished(head, settled, transitions), tuple(transitions))


def settled_members(head: Head, now: int, members: Mapping[str, Member]) -> dict[str, Member]:
    """The roster to be shown at a moment: without those who left by the passing of time."""
    return replay(members, settle(head, now, lambda: members).transitions)


def settled_size(head: Head, now: int) -> int:
    """How many members that roster has; to know this, nobody need know who they are."""
    if head.lease.ends <= now:
        return 0
    while over := [each for each in head.pending if head.ends_waiting(each) <= now]:
        pending = tuple(each for each in head.pending if each not in over)
        head = head._replace(pending=pending, size=head.size - sum(each.size for each in over))
    return head.size


def settled_parts(head: Head, now: int, members: Load) -> tuple[Head, Sequence[Transition]]:
    """Do what is due, but leave the numbering to the caller."""
    if head.size and head.lease.ends <= now:
        return _closed(head, now, members())
    transitions: list[Transition] = []
    # When some have left, fewer witnesses are needed for others, who then have waited less long.
    while over := [each for each in head.pending if head.ends_waiting(each) <= now]:
        head, leaves = left(head, over, Reason.GRACE, now=now, members=members)
        transitions += leaves
    return head, transitions


def _closed(
    head: Head, now: int, members: Mapping[str, Member]
) -> tuple[Head, Sequence[Transition]]:
    """Nothing was heard for too long: everyone is gone since it last was."""
    leaving = head.leaving(members)
    transitions = []
    for user, member in members.items():
        pending = leaving.get(user)
        t = pending.t if pending else max(member.since, head.heard)
        source = pending.source if pending else member.source
        by = pending.witnesses[0] if pending else ""
        transitions.append(Transition(False, user, t, by, source, Reason.LEASE))
    # No marks: nobody was seen to go. But no list from before that brings anybody back.
    head = counted(head, transitions, (), now=now)
    return head._replace(t=max(head.t, *(each.t for each in transitions))), transitions
