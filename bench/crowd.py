"""Rooms whose members report, through warm environments of the webhook, in simulated time.

The network is the ground-truth simulation's: reports are delayed, tried again, doubled, replayed,
and wait in queues. A request takes an environment that is free, or a new one, as Lambda does; while
it waits for the store, others run, and may write the room first.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.capacity import Bill, Metered
from bench.clockwork import Clock
from chalicelib.events.folder import Folder
from chalicelib.events.table import EventTable
from infra.standins.dynamodb import DynamoDBStandIn
from tests.simulation.runs import World
from tests.simulation.stored import TABLE, openid, post
from tests.simulation.truth import START, Change, Setting

if TYPE_CHECKING:
    from chalicelib.roster.signal import Signal
    from tests.simulation.runs import History

PAUSE_MS: Final = 12_000
"""Between changes, on average."""
FILLED_MS: Final = 200_000
"""Ms in which a room is left in peace once it is full: longer than a report may be late."""
TAKES_MS: Final = {"get_item": 3.0, "query": 4.0, "put_item": 5.0, "transact_write_items": 12.0}
"""What DynamoDB takes from a function in its region: about that, each time by another chance."""


class Consumed(NamedTuple):
    """What reports have consumed, once the room was full.

    Attributes:
        reports: requests of the webhook.
        bill: what they cost.
        environments: of the webhook.
        client: the store as it was left.
    """

    reports: int
    bill: Bill
    environments: int
    client: DynamoDBStandIn

    @property
    def writes(self) -> float:
        """Write units a report."""
        return self.bill.writes.total() / self.reports

    @property
    def reads(self) -> float:
        """Read units a report."""
        return self.bill.reads.total() / 2 / self.reports

    @property
    def calls(self) -> float:
        """Round trips a report."""
        return self.bill.calls.total() / self.reports


def steady(setting: Setting, chance: Random) -> list[Change]:
    """All come at once; later, time and again, one user comes or one goes."""
    present = [openid(f"user{number}") for number in range(setting.size)]
    changes = [Change(START, joined=frozenset(present))]
    t = START + FILLED_MS
    for number in range(setting.changes):
        t += 1 + int(chance.expovariate(1 / PAUSE_MS))
        if number % 2:
            changes.append(Change(t, left=frozenset([present.pop(chance.randrange(len(present)))])))
        else:
            present.append(openid(f"guest{number}"))
            changes.append(Change(t, joined=frozenset(present[-1:])))
    return changes


def consumed(setting: Setting, make: History, *, remember: bool = True) -> Consumed:
    """Let a room's members report.

    Args:
        setting: the room.
        make: makes its history; what fills the room is not counted.
        remember: an environment remembers the rosters that it has read.
    """
    world = World(setting, 1, make)
    crowd = _Crowd(remember=remember)
    full = world.changes[-setting.changes].t
    for signal in world.sent.signals:
        crowd.send(signal, counted=signal.received >= full)
    crowd.clock.run()
    return Consumed(crowd.reports, crowd.bill, crowd.environments, crowd.client)


class _Crowd:
    """The requests of a room, and the environments that take them."""

    def __init__(self, *, remember: bool) -> None:
        self.clock, self.client = Clock(), DynamoDBStandIn()
        self.bill, self._before = Bill(), Bill()
        self.reports = self.environments = 0
        self._chance = Random(0)  # noqa: S311 (a simulation)
        self._remember = remember
        self._free: list[_Environment] = []

    def send(self, signal: Signal, *, counted: bool) -> None:
        """Have a request come in."""
        self.reports += counted
        self.clock.at(signal.received, lambda: self._take(signal, counted=counted))

    def _take(self, signal: Signal, *, counted: bool) -> None:
        environment = self._free.pop() if self._free else self._start()
        environment.meter.bill = self.bill if counted else self._before
        post(environment.folder, signal)
        if self._remember:
            self._free.append(environment)

    def _start(self) -> _Environment:
        self.environments += 1
        return _Environment(self.client, self.clock, self._chance)


class _Environment:
    """An environment of the webhook: one request at a time."""

    def __init__(self, store: DynamoDBStandIn, clock: Clock, chance: Random) -> None:
        self.meter = Metered(store, Bill())
        client: Any = _Distant(self.meter, clock, chance)
        self.folder = Folder(
            EventTable(client, TABLE),
            sleep=lambda seconds: clock.wait(1000 * seconds),
            chance=chance.random,
        )


class _Distant:
    """A client to which an answer takes a while; what it asks for is done half-way."""

    def __init__(self, store: Metered, clock: Clock, chance: Random) -> None:
        self._store, self._clock, self._chance = store, clock, chance

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> Any:
            way = TAKES_MS[operation] * self._chance.uniform(0.3, 0.7)
            self._clock.wait(way)
            try:
                return getattr(self._store, operation)(**arguments)
            finally:
                self._clock.wait(way)

        return call
