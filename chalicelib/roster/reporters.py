"""Reporters: what a list can know, by what its reporter said before.

Lists come late, and ages are wrong. So a list that contradicts a recent change tells either of a
newer one, or of the time before it. What the same reporter said before decides: one whose earlier
list agreed with the change has seen it, and what it says now is newer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from chalicelib.roster.head import LAGGARD, STRAGGLER, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chalicelib.roster.head import PastState, RecentChange
    from chalicelib.roster.members import Member
    from chalicelib.roster.signal import PastReport, Signal

SAID_AGAIN: Final = 10_000
"""Ms after which a list that is sent once more unchanged is what its client sees now."""

Marks: TypeAlias = "Mapping[str, RecentChange]"
"""Who came or went of late, by digest."""


class Claim(NamedTuple):
    """A list beside what is known of its reporter.

    Attributes:
        signal: the list.
        last: what the reporter said last before it, if anything.
        before: the same, but for lists that name nobody: a client that connects anew lists itself
            alone for a moment, which does not mean that it has never seen others.
        older: all that is known of what it said before, the newest first.
    """

    signal: Signal
    last: PastReport | None
    before: PastReport | None
    older: Sequence[PastReport] = ()

    @property
    def names_nobody_yet(self) -> bool:
        """Whether it says nothing of others: it names none, and its reporter has just entered."""
        signal, last = self.signal, self.last
        if signal.listed and signal.listed != {signal.user}:
            return False
        return last is None or not last.members or last.order.epoch < signal.order.epoch

    @property
    def start(self) -> int:
        """Unix ms after which the reporter came to the room as it is now: it knows all before.

        Its token was made then, or it said that it left.
        """
        left = self.last.t if self.last and not self.last.members else 0
        return max(self.signal.order.epoch, left)

    @property
    def patience(self) -> int:
        """How long the list may lag, in ms: not much if it was asked for, or is said again."""
        last, signal = self.last, self.signal
        again = (
            last is not None
            and last.hash == signal.hash
            and last.order == signal.order._replace(seq=signal.order.seq - 1)
            and signal.received - last.received >= SAID_AGAIN
        )
        return STRAGGLER if signal.asked or again else LAGGARD

    def shows_join(self, user: str, marks: Marks, size: int = 0) -> bool:
        """Whether the list, which names a user that is not in the room, is newer than its leave.

        Args:
            user: the user.
            marks: who came or went of late.
            size: members of the room.
        """
        mark = marks.get(digest_of(user)) if marks else None
        if mark is None or mark.present or self._is_later(mark):
            return True
        last = self.last
        if last is None or last.members == 1 < size or not _may_know(last, mark):
            return False
        return not names(last, user, mark)

    def shows_leave(self, user: str, member: Member, marks: Marks) -> bool:
        """Whether the list, which does not name a member, shows that it left.

        Its reporter must have named it before, in this stay of the member, and the list must be
        newer than what the member was last seen by.
        """
        before, mark = self.before, marks.get(digest_of(user)) if marks else None
        if before is None or self.signal.t <= member.since:
            return False
        if not any(names(each, user, mark, member.since) for each in self._seen(member)):
            return False
        return mark is None or not mark.present or self._is_later(mark) or _may_know(before, mark)

    def _seen(self, member: Member) -> list[PastReport]:
        """Reports that may have named a member before it left, by this list.

        That is the one before; where the list was asked for, older ones as well: what the one
        before said was not believed.
        """
        older = self.older if self.signal.asked else (self.before,)
        return [each for each in older if each and each.t >= member.since - STRAGGLER]

    def _is_later(self, mark: RecentChange) -> bool:
        return self.start >= mark.t or self.signal.t > mark.t + self.patience


def claim_of(
    signal: Signal, past: Sequence[PastReport], recent: Sequence[PastReport] = ()
) -> Claim | None:
    """A list beside what its reporter said before; None: the reporter has said something newer.

    Args:
        signal: the list.
        past: the reporter's newest reports, the newest first.
        recent: more of them, where it was asked for; perhaps without one of a moment ago.
    """
    if past and past[0].order > signal.order:
        return None
    older = [each for each in past if each.order < signal.order]
    last = older[0] if older else None
    return Claim(
        signal, last, next((it for it in older if it.members != 1), last), [*older, *recent]
    )


def position(stops: Iterable[PastState], hash_: str, received: int) -> int | None:
    """Where a hash stands among those that held: 0 is the one that does; None: nowhere.

    Args:
        stops: the newest first.
        hash_: of a set that somebody stated.
        received: unix ms at which that came in; sets that held only later are passed over.
    """
    for at, stop in enumerate(stops):
        if hash_ == stop.hash and stop.noted <= received:
            return at
    return None


def names(report: PastReport, user: str, mark: RecentChange | None, since: int = 0) -> bool:
    """Whether a report named a user.

    Args:
        report: the report.
        user: the user.
        mark: the user's, if it has come or gone of late.
        since: unix ms at which it came, if it has not of late.
    """
    if user in report.plus or user in report.minus or report.base is None:
        return user in report.plus
    if mark is not None:
        return mark.present == (report.base >= mark.version)
    return since <= report.received


def marks_by_digest(marks: Iterable[RecentChange]) -> Mapping[str, RecentChange]:
    """Who came or went of late, by digest."""
    return {mark.digest: mark for mark in marks}


def _may_know(report: PastReport, mark: RecentChange) -> bool:
    """Whether something said can know of a change, by when it was true and when it came in."""
    return report.received >= mark.noted and report.t >= mark.t - STRAGGLER
