"""Rooms whose members report, through warm environments of the webhook, in simulated time.

The network is the ground-truth simulation's: reports are delayed, tried again, doubled, replayed,
and wait in queues. A request takes an environment that is free, or a new one, as Lambda does; while
it waits for the store, others run, and may write the room first.
"""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.capacity import Bill, Metered, kind_of
from bench.clockwork import Clock
from chalicelib.stream.records import signal_from
from chalicelib.table.rooms import change_of
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.runs import World
from simulation.stored import TABLE, openid, post
from simulation.truth import START, Change, Setting

if TYPE_CHECKING:
    from chalicelib.roster.signal import Signal
    from simulation.runs import History

PAUSE_MS: Final = 12_000
"""Between changes, on average."""
FILLED_MS: Final = 200_000
"""Ms in which a room is left in peace once it is full: longer than a report may be late."""
TAKES_MS: Final = {"get_item": 3.0, "query": 4.0, "put_item": 5.0, "transact_write_items": 12.0}
"""What DynamoDB takes from a function in its region: about that, each time by another chance."""


KEEPER_MS: Final = 1000
"""From when a report is stored to when keeper folds it again."""


class Consumed(NamedTuple):
    """What reports have consumed, once the room was full.

    Attributes:
        reports: requests of the webhook.
        webhook: what they cost.
        keeper: what it cost to fold each again by itself.
        transitions: that were made.
        environments: of the webhook.
    """

    reports: int
    webhook: Bill
    keeper: Bill
    transitions: int
    environments: int

    def each(self, number: float) -> float:
        """So much a report."""
        return number / self.reports


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


def consumed(
    setting: Setting, make: History, last: int, *, odd: bool = True, remember: bool = True
) -> Consumed:
    """Let a room's members report.

    Args:
        setting: the room.
        make: makes its history.
        last: how many of its last changes are counted: what fills the room and warms the
            environments is not.
        odd: some clients connect anew, and some send wrong ages.
        remember: an environment remembers the rosters that it has read.
    """
    world = World(setting, 1, make, odd=odd)
    crowd = _Crowd(remember=remember)
    full = world.changes[-last].t
    for signal in world.sent.signals:
        crowd.send(signal, counted=signal.received >= full)
    crowd.clock.run()
    made = [
        change_of(item)
        for key, _, item in crowd.client.log
        if item and kind_of(key) == "changes" and int(item["at"]["N"]) >= full
    ]
    transitions = sum(len(change.transitions) for change in made)
    return Consumed(crowd.reports, crowd.bill, crowd.keeper, transitions, crowd.environments)


class _Crowd:
    """The requests of a room, and the environments that take them."""

    def __init__(self, *, remember: bool) -> None:
        self.clock, self.client = Clock(), DynamoDBEmulator()
        self.bill, self.keeper, self._before = Bill(), Bill(), Bill()
        self.reports = self.environments = 0
        self._kept = 0
        self._chance = Random(0)  # noqa: S311 (a simulation)
        self._remember = remember
        self._free: list[_Environment] = []
        self._keeper = _Environment(self.client, self.clock, self._chance)

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
        self._have_kept(counted=counted)

    def _have_kept(self, *, counted: bool) -> None:
        """Have keeper fold what is stored by now."""
        log = self.client.log
        news, self._kept = log[self._kept :], len(log)
        for key, _, item in news:
            if kind_of(key) == "reports":
                refold = partial(self._refold, item, counted=counted)
                self.clock.at(self.clock.now + KEEPER_MS, refold)

    def _refold(self, item: Any, *, counted: bool) -> None:
        keeper = self._keeper
        keeper.meter.bill = self.keeper if counted else self._before
        table = keeper.folder.table
        told = signal_from(item, table)
        if told:
            ref, said = told
            keeper.folder.reapply(table.room(ref), said, int(self.clock.now))

    def _start(self) -> _Environment:
        self.environments += 1
        return _Environment(self.client, self.clock, self._chance)


class _Environment:
    """An environment of the webhook: one request at a time."""

    def __init__(self, store: DynamoDBEmulator, clock: Clock, chance: Random) -> None:
        self.meter = Metered(store, Bill())
        client: Any = _Distant(self.meter, clock, chance)
        self.folder = RoomWriter(
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
