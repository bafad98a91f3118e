"""Plays: a simulated room through the webhook, keeper and sweeper, on a store that fails."""

from __future__ import annotations

import heapq
from collections import deque
from functools import partial
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.roster.fold import Folded
from chalicelib.roster.signal import Kind, Source
from chalicelib.roster.transforms import Outcome
from chalicelib.stream.records import signal_from
from chalicelib.table.errors import StoreUnavailable
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.runs import QUIET
from simulation.soak.faults import Killed, Sound
from simulation.stored import REF, TABLE, post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chalicelib.roster.signal import Signal
    from chalicelib.table.item_keys import RoomKey
    from chalicelib.table.rooms import RoomState
    from simulation.runs import World

ENVIRONMENTS = 3
"""Of the webhook, each with a memory of its own."""
MINUTE = 60_000  # ms
ROUNDS = 3
"""Of everyone's last heartbeats, half a minute apart: one may come to nothing."""
SENT_AGAIN = 0.7
"""Of what is answered by a failure: is sent again, seconds later. The rest never is.

But the last heartbeats are, and the lists that are then asked for: until they are answered.
"""
AT_ONCE = 2000
"""Ms in which what comes in may be folded before what came in before."""
ENOUGH = 1000
"""Times that a reader of a stream takes a record at most."""


class Acknowledged(NamedTuple):
    """A report that was answered by a success: whose it is, and its place among its reporter's."""

    user: str
    epoch: int
    seq: int
    hash: str


class Play:
    """One play.

    Args:
        world: what happens in the room, and what is sent of it.
        fault: makes the clients through which the store is written.
        seed: of all that is left to chance.

    Attributes:
        client: the store.
        acknowledged: all reports that were answered by a success,
        called: and all callbacks.
        failures: how many answers were failures.
        unfolded: of what keeper was done with, how much another fold still changed the room by.
        now: unix ms, when something came in last.
    """

    def __init__(self, world: World, fault: type[Sound], seed: int) -> None:
        self.client = DynamoDBEmulator()
        self.acknowledged: list[Acknowledged] = []
        self.called: list[Signal] = []
        self.failures = 0
        self.unfolded = 0
        self.now = 0
        self._world = world
        self._chance = chance = Random(seed)  # noqa: S311 (a simulation)

        def folder(fault: type[Sound]) -> RoomWriter:
            client: Any = fault(self.client, chance, self._move_head)
            table = EventTable(client, TABLE)
            return RoomWriter(table, sleep=lambda _: None, chance=chance.random)

        self._webhooks = [folder(fault) for _ in range(ENVIRONMENTS)]
        self._keeper, self._other = folder(fault), folder(Sound)
        self._queue: list[tuple[int, int, Signal]] = []
        self._number = count()
        self._stream: deque[tuple[int, int]] = deque()
        self._kept, self._lag = 0, chance.choice([300, 3_000, 60_000])
        self._swept, self._ending = 0, False

    def run(self) -> None:
        """Play to the end: until everyone has sent its heartbeats and keeper is done."""
        self._world.senders.chance = self._chance
        self._take_all(self._world.sent.signals)
        self._ending = True
        for _ in range(ROUNDS):
            self._take_all(self._world.last_beats(self.now + QUIET))
        self._keep(len(self.client.log))

    def room(self) -> tuple[RoomState, EventTable]:
        """The room as it is stored, and a table to read it by that remembers nothing."""
        table = EventTable(self.client, TABLE)  # type: ignore[arg-type]  # A stand-in.
        return table.room(REF), table

    def _take_all(self, signals: Iterable[Signal]) -> None:
        for signal in signals:
            self._send(signal)
        while self._queue:
            self.now, _, signal = heapq.heappop(self._queue)
            self._catch_up()
            self._deliver(signal, self._chance.choice(self._webhooks))
            self._stream.append((self.now, len(self.client.log)))

    def _send(self, signal: Signal) -> None:
        heapq.heappush(self._queue, (signal.received, next(self._number), signal))

    def _deliver(self, signal: Signal, webhook: RoomWriter) -> None:
        try:
            answered = post(webhook, signal)
        except (Killed, StoreUnavailable):
            self.failures += 1
            if self._ending or self._chance.random() < SENT_AGAIN:
                self._send(_later(signal, self._chance.randint(1000, 5000)))
            return
        if signal.source is Source.TENCENT:
            self.called.append(signal)
        elif signal.kind is not Kind.HEARTBEAT:
            self.acknowledged.append(Acknowledged(signal.user, *signal.order, signal.hash))
        if answered.resend and (answer := self._world.answer(signal)):
            self._send(answer._replace(asked=True))

    def _catch_up(self) -> None:
        """Keeper reads the stream, some time behind; once a minute the sweeper passes."""
        upto = 0
        while self._stream and self._stream[0][0] <= self.now - self._lag:
            _, upto = self._stream.popleft()
        if upto:
            self._keep(upto)
        if self.now >= self._swept + MINUTE:
            self._swept = self.now
            self._until_done(lambda: self._keeper.settle(REF, self.now))

    def _keep(self, upto: int) -> None:
        """Fold once more what is stored, in the order of the stream, each until that is done."""
        for key, _, item in self.client.log[self._kept : upto]:
            if item and key["pk"]["S"][:2] in {"P#", "C#"}:
                told = signal_from(item, self._keeper.table)
                if told:
                    self._until_done(partial(self._refold, *told))
                    self._fold_again(*told)
        self._kept = max(self._kept, upto)

    def _refold(self, ref: RoomKey, said: Signal) -> None:
        self._keeper.reapply(self._keeper.table.room(ref), said, self.now)

    def _fold_again(self, ref: RoomKey, said: Signal) -> None:
        """What is folded changes nothing a second time, once all is settled that is due by then."""
        room = self._other.settle(ref, said.received)
        self.unfolded += self._other.reapply(room, said, self.now) is not room

    def _until_done(self, step: Callable[[], object]) -> None:
        """Take a step until it succeeds, as Lambda does with a record of a stream."""
        for _ in range(ENOUGH):
            try:
                step()
            except (Killed, StoreUnavailable):
                continue
            return
        raise AssertionError("keeper never comes to an end")

    def _move_head(self) -> None:
        """What somebody else does meanwhile: fold what comes next, or else renew the lease."""
        room, table = self.room()
        if self._queue and self._queue[0][0] <= self.now + AT_ONCE:
            _, _, signal = heapq.heappop(self._queue)
            self._deliver(signal, self._other)
        if self.room()[0].head.revision == room.head.revision:
            head_ = room.head
            lease = head_.lease
            if head_.lease_ends > self.now:
                lease = lease._replace(heard=max(lease.heard, self.now))
            head = room.head._replace(revision=room.head.revision + 1, lease=lease)
            step = Folded(head, (), Outcome.UNCHANGED, resend=False)
            self._other.table.commit(room, step, lambda: table.members(room), self.now)


def _later(signal: Signal, pause: int) -> Signal:
    """The same report, sent again: it has grown older, unless its client says that none is old."""
    received = signal.received + pause
    ageless = signal.t == signal.received
    return signal._replace(received=received, t=received if ageless else signal.t)
