"""Hindsight: what a list can know of changes that the room has seen already.

Lists come late, and ages are wrong. So a list that contradicts a recent change tells either of a
newer one, or of the time before it. What the same reporter said before decides: one whose earlier
list agreed with the change has seen it, and what it says now is newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.head import GRACE, LAGGARD, STRAGGLER, digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.roster.head import Head, PastState, RecentChange
    from chalicelib.roster.signal import PastReport, Signal


class Claim(NamedTuple):
    """A list beside what is known of its reporter.

    Attributes:
        signal: the list.
        before: what the reporter said last before it, if anything.
        blinked: that was that it is alone, and the room is not empty but for it: a client that
            connects anew lists itself alone for a moment, which says nothing of the others.
    """

    signal: Signal
    before: PastReport | None
    blinked: bool

    @property
    def start(self) -> int:
        """Unix ms after which the reporter came to the room as it is now: it knows all before.

        Its token was made then, or it said that it left.
        """
        left = self.before.t if self.before and not self.before.members else 0
        return max(self.signal.order.epoch, left)

    @property
    def patience(self) -> int:
        """How long the list may lag, in ms: not much if it was asked for, or is said again."""
        before, signal = self.before, self.signal
        again = (
            before is not None
            and before.hash == signal.hash
            and before.order == signal.order._replace(seq=signal.order.seq - 1)
            and signal.received - before.received >= GRACE
        )
        return STRAGGLER if signal.asked or again else LAGGARD

    def reached(self, head: Head) -> bool:
        """Whether the reporter had stated what the head states, so what it says now is newer."""
        before = self.before
        return (
            before is not None
            and before.hash in {head.hash, head.said}
            and before.received <= self.signal.received
            and _may_know(before, head.began, head.noted)
        )

    def straggles(self, head: Head) -> bool:
        """Whether the list states an older set, from which its reporter is still on its way."""
        stops = head.stops()
        at = position(stops, self.signal.hash, self.signal.received)
        if not at or self.start >= stops[at - 1].began:
            return False
        was = position(stops, self.before.hash, self.before.received) if self.before else None
        if was and was < at:
            return False
        lag = STRAGGLER if was == at else self.patience
        return self.signal.t <= stops[at - 1].began + lag

    def counts(self, user: str, t: int, marks: dict[str, RecentChange]) -> bool:
        """Whether what the list says of a user, against what is known, is news.

        Args:
            user: whom the list names though it left, or omits though it came.
            t: when the list was true, in unix ms.
            marks: who came or went of late, by digest.
        """
        mark = marks.get(digest_of(user)) if marks else None
        if mark is None or self.start >= mark.t or t > mark.t + self.patience:
            return True
        before = self.before
        if before is None or self.blinked or not _may_know(before, mark.t, mark.noted):
            return False
        return _named(before, user, mark) == mark.present


def cannot_know(head: Head, signal: Signal) -> bool:
    """Whether a list is a straggler, whatever its reporter said before.

    It states the set that held before the one that holds; its reporter is no part of that one, so
    it cannot have stated it and come back from it. A client that connects anew and lists itself
    alone makes stragglers of all others in this way.
    """
    late = position(head.stops(), signal.hash, signal.received) == 1
    if not late or head.said or signal.t > head.began + STRAGGLER:
        return False
    if signal.order.epoch >= head.began or any(
        mark.t >= head.began and mark.digest == digest_of(signal.user) for mark in head.marks
    ):
        return False  # It may have come since.
    return any((signal.user in group.names) != group.others for group in head.pending)


def position(stops: Sequence[PastState], hash_: str, received: int) -> int | None:
    """Where a hash stands among those that held: 0 is the one that does; None: nowhere.

    Args:
        stops: the newest first.
        hash_: of a set that somebody stated.
        received: unix ms at which that came in; sets that held only later are passed over.
    """
    for at, stop in enumerate(stops):
        if hash_ in {stop.hash, stop.said} and stop.noted <= received:
            return at
    return None


def _may_know(before: PastReport, t: int, noted: int) -> bool:
    """Whether something said can know of a change, by when it was true and when it came in."""
    return before.received >= noted and before.t >= t - STRAGGLER


def _named(said: PastReport, user: str, mark: RecentChange) -> bool:
    """Whether a list named a user (the mark is the user's)."""
    if user in said.plus or user in said.minus or said.base is None:
        return user in said.plus
    return mark.present == (said.base >= mark.version)
