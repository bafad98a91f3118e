"""The small steps that lead from one head to the next."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.head import (
    EMPTY,
    LAGGARD,
    MOST_MARKS,
    RING,
    SEEN,
    SPOKE,
    STRAGGLER,
    Lease,
    RecentChange,
    Reconnect,
    digest_of,
)
from chalicelib.roster.members import Reason, Transition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from chalicelib.roster.head import Head, Pending
    from chalicelib.roster.known import Known
    from chalicelib.roster.members import Member
    from chalicelib.roster.signal import Signal

MOST_RECONNECTS = 32
"""Members of whom it is known how often they reconnected: the last ones."""


class Outcome(StrEnum):
    """What a signal did to a room.

    It changed what is known, agreed with it, or came too late; or the room is full, and its
    reporter is not in it.
    """

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"
    FULL = "full"


class Step(NamedTuple):
    """What a signal made of a head that is not numbered yet."""

    head: Head
    transitions: tuple[Transition, ...] = ()
    outcome: Outcome = Outcome.APPLIED
    resend: bool = False
    dropped: tuple[str, ...] = ()


def finished(before: Head, head: Head, transitions: Sequence[Transition]) -> Head:
    """Number a head that was made from another; the very same one if nothing is different."""
    if head == before:
        return before
    version = before.version + bool(transitions)
    return head._replace(version=version, revision=before.revision + 1)


def turned(head: Head, hash_: str, *, began: int, noted: int) -> Head:
    """The head with another hash from ``began`` on; the hash that held before is remembered."""
    if hash_ == head.hash:
        return head
    ring = head.stops()[:RING] if head.version else ()
    return head._replace(hash=hash_, began=began, noted=noted, ring=ring)


def counted(
    head: Head, transitions: Sequence[Transition], marks: Iterable[RecentChange], *, now: int
) -> Head:
    """Count members that came and went, and mark them."""
    if not head.size:  # A room opens, and its lease begins.
        head = heard_at(head, max((each.t for each in transitions), default=0))
    size = head.size + sum(1 if each.joined else -1 for each in transitions)
    joined = [each.user for each in transitions if each.joined]
    gone = {each.user for each in transitions if not each.joined}
    pending = tuple(group.joined(joined) for group in head.pending) if joined else head.pending
    head = marked(head._replace(size=size, pending=pending), marks, now=now)
    head = head._replace(
        beats=tuple(beat for beat in head.beats if beat.user not in gone),
        reconnects=tuple(each for each in head.reconnects if each.user not in gone),
    )
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

    What is older than a leave that was forgotten must not undo it: it raises the floor. What is
    folded again much later than it came in is not remembered anew.
    """
    news = {mark.digest: mark for mark in marks}
    old = [mark for mark in head.marks if mark.digest not in news]
    every = sorted([*news.values(), *old], key=lambda mark: mark.t, reverse=True)
    oldest = max(now, head.heard) - LAGGARD - STRAGGLER
    kept = [mark for mark in every[:MOST_MARKS] if mark.t >= oldest]
    floor = max((mark.t for mark in every[len(kept) :] if not mark.present), default=0)
    return head._replace(marks=tuple(kept), floor=max(head.floor, floor))


def mark_of(head: Head, user: str) -> RecentChange | None:
    """A user's mark, if it came or went of late."""
    digest = digest_of(user)
    return next((mark for mark in head.marks if mark.digest == digest), None)


def seen(head: Head, users: Iterable[str], signal: Signal, *, now: int) -> Head:
    """Remember that some members were seen in the room, if nothing newer is known of them.

    Args:
        head: the head.
        users: the members.
        signal: what shows them there; it may be their own.
        now: unix ms.
    """
    t, noted = signal.t, signal.received
    marks = []
    for user in users:
        mark = mark_of(head, user)
        if mark is None or mark.t < t:
            version = SPOKE if user == signal.user else SEEN
            marks.append(RecentChange(digest_of(user), t, noted, version, present=True))
    return marked(head, marks, now=now) if marks else head


def reconnected(head: Head, users: Collection[str], t: int) -> Head:
    """Remember that some members seemed to be gone and were seen again."""
    known = {each.user: each for each in head.reconnects}
    again = [
        Reconnect(user, known[user].times + 1 if user in known else 1, t) for user in sorted(users)
    ]
    rest = [each for each in head.reconnects if each.user not in users]
    return head._replace(reconnects=tuple([*again, *rest][:MOST_RECONNECTS]))


def without(head: Head, users: Collection[str], members: Mapping[str, Member]) -> Head:
    """Forget that some members are about to leave."""
    pending = []
    for group in head.pending:
        rest = group.keep([user for user in group.users(members) if user in users])
        if rest.size:
            pending.append(rest)
    return head._replace(pending=tuple(pending))


def left(
    head: Head, gone: Sequence[Pending], *, now: int, known: Known
) -> tuple[Head, list[Transition]]:
    """Let those leave who were about to."""
    everyone = known.roster() if any(group.others for group in gone) else ()
    transitions: list[Transition] = []
    marks: list[RecentChange] = []
    for group in gone:
        first, t, source = group.witnesses[0], group.t, group.source
        reason = Reason.GRACE if head.lacking(group) > 0 else Reason.WITNESSED
        leaves = [
            Transition(False, user, t, first, source, reason) for user in group.users(everyone)
        ]
        marks += marks_of(head, leaves, group.noted)
        transitions += leaves
    head = head._replace(pending=tuple(each for each in head.pending if each not in gone))
    return counted(head, transitions, marks, now=now), transitions


def heard_at(head: Head, t: int) -> Head:
    """Remember when a room was last heard of; for heads that are written anyway."""
    lease = head.lease
    return head._replace(lease=lease._replace(heard=max(lease.heard, t)))
