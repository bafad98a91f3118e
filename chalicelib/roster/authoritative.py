"""Strong evidence: a user that says it left, and Tencent's callbacks. They count at once.

They come in any order, and twice. What counts is the newest: of a leave and of something that was
seen after it, the latter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.roster.head import STRAGGLER, RecentChange, digest_of
from chalicelib.roster.leases import renewed
from chalicelib.roster.members import Reason, Transition
from chalicelib.roster.places import displaceable
from chalicelib.roster.signal import Cause, Kind, Source
from chalicelib.roster.transforms import (
    Outcome,
    Step,
    counted,
    heard_at,
    mark_of,
    marked,
    marks_of,
    reconnected,
    seen,
    turned,
    without,
)
from chalicelib.roster.view import set_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.head import Head
    from chalicelib.roster.known import Known
    from chalicelib.roster.members import Member
    from chalicelib.roster.signal import Signal

_REASONS = {Cause.TIMED_OUT: Reason.TIMED_OUT, Cause.REMOVED: Reason.REMOVED}


def went(head: Head, signal: Signal, known: Known, now: int) -> Step:
    """Fold in that a user left: its own word, or Tencent's (104).

    It leaves a mark, even where the user is not known: lists that are late do not bring it back.
    """
    if _was_outweighed(head, signal, known):
        return Step(head, outcome=Outcome.STALE)
    roster = known.roster()
    of_tencent = signal.source is Source.TENCENT
    member = roster.get(signal.user)
    if member is None:
        return Step(_with_mark(head, signal, now), outcome=Outcome.UNCHANGED)
    # Tencent's times are exact. A list that brought it in may have been dated a little late.
    exact = of_tencent or member.source is Source.TENCENT
    if signal.t < member.since - (0 if exact else STRAGGLER):
        return Step(head, outcome=Outcome.STALE)
    by = "" if of_tencent else signal.user
    reason = _REASONS.get(signal.cause, Reason.LEFT) if signal.cause else Reason.LEFT
    t = max(signal.t, member.since)
    leave = Transition(False, signal.user, t, by, signal.source, reason)
    return _stated(without(head, {signal.user}, roster), signal, now, roster, [leave])


def entered(head: Head, signal: Signal, known: Known, now: int, most: int) -> Step:
    """Fold in that a user entered, or was seen in the room: Tencent's word (103, 105)."""
    mark = mark_of(head, signal.user)
    if mark and not mark.present and mark.t >= signal.t:
        return Step(head, outcome=Outcome.STALE)
    roster = known.roster()
    if signal.user in roster:
        return _seen_inside(head, signal, roster, now)
    if signal.t <= head.floor:
        return Step(head, outcome=Outcome.STALE)
    displaced: AbstractSet[str] = frozenset()
    if head.size >= most:
        displaced = displaceable(roster, known)
        if not displaced:
            return Step(head, outcome=Outcome.FULL, dropped=(signal.user,))
    reason = Reason.DISPLACED
    leaves = [
        Transition(False, user, max(signal.t, roster[user].since), "", signal.source, reason)
        for user in displaced
    ]
    join = Transition(True, signal.user, signal.t, "", signal.source, Reason.ENTERED)
    return _stated(without(head, displaced, roster), signal, now, roster, [*leaves, join])


def ended(head: Head, signal: Signal, known: Known, now: int) -> Step:
    """Fold in that the room was dismissed (102), or that it was created (101), so had ended before.

    All leave who came before and were not seen after.
    """
    created = signal.kind is Kind.CREATED
    cut = signal.t - STRAGGLER if created else signal.t
    if cut <= head.floor:
        return Step(head, outcome=Outcome.UNCHANGED)
    roster = known.roster()
    gone = [user for user in sorted(roster) if _was_before(head, user, roster[user], cut)]
    leaves = [
        Transition(False, user, max(signal.t, roster[user].since), "", signal.source, _DISMISSED)
        for user in gone
    ]
    head = without(head, set(gone), roster)._replace(floor=cut)
    if not leaves:
        return Step(head, outcome=Outcome.UNCHANGED)
    return _stated(head, signal, now, roster, leaves)


_DISMISSED = Reason.DISMISSED


def _was_before(head: Head, user: str, member: Member, cut: int) -> bool:
    mark = mark_of(head, user)
    if member.since > cut or (mark and mark.present and mark.t > cut):
        return False
    return not any(beat.user == user and beat.t > cut + STRAGGLER for beat in head.beats)


def _was_outweighed(head: Head, signal: Signal, known: Known) -> bool:
    """Whether something newer than a leave is known: the user was seen, or spoke, after it."""
    mark = mark_of(head, signal.user)
    slack = 0 if signal.source is Source.TENCENT else STRAGGLER
    if mark and mark.present and mark.t > signal.t + slack:
        return True
    if signal.source is not Source.TENCENT:
        past = known.reports()
        return bool(past) and past[0].order > signal.order
    if any(beat.user == signal.user and beat.t > signal.t + STRAGGLER for beat in head.beats):
        return True
    if signal.received - signal.t <= STRAGGLER:
        return False
    word = next(iter(known.reports()), None)
    if word is None or not word.members:
        return False
    return word.t > signal.t + STRAGGLER or word.order.epoch > signal.t


def _seen_inside(head: Head, signal: Signal, roster: Mapping[str, Member], now: int) -> Step:
    """A member was seen: a leave that is older and comes later does not count."""
    group = head.leaving(roster).get(signal.user)
    if signal.t <= (group.t if group else roster[signal.user].since):
        return Step(head, outcome=Outcome.UNCHANGED)
    after = without(head, {signal.user}, roster) if group else head
    after = seen(after, [signal.user], signal, now=now)
    if after == head:
        return Step(head, outcome=Outcome.UNCHANGED)
    if group or signal.cause is Cause.RECONNECTED:
        after = reconnected(after, {signal.user}, signal.t)
    expected = roster.keys() - after.leaving(roster).keys()
    return Step(_turned(renewed(after, signal.t), signal, expected))


def _stated(
    head: Head,
    signal: Signal,
    now: int,
    members: Mapping[str, Member],
    transitions: Sequence[Transition],
) -> Step:
    """Let users come or go at once."""
    joined = {each.user for each in transitions if each.joined}
    left = {each.user for each in transitions if not each.joined}
    stay = members.keys() - left
    head = _turned(head, signal, stay.difference(head.leaving(stay)) | joined)
    marks = marks_of(head, transitions, signal.received)
    head = counted(head, transitions, marks, now=now)
    return Step(heard_at(head, signal.t), tuple(transitions))


def _turned(head: Head, signal: Signal, expected: AbstractSet[str]) -> Head:
    return turned(head, set_hash(expected), began=signal.t, noted=signal.received)


def _with_mark(head: Head, signal: Signal, now: int) -> Head:
    mark = mark_of(head, signal.user)
    if (mark and mark.t >= signal.t) or signal.t <= head.floor:
        return head
    digest = digest_of(signal.user)
    news = RecentChange(digest, signal.t, signal.received, head.version, present=False)
    return marked(head, [news], now=now)
