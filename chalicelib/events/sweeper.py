"""The sweeper: settles rooms in which something is due, whether or not anybody reports.

Leaves that have waited long enough count, and rooms that nothing was heard of are closed. What is
due stands in the index of open rooms by the minute. One run does so much and no more: what is left
is still due in the next.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.events.keeper import reason_of
from chalicelib.events.keys import SHARDS, RoomRef, shard_pk
from chalicelib.events.refusals import StoreUnavailable
from chalicelib.events.rooms import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from chalicelib.events.folder import Folder
    from chalicelib.events.keys import Item
    from chalicelib.events.operations import Items

PAGE: Final = 100
"""Rooms of a shard whose keys are read at once: less than 16 KB."""

_UNREADABLE = (StoreUnavailable, ClientError, BotoCoreError)


class Swept:
    """What a run did.

    Attributes:
        settled: rooms that were looked at, and in which everything due is done.
        left: parts of the index that were not worked off, since time was over.
        lag: ms since the room came due that has waited longest of those that were seen.
        reasons: of rooms, and parts of the index, that failed.
    """

    def __init__(self) -> None:
        self.settled = 0
        self.left = 0
        self.lag = 0
        self.reasons = Counter[str]()


class Sweeper:
    """Sweeps rooms.

    Args:
        items: of the event table.
        folder: settles.
    """

    def __init__(self, items: Items, folder: Folder) -> None:
        self._items = items
        self._folder = folder

    def sweep(self, applications: Iterable[int], now: int, over: Callable[[], bool]) -> Swept:
        """Settle what is due, in turn from each part of the index, the longest due first.

        A room that fails keeps no other one waiting; it is due again in the next run.

        Args:
            applications: of the stack.
            now: unix ms.
            over: whether the time of this run is over.
        """
        swept = Swept()
        minute = now // MINUTE_MS
        parts = deque(
            self._items.due(shard_pk(app, shard), minute, PAGE)
            for app in applications
            for shard in range(SHARDS)
        )
        while parts and not over():
            part = parts.popleft()
            key = self._next(part, swept)
            if key is not None:
                self._settle(key, now, swept)
                parts.append(part)
        swept.left = len(parts)
        return swept

    def _next(self, part: Iterator[Item], swept: Swept) -> Item | None:
        try:
            return next(part, None)
        except _UNREADABLE as error:
            swept.reasons[reason_of(error)] += 1
            return None

    def _settle(self, key: Item, now: int, swept: Swept) -> None:
        swept.lag = max(swept.lag, now - int(key["due"]["N"]) * MINUTE_MS)
        try:
            self._folder.settle(RoomRef.of(key["pk"]["S"]), now)
        except Exception as error:  # noqa: BLE001 (told, with a metric that an alarm watches)
            swept.reasons[reason_of(error)] += 1
            return
        swept.settled += 1
