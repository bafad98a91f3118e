"""The event table: reads and conditional writes of reports, heads, changes and snapshots.

All reads are strong but those of what is written once and missed when it is not there.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.roster.codec import members_of
from chalicelib.roster.known import MOST_PAST, MOST_RECENT
from chalicelib.roster.members import replay
from chalicelib.table.callback_items import decode_callback, encode_callback
from chalicelib.table.errors import HistoryGone, ReportConflict
from chalicelib.table.item_keys import change_key, head_key, number_of, report_key, snapshot_key
from chalicelib.table.items import Items
from chalicelib.table.list_codec import read
from chalicelib.table.reports import report_item, report_of, said_of, same_as_stored
from chalicelib.table.rooms import (
    DAY,
    RoomState,
    beside,
    change_of,
    snapshot_of,
    state_of,
    written_room,
)
from chalicelib.table.roster_cache import RosterCache

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.roster.fold import Folded
    from chalicelib.roster.members import Member
    from chalicelib.roster.signal import PastReport
    from chalicelib.table.callback_items import StoredCallback
    from chalicelib.table.item_keys import Item, ReporterKey, RoomKey
    from chalicelib.table.reports import DeltaBase, Report
    from chalicelib.table.rooms import Change, Load

REPORT_DAYS: Final = 7
HISTORY_DAYS: Final = 90


class Retention(NamedTuple):
    """How long things are kept, in days.

    Attributes:
        reports: days after which a report may be deleted, as garbage.
        history: days after which a change, a snapshot or an ended session may be deleted.
    """

    reports: int = REPORT_DAYS
    history: int = HISTORY_DAYS

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Retention:
        """As the environment of a function says."""
        return cls(
            int(environ.get("ROOMGATE_REPORT_DAYS", REPORT_DAYS)),
            int(environ.get("ROOMGATE_HISTORY_DAYS", HISTORY_DAYS)),
        )


USUALLY: Final = Retention()


class EventTable:
    """The event table.

    Args:
        client: DynamoDB's.
        name: the table's name.
        kept: how long things are kept.
    """

    def __init__(self, client: DynamoDBClient, name: str, kept: Retention = USUALLY) -> None:
        self._items = Items(client, name)
        self._kept = kept
        self._rosters = RosterCache()

    def room(self, ref: RoomKey) -> RoomState:
        """A room as it stands now; an unwritten state for one that was never seen.

        Raises:
            StoreUnavailable: as all that follows.
        """
        item = self._items.get(head_key(ref))
        return RoomState(ref) if item is None else state_of(item)

    def store(self, report: Report, room: RoomState, members: Load) -> Report | None:
        """Store a report, once; durable when this returns.

        Args:
            report: the report.
            room: its room, as it was read just now.
            members: reads the members as of that.

        Returns:
            None; or, if it was stored before, that report, with the times at which it came in
            first. Its first try may have died half-way, or be this very call, whose answer was lost
            and which the client library sent again: so whatever follows is to be done all the same.

        Raises:
            ReportConflict: its (epoch, seq) was reported before, with another list.
            ListTooLarge: nothing was written.
            StoreUnavailable: it may be stored or not; send it again.
        """
        ttl = report.received // 1000 + self._kept.reports * DAY
        stored = self._items.put_once(_item_of(report, ttl, beside(room, members)))
        if stored is None:
            return None
        if not same_as_stored(report, stored):
            raise ReportConflict
        received, age = int(stored["received"]["N"]), int(stored["age"]["N"])
        return report._replace(received=received, age=age, resent="resent" in stored)

    def store_callback(self, stored: StoredCallback) -> StoredCallback | None:
        """Store a callback, once; durable when this returns.

        Returns:
            None; or, if it was stored before, as that one is: with the time at which it came in.
        """
        ttl = stored.received // 1000 + self._kept.reports * DAY
        item = self._items.put_once(encode_callback(stored, ttl))
        return None if item is None else decode_callback(item)

    def past(self, place: ReporterKey) -> tuple[PastReport, ...]:
        """A reporter's newest reports, the newest first: a few of them."""
        return tuple(map(said_of, self._newest(place, MOST_PAST)))

    def recent(self, place: ReporterKey) -> tuple[PastReport, ...]:
        """Some more of them, as they stood a moment ago, for half the cost."""
        return tuple(map(said_of, self._newest(place, MOST_RECENT, strong=False)))

    def last_word(self, place: ReporterKey) -> PastReport | None:
        """A reporter's newest report."""
        return next(map(said_of, self._newest(place, 1)), None)

    def said_last(self, place: ReporterKey) -> PastReport | None:
        """A reporter's newest report, as it stood a moment ago."""
        return next(map(said_of, self._newest(place, 1, strong=False)), None)

    def newest(self, place: ReporterKey) -> Report | None:
        """A reporter's newest report, as far as it is not garbage yet.

        Raises:
            HistoryGone: it cannot be read any more.
        """
        for item in self._newest(place, 1):
            return report_of(item, lambda version: self.members_at(place.ref, version))
        return None

    def members(self, room: RoomState) -> Mapping[str, Member]:
        """Who is in a room as of a state of it, those about to leave among them."""
        if room.inline is not None:
            return members_of(json.loads(read(room.inline)))
        version = room.head.version
        known = self._rosters.nearest(room.ref, room.base, version)
        if known is None:
            known = (room.base, self._snapshot(room) if room.base else {})
        return self._led_on(room.ref, *known, version)

    def members_at(self, ref: RoomKey, version: int) -> Mapping[str, Member]:
        """Who was in a room by a version.

        Raises:
            HistoryGone: that is not kept any more.
        """
        known = self._rosters.nearest(ref, 0, version)
        if known is None:
            first, last = snapshot_key(ref, 0)["sk"], snapshot_key(ref, version)["sk"]
            newest = next(self._items.range(ref.pk, first, last, newest_first=True, page=1), None)
            known = (number_of(newest["sk"]["S"]), snapshot_of(newest)) if newest else (0, {})
        return self._led_on(ref, *known, version)

    def changes(self, ref: RoomKey, after: int, upto: int, page: int = 0) -> Iterator[Change]:
        """Changes of a room, oldest first, read as they are taken.

        Args:
            ref: the room.
            after: the version before the first one.
            upto: the last version.
            page: most changes read at once, or 0 for as many as an answer holds.
        """
        if after < upto:
            first, last = change_key(ref, after + 1)["sk"], change_key(ref, upto)["sk"]
            yield from map(change_of, self._items.range(ref.pk, first, last, page=page))

    def change(self, ref: RoomKey, version: int) -> Change | None:
        """One change of a room, or None if it is not there, or not any more."""
        item = self._items.get(change_key(ref, version))
        return None if item is None else change_of(item)

    def commit(self, room: RoomState, folded: Folded, members: Load, now: int) -> RoomState:
        """Write what became of a room, all of it or nothing.

        Args:
            room: as it was read.
            folded: what became of it.
            members: reads the members as of ``room``.
            now: unix ms.

        Raises:
            HeadMoved: somebody else was first.
            StoreUnavailable: it may be written or not.
        """
        after, (head, *others) = written_room(room, folded, members, now, self._kept.history)
        self._items.move(head, room.head.revision, others)
        return after

    def _snapshot(self, room: RoomState) -> Mapping[str, Member]:
        key = snapshot_key(room.ref, room.base)
        item = self._items.get(key, strong=False) or self._items.get(key)
        if item is None:
            raise HistoryGone
        return snapshot_of(item)

    def _newest(self, place: ReporterKey, many: int, *, strong: bool = True) -> list[Any]:
        first, last = report_key(place, 0, 0)["sk"], report_key(place, 10**13 - 1, 10**10 - 1)["sk"]
        items = self._items.range(
            place.pk, first, last, newest_first=True, page=many, strong=strong
        )
        return list(islice(items, many))

    def _led_on(
        self, ref: RoomKey, start: int, members: Mapping[str, Member], version: int
    ) -> Mapping[str, Member]:
        """Who was in a room by a version, from who was by an earlier one, and the changes since."""
        if start < version:
            led = self._replayed(ref, start, members, version, strong=False)
            led = led or self._replayed(ref, start, members, version, strong=True)
            if led is None:
                raise HistoryGone
            (members,) = led
        self._rosters.keep(ref, version, members)
        return members

    def _replayed(
        self,
        ref: RoomKey,
        start: int,
        members: Mapping[str, Member],
        version: int,
        *,
        strong: bool,
    ) -> tuple[Mapping[str, Member]] | None:
        """The members after some changes, or None if not all of these are found.

        A change is written once, so one that is found needs no strong read, and a gap shows.
        """
        first, last = change_key(ref, start + 1)["sk"], change_key(ref, version)["sk"]
        changes = [change_of(it) for it in self._items.range(ref.pk, first, last, strong=strong)]
        emptied = [at for at, change in enumerate(changes) if not change.size]
        if emptied:  # What was before counts no more, and may be gone.
            start, members = changes[emptied[-1]].version, {}
            changes = changes[emptied[-1] + 1 :]
        if [change.version for change in changes] != list(range(start + 1, version + 1)):
            return None
        return (replay(members, (it for change in changes for it in change.transitions)),)


def _item_of(report: Report, ttl: int, roster: DeltaBase) -> Item:
    """The item of a report; whole where the roster that it is written beside cannot be read."""
    try:
        return report_item(report, ttl, roster)
    except HistoryGone:
        return report_item(report, ttl, roster._replace(version=0))
