"""Folding: what comes in is stored, then folded into its room, whoever else does so meanwhile.

Webhook folds what it has stored in the same request; keeper folds all of it once more, since a
webhook may die in between. To fold a thing twice changes nothing.
"""

from __future__ import annotations

import random
import time
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.roster.correction import correct
from chalicelib.roster.fold import Folded, fold
from chalicelib.roster.known import Known, Needs, Read
from chalicelib.roster.members import BrokenTimeline
from chalicelib.roster.timeouts import settle
from chalicelib.roster.transforms import Outcome
from chalicelib.roster.userlist import MOST_USERS, ListTooLarge
from chalicelib.table.errors import HeadMoved, HistoryGone, StoreUnavailable
from chalicelib.table.item_keys import ReporterKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.signal import Signal
    from chalicelib.table.callback_items import StoredCallback
    from chalicelib.table.item_keys import RoomKey
    from chalicelib.table.reports import Report
    from chalicelib.table.rooms import Load, RoomState
    from chalicelib.table.table import EventTable

TRIES: Final = 6
"""Times that a room is read and written at most, where others write it as well."""

FIRST_PAUSE: Final = 0.02
"""Seconds: the longest pause before the second try; each further one may be twice as long."""

UNFOLDED: Final = "stored"
"""The outcome of what is stored and was not folded: keeper will."""


FOR_KEEPER: Final = (StoreUnavailable, HistoryGone, BrokenTimeline)
"""What may go wrong with what is stored: keeper tries again, or tells people in its quarantine."""


class RecordResult(NamedTuple):
    """What became of something that was said.

    Attributes:
        outcome: ``applied``, ``unchanged`` or ``stale``, as the fold says; ``duplicate``: it was
            stored before; ``stored``: only that, and keeper will fold it.
        room: the room, as it was written or last read.
        resend: the client should send its list again.
        dropped: whom it named and who found no place in the room, sorted.
    """

    outcome: str
    room: RoomState
    resend: bool = False
    dropped: tuple[str, ...] = ()


