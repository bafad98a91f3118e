"""Looks up which members of a room have confirmed their presence by a report of their own.

A head holds whose evidence each member joined by. A member's own later report mostly changes
nothing, so nothing is written then. Therefore it is looked up when a roster is asked for.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from chalicelib.roster.head import STRAGGLER
from chalicelib.roster.members import vouched_for
from chalicelib.table.item_keys import ReporterKey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.members import Member
    from chalicelib.table.history import SettledRoom
    from chalicelib.table.item_keys import RoomKey
    from chalicelib.table.table import EventTable

    _Session = tuple[RoomKey, str, int]

MOST_MEMBERS: Final = 50
"""Largest room in which it is looked up: each unconfirmed member costs half a read unit."""

MOST_KNOWN: Final = 10_000
"""Sessions that are remembered as confirmed: about 3 MB."""

_WORKERS: Final = 8


class Confirmations:
    """Looks up who has reported for itself, and remembers the answer.

    Args:
        table: the event table; for threads.
        most: sessions after which all are forgotten.
    """

    def __init__(self, table: EventTable, most: int = MOST_KNOWN) -> None:
        self._table = table
        self._most = most
        self._known: set[_Session] = set()

    def of(
        self, settled: SettledRoom, members: Callable[[], Mapping[str, Member]]
    ) -> AbstractSet[str]:
        """Members whose own reports, since they joined, say that they are in the room.

        Args:
            settled: the room; for one of over 50 members nothing is read, and nobody is returned.
            members: reads its members; those whom they themselves or Tencent vouch for are left
                out.

        Raises:
            StoreUnavailable: try again.
        """
        if settled.head.size > MOST_MEMBERS:
            return frozenset()
        ref = settled.room.ref
        unconfirmed = {
            (ref, user, member.since): user
            for user, member in members().items()
            if not vouched_for(user, member)
        }
        known = unconfirmed.keys() & self._known
        known |= self._look_up(unconfirmed.keys() - known)
        if len(self._known) > self._most:
            self._known.clear()
        self._known |= known
        return {unconfirmed[session] for session in known}

    def _look_up(self, sessions: Collection[_Session]) -> set[_Session]:
        with ThreadPoolExecutor(_WORKERS) as pool:
            results = pool.map(self._has_reported, sessions)
            pairs = zip(sessions, results, strict=True)
            return {session for session, has_reported in pairs if has_reported}

    def _has_reported(self, session: _Session) -> bool:
        ref, user, since = session
        report = self._table.said_last(ReporterKey(*ref, user))
        # Clocks differ: as in the fold, reports within this time count as equally new.
        return report is not None and bool(report.members) and report.t >= since - STRAGGLER
