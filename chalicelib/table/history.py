"""The history of rooms, read: who is in one, who was at a past moment, who came and who went.

What is shown is the settled view: leaves that have waited long enough and leases that are over
count, though nobody may have written that yet. Nothing is written here.

A transition may be recorded long after it happened: a leave when its grace or the lease is over, a
report that waited in a queue when it comes in. So versions are not in the order of their
transitions' times, and what happened by a moment is known only from all versions since.
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
"""Versions that one page of a timeline looks into, some 200 KB of them."""

MOST_SHOWN: Final = 10_000
"""Transitions after which a page ends: each takes up to 190 bytes of the 6 MB that Lambda answers.

One version may bring as many again: 5,000 members go and others come.
"""

_PAGE: Final = 100  # Versions read at once at least: 100 of them are some 20 KB, 5 read units.

_LATE_DAYS: Final = 3
"""Days, besides those that reports are kept, by which a join may be recorded late at most.

A report may be a day old when it comes in, and DynamoDB may take two to delete it (AWS: "within a
few days"); as long as it is there, it may be folded.
"""


class Standing(NamedTuple):
    """A room as it stands at a moment.

    Attributes:
        room: as it is written.
        head: its head with all done that is due.
        due: what that is; nobody may have written it yet.
    """

    room: RoomState
    head: Head
    due: tuple[Transition, ...]


class Roster(NamedTuple):
    """Who is, or was, in a room.

    Attributes:
        members: by userid, those about to leave among them.
        leaving: who is about to leave, and since when it is not named any more, in unix ms.
    """

    members: Mapping[str, Member]
    leaving: Mapping[str, int]

    @property
    def hash(self) -> str:
        """`set_hash` of the members that are not about to leave: what their lists should state."""
        return set_hash(self.members.keys() - self.leaving.keys())


class Window(NamedTuple):
    """Times, in unix ms, from the first to the last."""

    first: int
    last: int


class Page(NamedTuple):
    """A part of a timeline.

    Attributes:
        changes: oldest first, each with those of its transitions that were asked for.
        after: the version after which the rest begins; None: there is none.
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

    def standing(self, ref: RoomKey, now: int) -> Standing:
        """A room as it stands; an empty one if it was never seen.

        Raises:
            StoreUnavailable: as all that follows.
        """
        room = self.table.room(ref)
        head, due = self._settled(room, now)
        return Standing(room, head, due)

    def _settled(self, room: RoomState, now: int) -> Settled:
        settled = settle(room.head, now, Known())
        if isinstance(settled, Needs):
            settled = settle(room.head, now, Known(self.table.members(room)))
            assert isinstance(settled, Settled)
        return settled

    def roster(self, standing: Standing) -> Roster:
        """Who is in a room."""
        members = replay(self.table.members(standing.room), standing.due)
        leaving = standing.head.leaving(members)
        return Roster(members, {user: group.t for user, group in leaving.items()})

    def roster_at(self, standing: Standing, at: int, now: int) -> Roster:
        """Who was in a room at a moment, as far as is known by now.

        Args:
            standing: the room as it stands now.
            at: unix ms, not later than now.
            now: unix ms.

        Raises:
            HistoryGone: that is not kept any more.
        """
        room = standing.room
        later: Sequence[Change] = ()
        if room.latest <= at:
            start = self.table.members(room)
        elif at < now - self._kept.history * DAY * 1000:
            raise HistoryGone
        else:
            start, later = self._from_before(room, at)
        transitions = [each for change in later for each in change.transitions]
        members = replay(start, (*transitions, *standing.due), until=at)
        groups = [group for group in standing.head.pending if group.t <= at]
        everyone = self.roster(standing).members if any(each.others for each in groups) else ()
        leaving = {
            user: group.t for group in groups for user in group.users(everyone) if user in members
        }
        return Roster(members, leaving)

    def playurls(self, place: ReporterKey) -> Mapping[str, str | None]:
        """The playurls in a member's newest list, by userid; nothing if that is not there.

        A list that was stored as a difference from a roster that is gone knows none any more.
        """
        try:
            report = self.table.newest(place)
        except HistoryGone:
            return {}
        return {} if report is None or report.view is None else report.view.others

    def timeline(self, ref: RoomKey, window: Window, after: int | None, limit: int) -> Page:
        """Versions of a room that hold transitions of some time.

        Args:
            ref: the room.
            window: when the transitions happened.
            after: the version that the page before ended with; None: this is the first page.
            limit: most versions. There may be fewer, or none at all, though more follow.

        Raises:
            HistoryGone: what follows the page before is not kept any more.
        """
        room = self.table.room(ref)
        newest = room.head.version
        start = self._before(room, window.first - 1) if after is None else after
        strict, page = after is not None, max(limit, _PAGE)
        shown: list[Change] = []
        most = MOST_SHOWN
        changes = self._led(ref, start, newest, page, strict=strict)
        for read, change in enumerate(changes, start=1):
            kept = tuple(t for t in change.transitions if window.first <= t.t <= window.last)
            if kept:
                shown.append(change._replace(transitions=kept))
                most -= len(kept)
            if change.version == newest or self._closes(change, window.last):
                break
            if len(shown) == limit or read == MOST_READ or most <= 0:
                return Page(shown, change.version)
        return Page(shown, None)

    def _from_before(
        self, room: RoomState, at: int
    ) -> tuple[Mapping[str, Member], Sequence[Change]]:
        """A roster in which nothing is later than a moment, and the changes since.

        Those that can't tell of the time before it any more are left out.
        """
        start = self._before(room, at)
        changes: list[Change] = []
        for change in self._led(room.ref, start, room.head.version):
            changes.append(change)
            if self._closes(change, at):
                break
        if not changes:  # The newest one, too, was written when less was kept.
            raise HistoryGone
        if not _size_before(changes[0]):
            return {}, changes
        return self.table.members_at(room.ref, start), changes

    def _before(self, room: RoomState, at: int) -> int:
        """The last version up to which nothing is later than a moment; 0: there is none.

        What is not there any more counts as earlier: it was recorded, so it happened, before the
        time for which history is kept.
        """
        if room.latest <= at:
            return room.head.version
        if at < 0:
            return 0

        def latest(version: int) -> int:
            change = self.table.change(room.ref, version)
            return change.latest if change else 0

        return bisect_right(range(1, room.head.version + 1), at, key=latest)

    def _led(
        self, ref: RoomKey, after: int, upto: int, page: int = 0, *, strict: bool = True
    ) -> Iterator[Change]:
        """Changes, one following the other.

        Args:
            ref: the room.
            after: the version before the first one.
            upto: the last version.
            page: see `EventTable.changes`.
            strict: the first one must follow, too; else it is the oldest that is there.

        Raises:
            HistoryGone: one is not there any more.
        """
        for change in self.table.changes(ref, after, upto, page):
            if strict and change.version != after + 1:
                raise HistoryGone
            strict, after = True, change.version
            yield change
        if strict and after != upto:
            raise HistoryGone

    def _closes(self, change: Change, at: int) -> bool:
        """Whether no later version tells of a moment, or of the time before it.

        The room is empty, so all that leave later must join before; and a join is not recorded so
        late as this.
        """
        late = (self._kept.reports + _LATE_DAYS) * DAY * 1000
        return not change.size and change.at > at + late


def _size_before(change: Change) -> int:
    return change.size - sum(1 if each.joined else -1 for each in change.transitions)
