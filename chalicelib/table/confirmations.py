"""Own words: which members of a room, named by others when they came, have reported since.

A head knows by whose word each member came. What they say of themselves later mostly agrees with
it, and then nothing is written; so it is looked up where it is asked for.
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
    from chalicelib.table.history import Standing
    from chalicelib.table.item_keys import RoomKey
    from chalicelib.table.table import EventTable

    _Stay = tuple[RoomKey, str, int]

MOST_MEMBERS: Final = 50
"""Of a room in which it is looked up: each member that others named costs half a read unit."""

MOST_KNOWN: Final = 10_000
"""Stays that are known to be confirmed: about 3 MB."""

_WORKERS: Final = 8


class Confirmations:
    """Looks up who has spoken for itself, and remembers that.

    Args:
        table: the event table; for threads.
        most: stays after which what is known is forgotten.
    """

    def __init__(self, table: EventTable, most: int = MOST_KNOWN) -> None:
        self._table = table
        self._most = most
        self._known: set[_Stay] = set()

    def of(
        self, standing: Standing, members: Callable[[], Mapping[str, Member]]
    ) -> AbstractSet[str]:
        """Members of a room whose own lists say that they are in it, since they came.

        Args:
            standing: the room; one of over 50 members costs nothing, and nobody is named.
            members: who is in it; those who came by their own word, or Tencent's, are passed over.

        Raises:
            StoreUnavailable: try again.
        """
        if standing.head.size > MOST_MEMBERS:
            return frozenset()
        ref = standing.room.ref
        asked = {
            (ref, user, member.since): user
            for user, member in members().items()
            if not vouched_for(user, member)
        }
        known = asked.keys() & self._known
        known |= self._found(asked.keys() - known)
        if len(self._known) > self._most:
            self._known.clear()
        self._known |= known
        return {asked[stay] for stay in known}

    def _found(self, stays: Collection[_Stay]) -> set[_Stay]:
        with ThreadPoolExecutor(_WORKERS) as pool:
            found = pool.map(self._spoke, stays)
            return {stay for stay, spoke in zip(stays, found, strict=True) if spoke}

    def _spoke(self, stay: _Stay) -> bool:
        ref, user, since = stay
        said = self._table.said_last(ReporterKey(*ref, user))
        # Clocks differ; as in the fold, within so much one list is as new as another.
        return said is not None and bool(said.members) and said.t >= since - STRAGGLER
