"""Reads rooms: who is in one now, who was at a past moment, and who came and went.

Rosters are settled: leaves whose waiting time is over, and leases that are over, count even if they
are not written yet. Nothing is written here.

A transition may be recorded long after it happened: a leave after its grace or the lease, a report
after it waited in a client's queue. So versions are not in the order of their transitions' times,
and what had happened by a moment follows only from all versions since.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.roster.known import Known, Needs
from chalicelib.roster.members import replay
from chalicelib.roster.timeouts import Settled, settle
from chalicelib.roster.view import set_hash
from chalicelib.table.errors import HistoryGone
from chalicelib.table.rooms import DAY
from chalicelib.table.table import EventTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Member, Transition
    from chalicelib.table.item_keys import ReporterKey, RoomKey
    from chalicelib.table.rooms import Change, RoomState
    from chalicelib.table.table import Retention

MOST_READ: Final = 1_000
"""Versions that are read for one page of a timeline; about 200 KB."""

MOST_SHOWN: Final = 10_000
"""Transitions after which a page ends: each takes up to 190 bytes, and Lambda answers up to 6 MB.

The last version of a page may add as many again: 5,000 members leave and 5,000 others join.
"""

_PAGE: Final = 100  # Least versions read at once: 100 of them are about 20 KB, 5 read units.

_LATE_DAYS: Final = 3
"""Days, in addition to those that reports are kept, by which a join may be recorded late at most.

