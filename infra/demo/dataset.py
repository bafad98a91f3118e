"""``make demo-data``: a day of lifelike rooms, so that there is something to ask and to look at.

    python -m infra.demo.dataset [--day 2026-03-02] [--scale 1] [--seed 1] [--folder .local/lake]

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
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.table.rooms import DAY, MINUTE_MS
from infra.demo.clients import sent_in
from infra.demo.day import HOUR, calls_of
from infra.demo.stage import Stage
from infra.layout import LOCAL
from infra.smoke.show import say
from roomgate.analytics.backfill import Seen, Wanted, rows_from, write_into
from roomgate.analytics.files import ROWS
from roomgate.commands.output import Output
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.demo.clients import Sent
    from infra.demo.day import Call

DAY_MS: Final = DAY * 1000
AFTERWARDS: Final = 5 * HOUR
"""So much longer the sweeper goes on: by then the leases of silent rooms have ended."""

_PREFIX: Final = "demo"
_MOST_DAYS: Final = 31
_MOST_SCALE: Final = 10


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

    @property
    def stays(self) -> int:
        """How often somebody truly was in a room."""
        return sum(len(call.stays) for call in self.calls())

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


def make(demo: Demo, folder: Path, output: Output) -> str:
    """Make demo data in a lake's folder, in the place of what was there before; say what it is.

    Raises:
        OperatorError: the folder can't be written.
    """
    stage, seen = Stage(demo.seed), Seen()
    until = demo.end + AFTERWARDS
    with output.progress("Playing", (until - demo.begin) // MINUTE_MS) as reached:
        stage.play(demo.sent(), until, lambda now: reached((now - demo.begin) // MINUTE_MS))
    rows = rows_from(stage.archive.everything(), Wanted(demo.begin, until), seen)
    old = set(folder.glob(f"{ROWS}/*/*/{_PREFIX}-*.parquet"))
    files = write_into(folder, rows, _PREFIX)
    for path in old - {folder / ROWS / file for file in files}:
        path.unlink()
    return (
        f"{demo.stays} stays; {stage.done.total()} reports, heartbeats and callbacks of them went "
        f"through the fold\nand made {seen.rows} joins and leaves: {len(files)} files in {folder}."
    )


def main() -> int:
    """The command line."""
    given = _parser().parse_args()
    last = given.day or dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    first = last - dt.timedelta(days=given.days - 1)
    started = time.monotonic()
    try:
        told = make(Demo(first, given.days, given.scale, given.seed), given.folder, Output())
    except OperatorError as error:
        print(f"make demo-data failed: {error.format_message()}", file=sys.stderr)
        return 1
    say(f"{told} {time.monotonic() - started:.0f} s.\nNow:{_next(first, given)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.demo.dataset",
        description="Days of lifelike rooms, for roomgate analytics.",
    )
    parser.add_argument("--day", type=_date, help="the last day, UTC (default: yesterday)")
    parser.add_argument("--days", type=_days, default=1, help="how many days (default: 1)")
    parser.add_argument("--scale", type=_scale, default=1, help="1: 3,000 stays a day (default)")
    parser.add_argument("--seed", type=int, default=1, help="the same makes the same rows")
    parser.add_argument("--folder", type=Path, default=LOCAL / "lake", help="the lake's")
    return parser


def _next(first: dt.date, given: argparse.Namespace) -> str:
    """Command lines that show the data."""
    options = ""
    if given.day or given.days > 1:
        options += f" --since {first} --until {first + dt.timedelta(days=given.days)}"
    if given.folder != LOCAL / "lake":
        options += f" --folder {given.folder}"
    lines = ("analytics report", "analytics query peak_concurrency")
    return "".join(f"\n   .venv/bin/roomgate {line}{options}" for line in lines)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write a date as 2027-01-31") from None


def _days(text: str) -> int:
    return int(_number(text, 1, _MOST_DAYS))


def _scale(text: str) -> float:
    return _number(text, 0.01, _MOST_SCALE)


def _number(text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"give a number from {least} to {most}")
    return number


if __name__ == "__main__":
    sys.exit(main())
