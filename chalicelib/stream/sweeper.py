"""sweeper: settles rooms in which something is due, whether or not anybody reports.

Leaves whose waiting time is over take effect, and rooms whose lease is over are closed. The index
of open rooms orders them by the minute at which something is due. A run ends when its time is over;
what is left is still due in the next run.
"""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws_errors import reason_of
from chalicelib.stream.keeper import WORKERS
from chalicelib.table.errors import StoreUnavailable
from chalicelib.table.item_keys import SHARDS, RoomKey, shard_pk
from chalicelib.table.rooms import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from chalicelib.table.item_keys import Item
    from chalicelib.table.items import Items
    from chalicelib.table.writer import RoomWriter

PAGE: Final = 100
"""Keys of rooms that are read at once from a shard of the index: less than 16 KB."""

_UNREADABLE = (StoreUnavailable, ClientError, BotoCoreError)


class SweepResult:
    """What a run did; for threads.

    Attributes:
        settled: rooms in which everything due was done.
        left: shards of the index that were not finished when time was over.
        lag: ms since something came due in the room that has waited longest.
        reasons: why rooms, or shards of the index, failed, and how often.
    """

    def __init__(self) -> None:
        self.settled = 0
        self.left = 0
        self.lag = 0
        self.reasons = Counter[str]()
        self._lock = Lock()

    def note_lag(self, lag: int) -> None:
        """Record a room in which something came due so many ms ago."""
        with self._lock:
            self.lag = max(self.lag, lag)

    def note_settled(self) -> None:
        """Record a room in which everything due was done."""
        with self._lock:
            self.settled += 1

    def fail(self, error: Exception) -> None:
        """Record a failure."""
        with self._lock:
            self.reasons[reason_of(error)] += 1


class Sweeper:
    """Sweeps rooms.

    Args:
        items: of the event table; for threads.
        writer: settles rooms; for threads.
        workers: shards of the index that are worked on side by side.
    """

    def __init__(self, items: Items, writer: RoomWriter, workers: int = WORKERS) -> None:
        self._items = items
        self._writer = writer
        self._workers = workers

    def sweep(
        self, applications: Iterable[int], now: int, is_over: Callable[[], bool]
    ) -> SweepResult:
        """Settle what is due, one room of each shard in turn, the longest due first.

        A room that fails does not hold up others; it is due again in the next run.

        Args:
            applications: sdkAppIds of the stack.
            now: unix ms.
            is_over: whether the time of this run is over; for threads.
        """
        result = SweepResult()
        minute = now // MINUTE_MS
        shards = deque(
            self._items.due(shard_pk(app, shard), minute, PAGE)
            for app in applications
            for shard in range(SHARDS)
        )

        def work() -> None:
            while shards and not is_over():
                shard = _take(shards)  # No other worker has it meanwhile.
                key = self._next_room(shard, result)
                if key is not None:
                    self._settle(key, now, result)
                    shards.append(shard)

        with ThreadPoolExecutor(self._workers) as pool:
            futures = [pool.submit(work) for _ in range(self._workers)]
        for future in futures:
            future.result()
        result.left = len(shards)
        return result

    def _next_room(self, shard: Iterator[Item], result: SweepResult) -> Item | None:
        try:
            return next(shard, None)
        except _UNREADABLE as error:
            result.fail(error)
            return None

    def _settle(self, key: Item, now: int, result: SweepResult) -> None:
        result.note_lag(now - int(key["due"]["N"]) * MINUTE_MS)
        try:
            self._writer.settle(RoomKey.of(key["pk"]["S"]), now)
        except Exception as error:  # noqa: BLE001 (counted, with a metric that an alarm watches)
            result.fail(error)
            return
        result.note_settled()


def _take(shards: deque[Iterator[Item]]) -> Iterator[Item]:
    """The next shard; an empty one if other workers have taken all."""
    try:
        return shards.popleft()
    except IndexError:
        return iter(())
