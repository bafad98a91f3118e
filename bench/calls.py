"""What small calls cost, and rooms in which not all see each other: units a report or heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.capacity import Bill, Metered
from bench.figures import Figure
from chalicelib.roster.signal import Kind
from chalicelib.roster.view import set_hash
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.calls import Call, Play
from simulation.stored import REF, TABLE, openid, post

if TYPE_CHECKING:
    from bench.material import Material
    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Transition
    from chalicelib.roster.signal import Signal

SMALL: Final = (2, 4)
SEEDS: Final = 5
WRITE_PRICE, READ_PRICE = 0.625, 0.125
"""Of a million units, in US dollars: a write costs five reads."""
SHARED_LIMIT: Final = 1.5
"""What a signal may cost where nobody sees the audience, to where all see each other."""
AUDIENCE: Final = (
    Call(52, events="still", minutes=60),
    Call(52, events="still", sight="audience 100 %", minutes=60),
)
"""An hour of 2 hosts and 50 others: all see each other; nobody sees the others."""


class Costs(NamedTuple):
    """What a call consumed.

    Attributes:
        reports: that came in.
        heartbeats: likewise.
        reported: what reports cost, and the leaves that waited.
        beaten: what heartbeats cost.
    """

    reports: int
    heartbeats: int
    reported: Bill
    beaten: Bill

    def dollars(self) -> float:
        """Of a million reports and heartbeats."""
        bills = (self.reported, self.beaten)
        writes = sum(bill.writes.total() for bill in bills)
        reads = sum(bill.read_units for bill in bills)
        return (writes * WRITE_PRICE + reads * READ_PRICE) / (self.reports + self.heartbeats)


class Billed:
    """The roster in the event table, each call of which is billed; users have long ids."""

    def __init__(self) -> None:
        emulator = DynamoDBEmulator()
        self.costs = [0, 0]
        self.bills = [Bill(), Bill()]
        meter: Any = Metered(emulator, self.bills[0])
        self._meter = meter
        self._writer = RoomWriter(EventTable(meter, TABLE))
        self._free = EventTable(emulator, TABLE)  # type: ignore[arg-type]  # A stand-in.
        self._hashes: dict[str, str] = {}
        self.timeline: list[Transition] = []

    @property
    def head(self) -> Head:
        """The room's head; looked at for nothing."""
        return self._free.room(REF).head

    def take(self, signal: Signal) -> bool:
        """Have it come in."""
        beats = signal.kind is Kind.HEARTBEAT
        self.costs[beats] += 1
        self._meter.bill = self.bills[beats]
        listed = frozenset(map(openid, signal.listed))
        if signal.kind is Kind.LIST:
            self._hashes[signal.hash] = set_hash({openid(signal.user), *listed})
        hash_ = self._hashes.get(signal.hash, signal.hash)
        known = signal._replace(user=openid(signal.user), listed=listed, hash=hash_)
        return post(self._writer, known).resend

    def settle(self, now: int) -> None:
        """What is due; its cost is that of the reports that led to it."""
        self._meter.bill = self.bills[0]
        self._writer.settle(REF, now)

    def shown(self, now: int) -> set[str]:  # noqa: ARG002 (the protocol's)
        """Nobody looks."""
        return set()


def costs_of(call: Call, seed: int) -> Costs:
    """What a call consumes."""
    billed = Billed()
    Play(call, seed, billed).run()
    (reports, heartbeats), (reported, beaten) = billed.costs, billed.bills
    return Costs(reports, heartbeats, reported, beaten)


def call_figures(_material: Material) -> list[Figure]:
    """Calm calls of two and four; and an hour in which nobody sees the audience."""
    figures = []
    for size in SMALL:
        all_costs = [costs_of(Call(size, minutes=60), seed) for seed in range(SEEDS)]
        reports = sum(costs.reports for costs in all_costs)
        for unit, number in (
            ("write units", sum(costs.reported.writes.total() for costs in all_costs)),
            ("read units", sum(costs.reported.read_units for costs in all_costs)),
        ):
            what = f"{unit} a report, calm calls of {size}"
            figures.append(Figure(what, number / reports, "one", 1, "", number / reports))
    full, partial = (costs_of(call, 1).dollars() for call in AUDIENCE)
    what = "$ a million reports and heartbeats, 2 hosts and 50 whom nobody sees"
    ratio = partial / full
    figures.append(Figure(what, partial, "all see each other", full, "", ratio, SHARED_LIMIT))
    return figures
