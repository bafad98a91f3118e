"""Heartbeats: a member is still there, and still sees what it last reported.

A heartbeat is compared with what its own sender last stated, not with the whole room: members need
not see each other. Its list is wanted where that is not what we hold; or where the room has seen
somebody come or go whom it last stated otherwise, before it could know of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.roster.head import LAGGARD, RETURN, STRAGGLER, digest_of
from chalicelib.roster.leases import agreed, beating
from chalicelib.roster.merge import witnessed
from chalicelib.roster.reporters import Claim, claim_of, names, position
from chalicelib.roster.transforms import Outcome, Step, reconnected, seen, turned, without
from chalicelib.roster.view import set_hash

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.head import Head, RecentChange
    from chalicelib.roster.known import Known
    from chalicelib.roster.signal import PastReport, Signal


def heartbeat(head: Head, signal: Signal, known: Known, now: int) -> Step:
    """Fold in a heartbeat.

    That of one who is not in the room, or with a hash that its sender has not stated, touches
    nothing.
    """
    if signal.hash == head.hash:
        return _agrees(head, signal, known)
    last = _last_report(signal, known)
    if last is not None and not last.members:
        if signal.order.epoch <= last.order.epoch:
            return Step(head, outcome=Outcome.UNCHANGED)  # It has left.
        last = None
    if last is None or last.hash != signal.hash or signal.user not in known.roster():
        return Step(head, outcome=Outcome.UNCHANGED, resend=not _lags(head, signal))
    after = _seen_again(head, signal, last, known, now)
    after = beating(after, signal.user, last.plus, signal.t)
    missed = _has_missed(head, signal, known, last)
    outcome = Outcome.UNCHANGED if after.hash == head.hash else Outcome.APPLIED
    return Step(after, outcome=outcome, resend=missed and not _lags(head, signal))


def agrees(head: Head, signal: Signal, known: Known) -> Step:
    """Somebody states what the head does: it may be a witness of leaves that wait for some."""
    head = agreed(head, signal.t)
    if any(head.lacking(group) > 1 for group in head.pending):
        claim = claim_of(signal, known.reports())
        if claim is not None:
            head = witnessed(head, claim, known.roster())
    return Step(head, outcome=Outcome.UNCHANGED)


def _agrees(head: Head, signal: Signal, known: Known) -> Step:
    after = beating(head, signal.user, (), signal.t)
    after = agreed(after, signal.t)
    if any(head.lacking(group) > 1 for group in head.pending):
        past = known.reports()
        last = past[0] if past and past[0].hash == signal.hash else None
        if last is not None:
            members = known.roster()
            listed = members.keys() - head.leaving(members).keys()
            claim = Claim(signal._replace(listed=listed), last, None, past[1:])
            after = witnessed(after, claim, members)
    if after is head or after == head:
        return Step(head, outcome=Outcome.UNCHANGED)
    if signal.user not in known.roster() or head.is_leaving(signal.user):
        return Step(head, outcome=Outcome.UNCHANGED)
    return Step(after, outcome=Outcome.UNCHANGED)


def _last_report(signal: Signal, known: Known) -> PastReport | None:
    """What the sender last stated; a read that may be a moment old is believed if it agrees."""
    recent = known.recent_reports()
    if recent and recent[0].hash == signal.hash:
        return recent[0]
    past = known.reports()
    return past[0] if past else None


def _seen_again(head: Head, signal: Signal, last: PastReport, known: Known, now: int) -> Head:
    """Those are not about to leave whom the sender still sees, nor is it itself."""
    if not head.pending:
        return head
    members = known.roster()
    leaving = head.leaving(members)
    own = leaving.get(signal.user)
    refuted = own if own and len(own.witnesses) == 1 else None
    back = {
        user
        for user, group in leaving.items()
        if (user == signal.user and signal.t > group.t)
        or (
            signal.t > group.t + (0 if group == refuted else STRAGGLER)
            and names(last, user, None, members[user].since)
        )
    }
    if not back:
        return head
    after = seen(without(head, back, members), back, signal, now=now)
    after = reconnected(after, back, signal.t)
    expected = members.keys() - after.leaving(members).keys()
    return turned(after, set_hash(expected), began=signal.t, noted=signal.received)


def _lags(head: Head, signal: Signal) -> bool:
    """Whether the sender states a set that held until a moment ago: its list is on its way."""
    stops = head.stops()
    at = position(stops, signal.hash, signal.received)
    return at is not None and at > 0 and signal.t <= stops[at - 1].began + STRAGGLER


def _has_missed(head: Head, signal: Signal, known: Known, last: PastReport) -> bool:
    """Whether the room has seen somebody come or go whom the sender last stated otherwise.

    Once it has sent its list again, that is what it sees, and it is not asked again.
    """
    if not last.asked and (
        _still_sees_nobody(head, signal, known, last) or _lacks_one(head, known, last)
    ):
        return True
    patience = STRAGGLER if last.asked else LAGGARD
    doubtful = [
        mark
        for mark in head.marks
        if not mark.present and last.t <= mark.t + patience and signal.t > mark.t + STRAGGLER
    ]
    stated = {digest_of(user) for user in last.plus}
    return any(_states(last, mark, stated) for mark in doubtful)


def _still_sees_nobody(head: Head, signal: Signal, known: Known, last: PastReport) -> bool:
    """Whether one that entered anew, and named nobody then, has had time enough to see others."""
    past = known.recent_reports()
    return (
        last.members == 1 < head.size
        and signal.t > last.t + RETURN
        and any(each.members > 1 for each in past[1:])
        and past[1].order.epoch < last.order.epoch
    )


def _lacks_one(head: Head, known: Known, last: PastReport) -> bool:
    """Whether it has stopped naming a member, and that was not believed."""
    older = known.recent_reports()[1:]
    members = known.roster()
    leaving = head.leaving(members)
    return any(
        not names(last, user, None, member.since)
        and any(
            report.t >= member.since - STRAGGLER and names(report, user, None, member.since)
            for report in older
        )
        for user, member in members.items()
        if user not in leaving
    )


def _states(report: PastReport, mark: RecentChange, plus: AbstractSet[str]) -> bool:
    """Whether a report named the user of a mark, which is known by its digest alone."""
    if mark.digest in plus or report.base is None:
        return mark.digest in plus
    if any(digest_of(user) == mark.digest for user in report.minus):
        return False
    return mark.present == (report.base >= mark.version)
