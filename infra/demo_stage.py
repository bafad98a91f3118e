"""The real fold over the real event table, on a stand-in in this process, at a time that we say."""

from __future__ import annotations

import random
from collections import Counter
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final, cast

from chalicelib.events.archive import Archive
from chalicelib.events.folder import Folder
from chalicelib.events.rooms import MINUTE_MS, due_minute
from chalicelib.events.table import EventTable
from chalicelib.roster.settle import due
from infra.demo_clients import Beaten, Called, transit
from infra.standins.dynamodb import DynamoDBStandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.events.keys import RoomRef
    from chalicelib.events.rooms import RoomState
    from infra.demo_clients import Listed, Said, Sent

_TABLE: Final = "events"


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
        self.client = DynamoDBStandIn()
        self._dynamodb = cast("DynamoDBClient", self.client)
        self.table = EventTable(self._dynamodb, _TABLE)
        self.done = Counter[str]()
        self._folder = Folder(self.table)
        self._chance = random.Random(seed)  # noqa: S311 (nothing secret)
        self._asked: list[tuple[int, int, Listed]] = []
        self._numbers = count()
        self._due: dict[RoomRef, int] = {}
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
            self._sweep(received)
            reached(received)
            self._hear(said, received)
            # What a stream would tell is not asked for here.
            self.client.log.clear()
        self._sweep(until)

    def _hear(self, said: Said, now: int) -> None:
        if isinstance(said, Called):
            stored = said.stored(now)
            self.done[self._folder.take_callback(stored, now)] += 1
            self._expect(self.table.room(said.call.ref))
            return
        if isinstance(said, Beaten):
            ref = said.client.room.call.ref
            taken = self._folder.hear(ref, said.signal(now), now)
        else:
            taken = self._folder.take(said.report(now), now)
        self.done[taken.outcome] += 1
        self._expect(taken.room)
        if taken.resend and isinstance(said, Beaten):
            again = now + transit(self._chance)
            heappush(self._asked, (again, next(self._numbers), said.last))

    def _resend(self, now: int, last: Listed) -> None:
        """A client was asked for its list, and sends it as it is now."""
        users = last.client.room.at(now)
        if last.client.stay.user in users:
            again = last._replace(users=users, seq=last.seq + 1, age=0, resent=True)
            self._hear(again, now)

    def _expect(self, room: RoomState) -> None:
        """Note when a room is due next, as the index of open rooms does."""
        when = due(room.head)
        self._due.pop(room.ref, None)
        if when is not None:
            self._due[room.ref] = due_minute(when)

    def _sweep(self, until: int) -> None:
        """At each minute that has begun, settle the rooms that are due, as the sweeper does."""
        minute = until // MINUTE_MS
        if not self._minute:
            self._minute = minute
        for each in range(self._minute + 1, minute + 1):
            for ref in [ref for ref, when in self._due.items() if when <= each]:
                self._expect(self._folder.settle(ref, each * MINUTE_MS))
        self._minute = minute
