"""Caches rosters by version: who was in a room as of a version never changes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.roster.members import Member
    from chalicelib.table.item_keys import RoomKey

MOST_MEMBERS: Final = 50_000
"""Most members in all cached rosters together; about 10 MB."""


class RosterCache:
    """The newest roster of each room, least recently used rooms dropped first; for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[RoomKey, tuple[int, Mapping[str, Member]]] = OrderedDict()
        self._members = 0

    def nearest(
        self, ref: RoomKey, least: int, most: int
    ) -> tuple[int, Mapping[str, Member]] | None:
        """The cached version and its members if it is from ``least`` to ``most``, else None."""
        with self._lock:
            kept = self._kept.get(ref)
            if kept is None or not least <= kept[0] <= most:
                return None
            self._kept.move_to_end(ref)
            return kept

    def keep(self, ref: RoomKey, version: int, members: Mapping[str, Member]) -> None:
        """Cache a roster, unless a newer one of the room is cached."""
        with self._lock:
            kept = self._kept.get(ref)
            if kept is not None and kept[0] >= version:
                return
            self._members += len(members) - (len(kept[1]) if kept else 0)
            self._kept[ref] = (version, members)
            self._kept.move_to_end(ref)
            while self._members > MOST_MEMBERS and len(self._kept) > 1:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._members -= len(dropped)
