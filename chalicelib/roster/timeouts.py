"""What the passing of time does to a room: leaves that have waited long enough, leases over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.head import LEASE
from chalicelib.roster.known import Known, Lacking, Needs
from chalicelib.roster.members import Reason, Transition, replay
from chalicelib.roster.transforms import counted, finished, left, marks_of, turned
from chalicelib.roster.view import set_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Member


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
    return min(
        [
            head.lease.heard + LEASE,
            *map(head.ends_waiting, head.pending),
            *map(head.beating_until, head.beats),
        ]
    )


def settle(head: Head, now: int, known: Known) -> Settled | Needs:
    """Do what is due, or say what is lacking for that.

    Args:
        head: the room's head.
        now: unix ms.
        known: what was read; the members are needed only where a lease is over, or nearly all are
            about to leave.
    """
    try:
        settled, transitions = settled_parts(head, now, known)
    except Lacking as lacking:
        return lacking.needs
    return Settled(finished(head, settled, transitions), tuple(transitions))


def settled_members(head: Head, now: int, members: Mapping[str, Member]) -> dict[str, Member]:
    """The roster to be shown at a moment: without those who left by the passing of time."""
    _, transitions = settled_parts(head, now, Known(members))
    return replay(members, transitions)


def settled_size(head: Head, now: int) -> int:
    """How many members that roster has; to know this, nobody need know who they are."""
    if head.lease.heard + LEASE <= now:
        return 0
    while over := [each for each in head.pending if head.ends_waiting(each) <= now]:
        names = {user for each in over if not each.others for user in each.names}
        stay = [each.names for each in over if each.others]
        pending = tuple(each for each in head.pending if each not in over)
        beats = tuple(
            beat
            for beat in head.beats
            if beat.user not in names and all(beat.user in kept for kept in stay)
        )
        size = head.size - sum(each.size for each in over)
        head = head._replace(pending=pending, size=size, beats=beats)
    while silent := [beat for beat in head.beats if head.beating_until(beat) <= now]:
        beats = tuple(beat for beat in head.beats if beat not in silent)
        head = head._replace(size=head.size - len(silent), beats=beats)
    return head.size


def settled_parts(head: Head, now: int, known: Known) -> tuple[Head, Sequence[Transition]]:
    """Do what is due, but leave the numbering to the caller.

    Raises:
        Lacking: the members are needed.
    """
    if head.size and head.lease.heard + LEASE <= now:
        return _closed(head, now, known.roster())
    transitions: list[Transition] = []
    # When some have left, fewer witnesses are needed for others, who then have waited less long.
    while over := [each for each in head.pending if head.ends_waiting(each) <= now]:
        head, leaves = left(head, over, now=now, known=known)
        transitions += leaves
    # When some have left, the room is smaller, and its leases are shorter.
    while any(head.beating_until(beat) <= now for beat in head.beats):
        members = replay(known.roster(), transitions)
        head, leaves = _silent(head, now, members)
        transitions += leaves
    return head, transitions


def _silent(head: Head, now: int, members: Mapping[str, Member]) -> tuple[Head, list[Transition]]:
    """Those leave who had begun to send heartbeats and were not heard of for too long."""
    silent = [beat for beat in head.beats if head.beating_until(beat) <= now]
    gone = {beat.user: max(beat.t, head.lease.agreed) for beat in silent}
    transitions = [_leave(head, user, members, t) for user, t in gone.items()]
    stay = members.keys() - gone.keys()
    pending = []
    for group in head.pending:
        rest = group.keep([user for user in group.users(members) if user in gone])
        if rest.size:
            pending.append(rest)
    head = head._replace(pending=tuple(pending))
    after = counted(head, transitions, marks_of(head, transitions, now), now=now)
    if after.size:
        expected = stay - head.leaving(stay).keys()
        after = turned(after, set_hash(expected), began=max(gone.values()), noted=now)
    return after, transitions


def _closed(
    head: Head, now: int, members: Mapping[str, Member]
) -> tuple[Head, Sequence[Transition]]:
    """Nothing was heard of a room for too long: everyone is gone since it last was."""
    transitions = [_leave(head, user, members, head.heard) for user in members]
    # No marks: nobody was seen to go. But no list from before that brings anybody back.
    head = counted(head, transitions, (), now=now)
    return head._replace(floor=max(head.floor, *(each.t for each in transitions))), transitions


def _leave(head: Head, user: str, members: Mapping[str, Member], t: int) -> Transition:
    """The leave of one whose lease is over; where others saw it go before, by their evidence."""
    member = members[user]
    pending = head.leaving(members).get(user)
    if pending is None:
        t = max(member.since, t)
        return Transition(False, user, t, "", member.source, Reason.LEASE)
    t = max(member.since, pending.t)
    return Transition(False, user, t, pending.witnesses[0], pending.source, Reason.LEASE)
