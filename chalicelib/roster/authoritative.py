"""Strong evidence: a user that says it left, and Tencent's callbacks. They count at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.roster.head import STRAGGLER, RecentChange, digest_of
from chalicelib.roster.members import Reason, Transition
from chalicelib.roster.signal import Source
from chalicelib.roster.transforms import Outcome, Step, counted, marked, marks_of, renewed, turned
from chalicelib.roster.view import set_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Load, Member
    from chalicelib.roster.signal import Recall, Signal


def went(head: Head, signal: Signal, now: int, members: Load, recall: Recall) -> Step:
    """Fold in that a user left: its own word, or Tencent's (104).

    It leaves a mark, even where the user is not known: lists that are late do not bring it back.
    """
    of_tencent = signal.source is Source.TENCENT
    if not of_tencent and (said := recall()) and said[0].order > signal.order:
        return Step(head, outcome=Outcome.STALE)
    roster = members()
    member = roster.get(signal.user)
    if member is None:
        return Step(_with_mark(head, signal, now), outcome=Outcome.UNCHANGED)
    # Tencent orders by EventMsTs. A list that brought it in may have been dated a little late.
    if signal.t < member.since - (0 if of_tencent else STRAGGLER):
        return Step(head, outcome=Outcome.STALE)
    by = "" if of_tencent else signal.user
    t = max(signal.t, member.since)
    leave = Transition(False, signal.user, t, by, signal.source, Reason.LEFT)
    return _stated(_without(head, signal.user, roster), signal, now, roster, leave)


def entered(head: Head, signal: Signal, now: int, members: Load, most: int) -> Step:
    """Fold in that a user entered: Tencent's word (103)."""
    mark = _mark(head, signal.user)
    if mark and not mark.present and mark.t >= signal.t:
        return Step(head, outcome=Outcome.STALE)
    roster = members()
    group = head.leaving(roster).get(signal.user)
    if group and group.t < signal.t:
        head = renewed(_without(head, signal.user, roster), signal.t)
        return Step(_turned(head, signal, roster.keys() - head.leaving(roster)))
    if signal.user in roster or head.size >= most:
        return Step(head, outcome=Outcome.UNCHANGED)
    if signal.t + STRAGGLER <= head.t:  # Newer lists have shown that it is not there any more.
        return Step(head, outcome=Outcome.STALE)
    join = Transition(True, signal.user, signal.t, "", signal.source, Reason.ENTERED)
    return _stated(head, signal, now, roster, join)


def _stated(
    head: Head,
    signal: Signal,
    now: int,
    members: Mapping[str, Member],
    transition: Transition,
) -> Step:
    """Let one user come or go at once."""
    others = members.keys() - head.leaving(members) - {signal.user}
    head = _turned(head, signal, others | {signal.user} if transition.joined else others)
    marks = marks_of(head, [transition], signal.received)
    head = counted(head, [transition], marks, now=now)
    return Step(renewed(head, signal.t), (transition,))


def _turned(head: Head, signal: Signal, expected: AbstractSet[str]) -> Head:
    return turned(head, set_hash(expected), began=signal.t, noted=signal.received)


def _without(head: Head, user: str, members: Mapping[str, Member]) -> Head:
    """Forget that a user is about to leave."""
    group = head.leaving(members).get(user)
    if group is None:
        return head
    rest = [each.keep([user]) if each is group else each for each in head.pending]
    return head._replace(pending=tuple(each for each in rest if each.size))


def _mark(head: Head, user: str) -> RecentChange | None:
    digest = digest_of(user)
    return next((mark for mark in head.marks if mark.digest == digest), None)


def _with_mark(head: Head, signal: Signal, now: int) -> Head:
    mark = _mark(head, signal.user)
    if mark and mark.t >= signal.t:
        return head
    news = RecentChange(
        digest_of(signal.user), signal.t, signal.received, head.version, present=False
    )
    return marked(head, [news], now=now)
