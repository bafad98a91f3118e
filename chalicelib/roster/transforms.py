"""The small steps that lead from one head to the next."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.head import (
    EMPTY,
    LAGGARD,
    MOST_MARKS,
    RING,
    STRAGGLER,
    Lease,
    RecentChange,
    digest_of,
)
from chalicelib.roster.members import Reason, Transition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chalicelib.roster.head import Head, Pending
    from chalicelib.roster.members import Load


class Outcome(StrEnum):
    """What a signal did to a room: changed what is known, agreed with it, or came too late."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"


class Step(NamedTuple):
    """What a signal made of a head that is not numbered yet."""

    head: Head
    transitions: tuple[Transition, ...] = ()
    outcome: Outcome = Outcome.APPLIED
    resend: bool = False


def finished(before: Head, head: Head, transitions: Sequence[Transition]) -> Head:
    """Number a head that was made from another; the very same one if nothing is different."""
    if head == before:
        return before
    version = before.version + bool(transitions)
    return head._replace(version=version, revision=before.revision + 1)


def turned(head: Head, hash_: str, *, began: int, noted: int, said: str = "") -> Head:
    """Let another set hold from ``began`` on, and remember the one that held before."""
    if hash_ == head.hash:
        return head
    ring = head.stops()[:RING] if head.version else ()
    said = "" if said == hash_ else said
    return head._replace(hash=hash_, said=said, began=began, noted=noted, ring=ring)


def counted(
    head: Head, transitions: Sequence[Transition], marks: Iterable[RecentChange], *, now: int
) -> Head:
    """Count members that came and went, and mark them."""
    if not head.size:  # A room opens, and its lease begins.
        began = max((each.t for each in transitions), default=0)
        head = head._replace(lease=head.lease._replace(heard=max(head.lease.heard, began)))
    size = head.size + sum(1 if each.joined else -1 for each in transitions)
    joined = [each.user for each in transitions if each.joined]
    pending = tuple(group.joined(joined) for group in head.pending) if joined else head.pending
    head = marked(head._replace(size=size, pending=pending), marks, now=now)
    if size:
        return head
    # Nobody is left to speak for an empty room, nor to leave it.
    head = head._replace(pending=(), lease=Lease(head.lease.heard))
    last = max(each.t for each in transitions)
    return turned(head, EMPTY, began=last, noted=now)


def marks_of(head: Head, transitions: Iterable[Transition], noted: int) -> list[RecentChange]:
    """The marks of transitions that make the next version; of a user that goes and comes, one.

    Args:
        head: the head, with the version before.
        transitions: who comes and goes.
        noted: unix ms at which the first evidence of it came in.
    """
    latest = {each.user: each for each in transitions}.values()
    version = head.version + 1
    return [
        RecentChange(digest_of(each.user), each.t, noted, version, each.joined) for each in latest
    ]


def marked(head: Head, marks: Iterable[RecentChange], *, now: int) -> Head:
    """Remember who came or went; forget what is too old, or too much.

    A list that is older than a leave that was forgotten must not undo it: it counts as older than
    the newest list.
    """
    news = {mark.digest: mark for mark in marks}
    old = [mark for mark in head.marks if mark.digest not in news]
    every = sorted([*news.values(), *old], key=lambda mark: mark.t, reverse=True)
    kept = [mark for mark in every[:MOST_MARKS] if mark.t > now - LAGGARD - STRAGGLER]
    floor = max((mark.t for mark in every[len(kept) :] if not mark.present), default=0)
    return head._replace(marks=tuple(kept), t=max(head.t, floor))


def left(
    head: Head, gone: Sequence[Pending], reason: Reason, *, now: int, members: Load
) -> tuple[Head, list[Transition]]:
    """Let those leave who were about to."""
    everyone = members() if any(group.others for group in gone) else ()
    transitions: list[Transition] = []
    marks: list[RecentChange] = []
    for group in gone:
        first, t, source = group.witnesses[0], group.t, group.source
        leaves = [
            Transition(False, user, t, first, source, reason) for user in group.users(everyone)
        ]
        marks += marks_of(head, leaves, group.noted)
        transitions += leaves
    head = head._replace(pending=tuple(each for each in head.pending if each not in gone))
    return counted(head, transitions, marks, now=now), transitions


def heard_by(head: Head, reporter: str, t: int) -> Head:
    """Take a reporter as a witness of all leaves, unless its list is older than a leave.

    Args:
        head: the head.
        reporter: whose list is without all who are about to leave.
        t: when its list was true, in unix ms.
    """
    groups = [
        group._replace(witnesses=(*group.witnesses, reporter))
        if reporter not in group.witnesses and t >= group.t - STRAGGLER
        else group
        for group in head.pending
    ]
    return head._replace(pending=tuple(groups))


def witnessed(head: Head, *, now: int, members: Load) -> tuple[Head, list[Transition]]:
    """Let those leave whose leave has as many witnesses as it needs."""
    transitions: list[Transition] = []
    # When some have left, fewer witnesses are needed for others.
    while gone := [each for each in head.pending if len(each.witnesses) >= head.needed()]:
        head, leaves = left(head, gone, Reason.WITNESSED, now=now, members=members)
        transitions += leaves
    return head, transitions


def renewed(head: Head, heard: int, *, beating: bool = False) -> Head:
    """Renew the lease, if a quarter of it or more has gone, or it is the first heartbeat."""
    lease = head.lease
    fresh = Lease(max(lease.heard, heard), lease.beating or beating)
    late = fresh.heard - lease.heard >= lease.length // 4
    return head._replace(lease=fresh) if late or fresh.beating != lease.beating else head