A report may be a day old when it comes in, and DynamoDB may delete it two days late (AWS: "within a
few days"). Until then it may be folded.
"""


class SettledRoom(NamedTuple):
    """A room, settled as of a moment.

    Attributes:
        room: its stored state.
        head: its head after everything due by then.
        due: the transitions that settling made; they may not be written yet.
    """

    room: RoomState
    head: Head
    due: tuple[Transition, ...]


class Roster(NamedTuple):
    """Who is, or was, in a room.

    Attributes:
        members: by userid, including those about to leave.
        leaving: those about to leave, with the unix ms since which reports no longer name them.
    """

    members: Mapping[str, Member]
    leaving: Mapping[str, int]

    @property
    def hash(self) -> str:
        """`set_hash` of the members not about to leave, which their next lists should have, too."""
        return set_hash(self.members.keys() - self.leaving.keys())


class TimeRange(NamedTuple):
    """A time range in unix ms; both ends belong to it."""

    first: int
    last: int

    def includes(self, t: int) -> bool:
        """Whether a unix time in ms lies in it."""
        return self.first <= t <= self.last


class TimelinePage(NamedTuple):
    """A part of a timeline.

    Attributes:
        changes: oldest first, each with its transitions in the time range alone.
        after: the last version that was read; None: nothing follows.
    """

    changes: list[Change]
    after: int | None


class History:
    """Reads rooms.

    Args:
        client: DynamoDB's.
        name: the event table's name.
        kept: how long things are kept.

    Attributes:
        table: the event table.
    """

    def __init__(self, client: DynamoDBClient, name: str, kept: Retention) -> None:
        self.table = EventTable(client, name, kept)
        self._kept = kept

    def settled_room(self, ref: RoomKey, now: int) -> SettledRoom:
        """A room settled as of now; an empty one if it was never seen.

        Raises:
            StoreUnavailable: the table does not answer; so for all methods.
        """
        room = self.table.room(ref)
        head, due = self._settled(room, now)
        return SettledRoom(room, head, due)

    def _settled(self, room: RoomState, now: int) -> Settled:
        settled = settle(room.head, now, Known())
        if isinstance(settled, Needs):
            settled = settle(room.head, now, Known(self.table.members(room)))
            assert isinstance(settled, Settled)
        return settled

    def roster(self, settled: SettledRoom) -> Roster:
        """Who is in a room."""
        members = replay(self.table.members(settled.room), settled.due)
        leaving = settled.head.leaving(members)
        return Roster(members, {user: group.t for user, group in leaving.items()})

    def roster_at(self, settled: SettledRoom, at: int, now: int) -> Roster:
        """Who was in a room at a moment, by all that is known now.

        Args:
            settled: the room, settled as of now.
            at: unix ms, not later than now.
            now: unix ms.

        Raises:
            HistoryGone: the history of that moment is not kept any more.
        """
        room = settled.room
        later: Sequence[Change] = ()
        if room.latest <= at:
            start = self.table.members(room)
        elif at < now - self._kept.history * DAY * 1000:
            raise HistoryGone
        else:
            start, later = self._from_before(room, at)
        transitions = [it for change in later for it in change.transitions]
        members = replay(start, (*transitions, *settled.due), until=at)
        groups = [group for group in settled.head.pending if group.t <= at]
        everyone = self.roster(settled).members if any(group.others for group in groups) else ()
        leaving = {
            user: group.t for group in groups for user in group.users(everyone) if user in members
        }
        return Roster(members, leaving)

    def playurls(self, place: ReporterKey) -> Mapping[str, str | None]:
        """The playurls in a member's newest list, by userid; empty without a list.

        It is empty, too, if the list was stored as a difference from a roster that is gone.
        """
        try:
            report = self.table.newest(place)
        except HistoryGone:
            return {}
        return {} if report is None or report.view is None else report.view.others

    def timeline(
        self, ref: RoomKey, time_range: TimeRange, after: int | None, limit: int
    ) -> TimelinePage:
        """Changes of a room with transitions in a time range, one page.

        Args:
            ref: the room.
            time_range: the time in which transitions happened.
            after: `TimelinePage.after` of the previous page; None: this is the first page.
            limit: most changes. A page may hold fewer, even none, though more follow.

        Raises:
            HistoryGone: the change after the previous page is not kept any more.
        """
        room = self.table.room(ref)
        newest = room.head.version
        start = self._before(room, time_range.first - 1) if after is None else after
        strict, page = after is not None, max(limit, _PAGE)
        shown: list[Change] = []
        most = MOST_SHOWN
        changes = self._consecutive(ref, start, newest, page, strict=strict)
        for read, change in enumerate(changes, start=1):
            kept = tuple(it for it in change.transitions if time_range.includes(it.t))
            if kept:
                shown.append(change._replace(transitions=kept))
                most -= len(kept)
            if change.version == newest or self._closes(change, time_range.last):
                break
            if len(shown) == limit or read == MOST_READ or most <= 0:
                return TimelinePage(shown, change.version)
        return TimelinePage(shown, None)

    def _from_before(
        self, room: RoomState, at: int
    ) -> tuple[Mapping[str, Member], Sequence[Change]]:
        """A roster without anything later than a moment, and the changes since that roster.

        Changes so late that they can't hold transitions up to that moment are left out.
        """
        start = self._before(room, at)
        changes: list[Change] = []
        for change in self._consecutive(room.ref, start, room.head.version):
            changes.append(change)
            if self._closes(change, at):
                break
        if not changes:  # Even the newest change is deleted: less was kept when it was written.
            raise HistoryGone
        if not _size_before(changes[0]):
            return {}, changes
        return self.table.members_at(room.ref, start), changes

    def _before(self, room: RoomState, at: int) -> int:
        """The last version up to which no transition is later than a moment; 0: there is none.

        A deleted change counts as earlier: it was recorded, so it happened, before the time for
        which history is kept.
        """
        if room.latest <= at:
            return room.head.version
        if at < 0:
            return 0

        def latest(version: int) -> int:
            change = self.table.change(room.ref, version)
            return change.latest if change else 0

        return bisect_right(range(1, room.head.version + 1), at, key=latest)

    def _consecutive(
        self, ref: RoomKey, after: int, upto: int, page: int = 0, *, strict: bool = True
    ) -> Iterator[Change]:
        """Changes of consecutive versions.

        Args:
            ref: the room.
            after: the version before the first one.
            upto: the last version.
            page: most changes read at once; 0: as many as an answer holds.
            strict: the first change must be of version ``after + 1``; else it is the oldest that
                is stored.

        Raises:
            HistoryGone: a change is missing.
        """
        for change in self.table.changes(ref, after, upto, page):
            if strict and change.version != after + 1:
                raise HistoryGone
            strict, after = True, change.version
            yield change
        if strict and after != upto:
            raise HistoryGone

    def _closes(self, change: Change, at: int) -> bool:
        """Whether no later version can hold transitions up to a moment.

        The room is empty after this change, so a later leave needs a later join. And this change
        was recorded so long after the moment that no join of that time can still be recorded.
        """
        late = (self._kept.reports + _LATE_DAYS) * DAY * 1000
        return not change.size and change.at > at + late


def _size_before(change: Change) -> int:
    return change.size - sum(1 if it.joined else -1 for it in change.transitions)
