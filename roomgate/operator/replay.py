"""A room folded once more from all that is stored of it, beside what its roster says.

Heartbeats are not stored, so a replay knows nothing of leases: it takes over who left by one. Nor
does it know of reports that are garbage by now: it begins with the roster from before those that
are left.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.roster.fold import fold
from chalicelib.roster.head import Head, Lease
from chalicelib.roster.known import MOST_PAST, MOST_RECENT, Known, Needs
from chalicelib.roster.members import Reason, replay
from chalicelib.roster.signal import Kind, PastReport, Source
from chalicelib.roster.timeouts import settled_members
from chalicelib.roster.userlist import MOST_USERS
from chalicelib.roster.view import set_hash
from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.reports import signal_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.roster.members import Member
    from chalicelib.roster.signal import Signal
    from chalicelib.table.archive import Archive
    from chalicelib.table.rooms import Change, RoomState
    from chalicelib.table.table import EventTable

MOST_MEMBERS: Final = MOST_USERS + 1


class Story(NamedTuple):
    """What is stored of a room.

    Attributes:
        version: of the roster that the replay begins with.
        members: that roster.
        changes: all since, oldest first.
        signals: reports and callbacks since, in the order in which they came in.
    """

    version: int
    members: Mapping[str, Member]
    changes: Sequence[Change]
    signals: Sequence[Signal]


def story_of(
    table: EventTable, archive: Archive, room: RoomState, *, thorough: bool = False
) -> Story:
    """Read a room's story.

    Args:
        table: the event table.
        archive: likewise.
        room: the room.
        thorough: look through the whole table for who has reported, and not only at those whom the
            room's history names.

    Raises:
        HistoryGone: a report refers to a roster that is not kept any more.
        StoreUnavailable: as reading does.
    """
    ref = room.ref
    changes = list(table.changes(ref, 0, room.head.version))
    seen = [each for change in changes for each in change.transitions]
    users = {name for each in seen for name in (each.user, each.by)}
    users |= table.members(room).keys()
    users |= archive.reporters(ref) if thorough else set()
    items = [
        item for user in sorted(users - {""}) for item in archive.reports(ReporterKey(*ref, user))
    ]
    signals = [signal_of(item, lambda version: table.members_at(ref, version)) for item in items]
    signals += [
        room_signal[1] for stored in archive.callbacks(ref) if (room_signal := stored.room_signal)
    ]
    signals.sort(key=lambda signal: signal.received)
    first = signals[0].received if signals else 0
    version = max((change.version for change in changes if change.at < first), default=0)
    later = [change for change in changes if change.version > version]
    return Story(version, table.members_at(ref, version), later, signals)


def replayed(story: Story, now: int) -> set[str]:
    """Who is in the room by all that is stored of it, at unix ms ``now``."""
    members = dict(story.members)
    head = Head(
        version=story.version,
        revision=story.version,
        hash=set_hash(members),
        size=len(members),
    )
    stored: dict[str, list[PastReport]] = defaultdict(list)
    for signal in story.signals:
        came_in = signal.received
        head = head._replace(lease=Lease(came_in))
        mine = stored[signal.user]
        if signal.source is not Source.TENCENT:
            mine.append(_said(signal))
            mine.sort(reverse=True)
        known = Known(members, tuple(mine[:MOST_PAST]), tuple(mine[:MOST_RECENT]))
        while isinstance(
            folded := fold(head, signal, known, now=came_in, most=MOST_MEMBERS), Needs
        ):
            known = known._replace(words={user: _last(stored[user]) for user in folded.users})
        head, members = folded.head, replay(members, folded.transitions)
    head = head._replace(lease=Lease(now))
    return set(settled_members(head, now, members)) - _left_by_lease(story)


def _last(reports: Sequence[PastReport]) -> PastReport | None:
    return reports[0] if reports else None


def _said(signal: Signal) -> PastReport:
    """What a report says in hindsight, its list whole."""
    if signal.kind is Kind.LEFT:
        return PastReport(signal.order, signal.t, signal.received, "", 0)
    listed = {signal.user, *signal.listed}
    said = PastReport(signal.order, signal.t, signal.received, signal.hash, len(listed))
    return said._replace(plus=listed, asked=signal.asked)


def _left_by_lease(story: Story) -> set[str]:
    """Who left since nothing was heard of the room, and has not reported since."""
    last = {
        each.user: (each.reason, change.at)
        for change in story.changes
        for each in change.transitions
    }
    heard = {signal.user: signal.received for signal in story.signals}
    return {
        user
        for user, (reason, at) in last.items()
        if reason is Reason.LEASE and heard.get(user, 0) <= at
    }