class RoomWriter:
    """Stores and folds.

    Args:
        table: the event table.
        most: most members of a room, by its application.
        sleep: pauses for some seconds before a room is read again that somebody else wrote.
        chance: a number from 0 to 1, by which such pauses differ.
    """

    def __init__(
        self,
        table: EventTable,
        *,
        most: Callable[[int], int] = lambda _app: MOST_USERS + 1,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.table = table
        self._most = most
        self._sleep = sleep
        self._chance = chance

    def record(self, report: Report, now: int) -> RecordResult:
        """Store a report and fold it.

        Once it is stored, nothing that goes wrong is a failure: keeper folds it all the same.

        Args:
            report: the report.
            now: unix ms.

        Raises:
            ReportConflict: its (epoch, seq) was reported before, with another list.
            ListTooLarge: it names more than the room may hold, or does not fit an item; nothing was
                written.
            StoreUnavailable: it may be stored or not; send it again.
        """
        self._check_size(report)
        room = self.table.room(report.place.ref)
        members = self._members(room)
        stored = self.table.store(report, room, members)
        signal = (stored or report).signal
        try:
            taken = self._fold(room, signal, now, members)
        except FOR_KEEPER:
            taken = RecordResult(UNFOLDED, room)
        return taken if stored is None else taken._replace(outcome="duplicate")

    def _check_size(self, report: Report) -> None:
        most = self._most(report.place.sdk_app_id)
        members = report.view.members if report.view else 0
        if members > most:
            detail = f"The room has {members} members by this list; the application allows {most}."
            raise ListTooLarge(detail)

    def record_callback(self, callback: StoredCallback, now: int) -> str:
        """Store a callback of Tencent's and fold it, if it says who came or went.

        Args:
            callback: the callback.
            now: unix ms.

        Returns:
            An outcome, as of a report.

        Raises:
            StoreUnavailable: it may be stored or not; Tencent sends it again.
        """
        stored = self.table.store_callback(callback)
        heard = (stored or callback).room_signal
        outcome = UNFOLDED if heard is None else self._outcome_of(*heard, now)
        return outcome if stored is None else "duplicate"

    def _outcome_of(self, ref: RoomKey, signal: Signal, now: int) -> str:
        try:
            return self.apply(ref, signal, now).outcome
        except StoreUnavailable:
            return UNFOLDED

    def apply(self, ref: RoomKey, signal: Signal, now: int) -> RecordResult:
        """Fold what is stored already, or is not to be stored (a heartbeat).

        Where the room's history cannot be read it is not folded; that is no fault of who says it.

        Raises:
            StoreUnavailable: it may be folded or not.
        """
        room = self.table.room(ref)
        try:
            return self._fold(room, signal, now, self._members(room))
        except (HistoryGone, BrokenTimeline):
            return RecordResult(UNFOLDED, room)

    def reapply(self, room: RoomState, signal: Signal, now: int) -> RoomState:
        """Fold once more what is stored, in case whoever stored it died before it was folded.

        It is folded as of the moment at which it came in: what waited for hours must neither find
        the room closed for want of news, nor close it for the next one that waited as long.

        Args:
            room: as it was read since the signal was stored, or as the last refold left it.
            signal: what is stored.
            now: unix ms.

        Returns:
            The very same room if nothing was left to do, which is the rule.

        Raises:
            StoreUnavailable: the table did not answer, or concurrent writers won all six attempts.
            HistoryGone: what its list refers to is not kept any more.
        """
        taken = self._fold(room, signal, signal.received, self._members(room), recorded=now)
        if taken.outcome == UNFOLDED:
            raise StoreUnavailable
        return taken.room

    def correct(self, ref: RoomKey, wanted: AbstractSet[str], now: int) -> RecordResult:
        """Let a room hold other members than it does, as an operator has decided.

        Args:
            ref: the room.
            wanted: who is in it.
            now: unix ms.

        Raises:
            StoreUnavailable: the table did not answer, or concurrent writers won all six attempts.
        """
        room = self.table.room(ref)
        taken = self._write(
            room,
            lambda room, members: correct(room.head, members(), wanted, now),
            now,
            self._members(room),
        )
        if taken.outcome == UNFOLDED:
            raise StoreUnavailable
        return taken

    def settle(self, ref: RoomKey, now: int) -> RoomState:
        """Do what is due in a room by the passing of time; how it stands then.

        Raises:
            StoreUnavailable: it may be done or not.
        """

        def step(room: RoomState, members: Load) -> Folded:
            known = Known()
            while isinstance(settled := settle(room.head, now, known), Needs):
                known = self._read(settled, room, "", known, members)
            return Folded(settled.head, settled.transitions, Outcome.APPLIED, resend=False)

        room = self.table.room(ref)
        return self._write(room, step, now, self._members(room)).room

    def _fold(
        self, room: RoomState, signal: Signal, now: int, members: Load, *, recorded: int = 0
    ) -> RecordResult:
        """Fold as of ``now``; ``recorded``: when that is done, if it is another time."""
        most = self._most(room.ref.sdk_app_id)

        def step(room: RoomState, members: Load) -> Folded:
            known = Known()
            while isinstance(folded := fold(room.head, signal, known, now=now, most=most), Needs):
                known = self._read(folded, room, signal.user, known, members)
            return folded

        return self._write(room, step, recorded or now, members)

    def _write(
        self,
        room: RoomState,
        step: Callable[[RoomState, Load], Folded],
        now: int,
        members: Load,
    ) -> RecordResult:
        """Take a step from a room's head to the next, wherever others have led it meanwhile."""
        for attempt in range(TRIES):
            if attempt:
                self._sleep(FIRST_PAUSE * 2 ** (attempt - 1) * self._chance())
                room = self.table.room(room.ref)
                members = self._members(room)
            folded = step(room, members)
            if folded.head is room.head:
                return RecordResult(folded.outcome, room, folded.resend, folded.dropped)
            try:
                room = self.table.commit(room, folded, members, now)
            except HeadMoved:
                continue
            return RecordResult(folded.outcome, room, folded.resend, folded.dropped)
        return RecordResult(UNFOLDED, room)

    def _read(self, needs: Needs, room: RoomState, user: str, known: Known, members: Load) -> Known:
        """The one place that reads what a fold lacks."""
        place = ReporterKey(*room.ref, user)
        if needs.read is Read.MEMBERS:
            return known._replace(members=members())
        if needs.read is Read.PAST:
            return known._replace(past=self.table.past(place))
        if needs.read is Read.RECENT:
            return known._replace(recent=self.table.recent(place))
        words = {
            other: self.table.last_word(place._replace(user_id=other)) for other in needs.users
        }
        return known._replace(words={**known.words, **words})

    def _members(self, room: RoomState) -> Load:
        return cache(lambda: self.table.members(room))
