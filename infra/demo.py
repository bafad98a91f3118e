"""``make demo-data``: a day of lifelike rooms, so that there is something to ask and to look at.

    python -m infra.demo [--day 2026-03-02] [--days 1] [--scale 1] [--seed 1] [--folder .local/lake]

What clients and Tencent say goes through the real fold into a real event table, which is a stand-in
in this process; the clock is the day's. Then the table is exported as `roomgate events export`
does it. Demo data that was there before is replaced.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import sys
import time
from collections import Counter
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from chalicelib.events.archive import Archive
from chalicelib.events.folder import Folder
from chalicelib.events.rooms import DAY, MINUTE_MS, due_minute
from chalicelib.events.table import EventTable
from chalicelib.roster.settle import due
from infra.demo_clients import Beaten, Called, Listed, Sent, sent_in, transit
from infra.demo_day import HOUR, calls_of
from infra.layout import LOCAL
from infra.show import say
from infra.standins.dynamodb import DynamoDBStandIn
from roomgate.backfill import Seen, Wanted, rows_from, write_into
from roomgate.errors import OperatorError
from roomgate.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.events.keys import RoomRef
    from chalicelib.events.rooms import RoomState
    from infra.demo_clients import Said
    from infra.demo_day import Call

DAY_MS: Final = DAY * 1000
AFTERWARDS: Final = 5 * HOUR
"""So much longer the sweeper goes on: the leases of rooms that nobody reports from end till then."""

_TABLE: Final = "events"
_PREFIX: Final = "demo"


class Demo(NamedTuple):
    """What is made.

    Attributes:
        first: the first day (UTC).
        days: how many days.
        scale: 1: some thousand stays a day.
        seed: the same makes the same rows.
    """

    first: dt.date
    days: int = 1
    scale: float = 1
    seed: int = 1

    @property
    def begin(self) -> int:
        """Unix ms at which it begins."""
        midnight = dt.datetime.combine(self.first, dt.time(), dt.UTC)
        return int(midnight.timestamp()) * 1000

    @property
    def end(self) -> int:
        """Unix ms at which its last day is over."""
        return self.begin + self.days * DAY_MS

    def calls(self) -> Iterator[Call]:
        """All calls, by their beginnings."""
        for midnight in range(self.begin, self.end, DAY_MS):
            yield from calls_of(midnight, self.scale, self._chance("day", midnight))

    def sent(self) -> Iterator[Sent]:
        """All that is said, in the order in which it comes in; of a few calls at a time."""
        numbers = count()
        waiting: list[tuple[int, int, Sent]] = []
        for call in self.calls():
            while waiting and waiting[0][0] < call.begin:
                yield heappop(waiting)[2]
            for each in sent_in(call, self._chance(call.ref.pk, call.begin)):
                heappush(waiting, (each.received, next(numbers), each))
        while waiting:
            yield heappop(waiting)[2]

    def _chance(self, *what: str | int) -> random.Random:
        return random.Random(f"{self.seed} {what}")  # noqa: S311 (nothing secret)


class Stage:
    """The real fold and the real event table, on a stand-in, at a time that we say.

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

    def play(self, sent: Iterator[Sent], until: int, reached: Callable[[int], None]) -> None:
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


def make(demo: Demo, folder: Path, output: Output) -> str:
    """Make demo data in a lake's folder, in the place of what was there before; say what it is.

    Raises:
        OperatorError: the folder can't be written.
    """
    started = time.monotonic()
    stage, seen = Stage(demo.seed), Seen()
    until = demo.end + AFTERWARDS
    with output.progress("Playing", (until - demo.begin) // MINUTE_MS) as reached:
        stage.play(demo.sent(), until, lambda now: reached((now - demo.begin) // MINUTE_MS))
    rows = rows_from(stage.archive.everything(), Wanted(demo.begin, until), seen)
    old = set(folder.glob(f"rows/*/*/{_PREFIX}-*.parquet"))
    files = write_into(folder, rows, _PREFIX)
    for path in old - {folder / "rows" / file for file in files}:
        path.unlink()
    days = f"{demo.first}" if demo.days == 1 else f"{demo.days} days from {demo.first} on"
    return (
        f"Demo data of {days}: {stage.done.total()} reports, heartbeats and callbacks made "
        f"{seen.rows} joins and leaves,\nin {len(files)} files under {folder} "
        f"({time.monotonic() - started:.0f} s)."
    )


def main() -> int:
    """The command line."""
    today = dt.datetime.now(dt.UTC).date()
    parser = argparse.ArgumentParser(prog="python -m infra.demo", description="Demo data.")
    parser.add_argument("--day", type=dt.date.fromisoformat, help="the last day (UTC); yesterday")
    parser.add_argument("--days", type=_days, default=1, help="how many days")
    parser.add_argument("--scale", type=_scale, default=1, help="1: some thousand stays a day")
    parser.add_argument("--seed", type=int, default=1, help="the same makes the same rows")
    parser.add_argument("--folder", type=Path, default=LOCAL / "lake", help="the lake's")
    given = parser.parse_args()
    last = given.day or today - dt.timedelta(days=1)
    first = last - dt.timedelta(days=given.days - 1)
    try:
        say(make(Demo(first, given.days, given.scale, given.seed), given.folder, Output()))
    except OperatorError as error:
        print(f"make demo-data failed: {error.format_message()}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
