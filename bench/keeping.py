"""Keeper's pace, beside the most that one shard of the stream can bring it.

Keeper works off one batch of a shard at a time, so it falls behind for good where a shard brings
more than that. A shard tells of one partition of the table, which takes at most 1,000 write units a
second (AWS, "Best practices for designing and using partition keys effectively"); so what was
written has taken a partition at least so long, and keeper has that long.

Here DynamoDB's answers take their time for real. A function has one processor at 1,769 MB, and less
in proportion ("Configure Lambda function memory").
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.capacity import Bill, Metered
from bench.crowd import TAKES_MS
from bench.figures import BenchError, Figure
from chalicelib.roster.signal import Source
from chalicelib.roster.view import view_of
from chalicelib.stream.keeper import WORKERS, Keeper
from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.items import Items
from chalicelib.table.reports import Report
from chalicelib.table.sessions import SessionWriter
from chalicelib.table.table import HISTORY_DAYS, EventTable
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.stored import TABLE, openid
from simulation.stream import stream_record
from simulation.truth import START

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.material import Material

ROOMS: Final = {2: 500, 4: 150, 20: 6}
"""Members of a room, and how many such rooms there are."""
BATCH: Final = 500
"""As in keeper's event source mapping."""
PARTITION_UNITS: Final = 1000
PROCESSOR_MB: Final = 1769
MEMORY_MB: Final = 512
STEP_MS: Final = 12_000


class Pace(NamedTuple):
    """What keeper took, in seconds.

    Attributes:
        wall: until it was done.
        processor: of a processor.
        shard: that the same records take a partition at least, to be written.
        records: how many they were.
    """

    wall: float
    processor: float
    shard: float
    records: int


def keeping_figures(_material: Material) -> list[Figure]:
    """The time that keeper takes against the time that a shard takes to bring so much."""
    figures = []
    for members, rooms in ROOMS.items():
        what = f"keeper, {rooms} rooms of {members}"
        alone, ours = (_pace(members, rooms, workers) for workers in (1, WORKERS))
        processor = ours._replace(wall=ours.processor * PROCESSOR_MB / MEMORY_MB)
        figures += [
            _figure(f"{what}, one at a time", alone),
            _figure(f"{what}, {WORKERS} at a time", ours, 1),
            _figure(f"{what}, CPU at {MEMORY_MB} MB", processor),
        ]
    return figures


def _figure(what: str, pace: Pace, bound: float | None = None) -> Figure:
    peer = f"a shard's {pace.records} records"
    return Figure(what, pace.wall, peer, pace.shard, "s", pace.wall / pace.shard, bound)


def _pace(members: int, rooms: int, workers: int) -> Pace:
    """Fill a table, and work off its stream, batch by batch."""
    client = DynamoDBEmulator()
    shard = _units(client, members, rooms) / PARTITION_UNITS
    records = _records(client)
    slow: Any = _Slow(client)
    stays = SessionWriter(Items(slow, TABLE), HISTORY_DAYS)
    keeper = Keeper(RoomWriter(EventTable(slow, TABLE)), stays, _Refusing(), workers)
    began, used = time.perf_counter(), time.process_time()
    for first in range(0, len(records), BATCH):
        batch = keeper.keep(records[first : first + BATCH], START)
        if batch.failed_keys:
            raise BenchError(f"keeper failed: {dict(batch.reasons)}")
    return Pace(time.perf_counter() - began, time.process_time() - used, shard, len(records))


def _units(client: DynamoDBEmulator, members: int, rooms: int) -> int:
    """Let rooms fill and empty, all at the same time; the write units that this takes."""
    bill = Bill()
    metered: Any = Metered(client, bill)
    folder = RoomWriter(EventTable(metered, TABLE))
    for report in _reports(members, rooms):
        folder.record(report, report.received)
    return bill.writes.total()


def _reports(members: int, rooms: int) -> Iterator[Report]:
    """Each room's members come, then go, one by one; all who are there report it each time."""
    everyone = [openid(f"user{number}") for number in range(members)]
    steps = [everyone[:count] for count in [*range(1, members + 1), *range(members - 1, 0, -1)]]
    for number, present in enumerate(steps, 1):
        for reporter in present:
            for room in range(rooms):
                at = START + number * STEP_MS + present.index(reporter)
                place = ReporterKey(1400000001, parse_room(room + 1), f"{reporter[:-4]}{room:04}")
                others = [f"{other[:-4]}{room:04}" for other in present if other != reporter]
                view = view_of(place.user_id, dict.fromkeys(others))
                yield Report(place, START, number, at, 0, Source.CLIENT, view)


def _records(client: DynamoDBEmulator) -> list[Any]:
    return [
        stream_record(new, None, number)
        for number, (_, old, new) in enumerate(client.log, 1)
        if new is not None and old is None and new["sk"]["S"][:2] in {"E#", "T#"}
    ]


class _Slow:
    """A client to which an answer takes as long as DynamoDB's."""

    def __init__(self, client: DynamoDBEmulator) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            time.sleep(TAKES_MS[operation] / 1000)
            return getattr(self._client, operation)(**arguments)

        return call


class _Refusing:
    """A quarantine that takes nothing: there is to be nothing for it."""

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Refuse it."""
        return not poison
