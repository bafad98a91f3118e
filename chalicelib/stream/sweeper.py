"""The sweeper: settles rooms in which something is due, whether or not anybody reports.

Leaves that have waited long enough count, and rooms that nothing was heard of are closed. What is
due stands in the index of open rooms by the minute. One run does so much and no more: what is left
is still due in the next.
"""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.stream.keeper import WORKERS, reason_of
from chalicelib.table.errors import StoreUnavailable
from chalicelib.table.item_keys import SHARDS, RoomKey, shard_pk
from chalicelib.table.rooms import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from chalicelib.table.item_keys import Item
    from chalicelib.table.items import Items
    from chalicelib.table.writer import RoomWriter

PAGE: Final = 100
"""Rooms of a shard whose keys are read at once: less than 16 KB."""

_UNREADABLE = (StoreUnavailable, ClientError, BotoCoreError)


class Swept:
    """What a run did; for threads.

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
        self._lock = Lock()

    def see(self, lag: int) -> None:
        """Note a room that came due so many ms ago."""
        with self._lock:
            self.lag = max(self.lag, lag)

    def done(self) -> None:
        """Note a room in which everything due is done."""
        with self._lock:
            self.settled += 1

    def fail(self, error: Exception) -> None:
        """Note a failure."""
        with self._lock:
            self.reasons[reason_of(error)] += 1


class Sweeper:
    """Sweeps rooms.

    Args:
        items: of the event table; for threads.
        folder: settles; likewise.
        workers: parts of the index that are worked off side by side.
    """

    def __init__(self, items: Items, folder: RoomWriter, workers: int = WORKERS) -> None:
        self._items = items
        self._folder = folder
        self._workers = workers

    def sweep(self, applications: Iterable[int], now: int, over: Callable[[], bool]) -> Swept:
        """Settle what is due, in turn from each part of the index, the longest due first.

        A room that fails keeps no other one waiting; it is due again in the next run.

        Args:
            applications: of the stack.
            now: unix ms.
            over: whether the time of this run is over; for threads.
        """
        swept = Swept()
        minute = now // MINUTE_MS
        parts = deque(
            self._items.due(shard_pk(app, shard), minute, PAGE)
            for app in applications
            for shard in range(SHARDS)
        )

        def work() -> None:
            while parts and not over():
                part = _next(parts)  # Nobody else has it meanwhile.
                key = self._first(part, swept)
                if key is not None:
                    self._settle(key, now, swept)
                    parts.append(part)

        with ThreadPoolExecutor(self._workers) as pool:
            done = [pool.submit(work) for _ in range(self._workers)]
        for each in done:
            each.result()
        swept.left = len(parts)
        return swept

    def _first(self, part: Iterator[Item], swept: Swept) -> Item | None:
        try:
            return next(part, None)
        except _UNREADABLE as error:
            swept.fail(error)
            return None

    def _settle(self, key: Item, now: int, swept: Swept) -> None:
        swept.see(now - int(key["due"]["N"]) * MINUTE_MS)
        try:
            self._folder.settle(RoomKey.of(key["pk"]["S"]), now)
        except Exception as error:  # noqa: BLE001 (told, with a metric that an alarm watches)
            swept.fail(error)
            return
        swept.done()


def _next(parts: deque[Iterator[Item]]) -> Iterator[Item]:
    """The next part; an empty one if others have all that are left."""
    try:
        return parts.popleft()
    except IndexError:
        return iter(())
