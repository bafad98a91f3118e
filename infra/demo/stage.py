"""The real fold over the real event table, on a stand-in in this process, at a time that we say."""

from __future__ import annotations

import random
from collections import Counter
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final, cast

from chalicelib.stream.sweeper import Sweeper
from chalicelib.table.archive import Archive
from chalicelib.table.items import Items
from chalicelib.table.rooms import MINUTE_MS
from chalicelib.table.table import EventTable, Retention
from chalicelib.table.writer import RoomWriter
from infra.demo.clients import Beaten, Called, transit
from infra.demo.day import APPLICATIONS
from infra.emulators.dynamodb import DynamoDBEmulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_dynamodb import DynamoDBClient

    from infra.demo.clients import Client, Said, Sent

MINUTES_A_DAY: Final = 24 * 60

_TABLE: Final = "events"
_KEPT: Final = Retention(reports=1)
"""Reports are most of what is stored, and are not looked at a day later."""


class Stage:
    """A webhook, a sweeper and a table.

    Args:
        seed: of how long answers to what is asked take.

    Attributes:
        client: the stand-in.
        table: the event table.
        done: how much of what was said had which outcome.
    """

    def __init__(self, seed: int) -> None:
        self.client = DynamoDBEmulator()
        self._dynamodb = cast("DynamoDBClient", self.client)
        self.table = EventTable(self._dynamodb, _TABLE, _KEPT)
        self.done = Counter[str]()
        self._folder = RoomWriter(self.table)
        self._chance = random.Random(seed)  # noqa: S311 (nothing secret)
        self._asked: list[tuple[int, int, Client]] = []
        self._numbers = count()
        # One room after another, lest a seed make another day each time.
        self._sweeper = Sweeper(Items(self._dynamodb, _TABLE), self._folder, workers=1)
        self._minute = 0

    @property
    def archive(self) -> Archive:
        """All that is stored."""
        return Archive(self._dynamodb, _TABLE)

    def play(self, sent: Iterable[Sent], until: int, reached: Callable[[int], None]) -> None:
        """Take all in that is said, and let time go on until unix ms ``until``."""
        for received, said in sent:
            while self._asked and self._asked[0][0] <= received:
                self._resend(*heappop(self._asked)[::2])
            reached(received)
            self._hear(said, received)
            # What a stream would tell is not asked for here.
            self.client.log.clear()
        self._sweep(until)

    def _hear(self, said: Said, now: int) -> None:
        self._sweep(now)
        if isinstance(said, Called):
            stored = said.stored(now)
            self.done[self._folder.record_callback(stored, now)] += 1
            return
        if isinstance(said, Beaten):
            ref = said.client.room.call.ref
            taken = self._folder.apply(ref, said.signal(now), now)
        else:
            taken = self._folder.record(said.report(now), now)
        self.done[taken.outcome] += 1
        if taken.resend and isinstance(said, Beaten):
            again = now + transit(self._chance)
            heappush(self._asked, (again, next(self._numbers), said.client))

    def _resend(self, now: int, client: Client) -> None:
        """A client was asked for its list, and sends it as it is now, if it still can."""
        again = client.again(now)
        if again is not None:
            self._hear(again, now)

    def _sweep(self, until: int) -> None:
        """Let the sweeper run in each minute that has begun since it last did."""
        begun = until // MINUTE_MS
        for minute in range(self._minute + 1 if self._minute else begun, begun + 1):
            self._sweeper.sweep(APPLICATIONS, minute * MINUTE_MS, lambda: False)
            if minute % MINUTES_A_DAY == 0:
                self._expire(minute * 60)
        self._minute = begun

    def _expire(self, now: int) -> None:
        """Delete what is garbage at unix seconds ``now``, as DynamoDB does."""
        for item in self.archive.everything():
            if "ttl" in item and int(item["ttl"]["N"]) < now:
                self.archive.delete(item)
