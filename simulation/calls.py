"""Calls with known truth: clients that react to what they are answered, in virtual time.

Where `simulation.runs` draws all that is said before anything is answered, here each client has a
view of its own, reports when that changes, sends heartbeats, and sends its list again when it is
asked for. Members need not see each other.
"""

from __future__ import annotations

import heapq
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from chalicelib.roster.signal import LAST_SEQ, Kind, Order, Signal, Source
from chalicelib.roster.timeouts import due
from chalicelib.roster.view import set_hash
from simulation.rules import Roomgate
from simulation.truth import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Transition

BEAT: Final = 30_000
"""Ms between the heartbeats of a client."""
QUIET: Final = 240_000
"""Ms after the last event, in which clients go on sending heartbeats."""
HOSTS: Final = 2
"""Members of a room with an audience who are seen, at least."""
BLIND: Final = 0.2
"""Of all pairs, where some are blind: don't see each other."""
SIGHT: Final = 5_000
"""Ms after its entry by which a client has seen who is there, and has reported it."""
MUTED: Final = 0.3
"""Of all members, where some are muted: are named by nobody."""


class Call(NamedTuple):
    """A call to simulate.

    Attributes:
        size: members around which it settles.
        events: what its members live through: ``calm`` (they come and go), ``flaps`` (a list is
            empty for a moment), ``switches`` (a member changes networks), ``crashes`` (nobody says
            good-bye), ``late`` (reports wait for up to two minutes, or are lost and sent again),
            ``ages`` (some clients say that nothing is old), ``still`` (nobody comes or goes).
        sight: who sees whom: ``full``, ``blind`` (some pairs don't), ``muted`` (some are named by
            nobody), or the share of members that nobody sees: ``audience 50 %``.
        beating: of all clients: send heartbeats.
        callbacks: Tencent's callbacks are on.
        minutes: how long it lasts.
    """

    size: int
    events: str = "calm"
    sight: str = "full"
    beating: float = 1.0
    callbacks: bool = False
    minutes: int = 20


class Result(NamedTuple):
    """What a rule made of a call.

    Attributes:
        true: transitions that truly were.
        emitted: those that the rule has made.
        right: in the end the roster is.
        asked: how often a list was asked for.
        signals: that came in: reports, heartbeats, callbacks.
        waits: how long it took until each leave was shown, in ms, by its reason.
    """

    true: int
    emitted: int
    right: bool
    asked: int
    signals: int
    waits: list[tuple[str, int]]


class Settling(Protocol):
    """A rule that does what is due when it is."""

    @property
    def head(self) -> Head:
        """The room's head."""

    @property
    def timeline(self) -> Sequence[Transition]:
        """All transitions."""

    def take(self, signal: Signal) -> bool:
        """Hear something; whether the list is wanted again."""

    def settle(self, now: int) -> None:
        """Do what is due."""

    def shown(self, now: int) -> set[str]:
        """Who is in the room at a moment."""


class _Client:
    """A member's client, from one entry to the next."""

    def __init__(self, user: str, epoch: int, *, beating: bool, ageless: bool) -> None:
        self.user, self.epoch, self.came = user, epoch, epoch
        self.beating, self.ageless = beating, ageless
        self.seq = 0
        self.view: frozenset[str] = frozenset()
        self.stated: frozenset[str] | None = None
        self.offline_until = 0
        self.gone = False


class Play:
    """One call as one rule sees it.

    Args:
        call: the call.
        seed: of all that is left to chance.
        rule: makes a roster of what is said; ours, with stores that are dictionaries, if None.

    Attributes:
        rule: the rule.
    """

    def __init__(self, call: Call, seed: int, rule: Settling | None = None) -> None:
        self.call = call
        self.rule: Settling = rule or Roomgate()
        self._chance = Random(f"{seed} {call}")  # noqa: S311 (a simulation)
        self._number = count()
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self.now = START
        self._clients: dict[str, _Client] = {}
        self._blind: dict[frozenset[str], bool] = {}
        self._unseen: dict[str, bool] = {}
        self._gone: dict[str, int] = {}
        self._made = 0
        self._true = self._asked = self._signals = 0
        self._known = 0
        self._waits: list[tuple[str, int]] = []

    def run(self) -> Result:
        """Play to the end."""
        call = self.call
        for at in range(call.size):
            self._at(START + 1000 * at, self._join)
        t = START + 1000 * call.size + 20_000
        end = t + call.minutes * 60_000
        while call.events != "still":
            t += 5_000 + int(self._chance.expovariate(1 / 40_000))
            if t >= end:
                break
            self._at(t, self._event)
        self._play(end + QUIET)
        emitted = len(self.rule.timeline)
        return Result(
            self._true, emitted, self._is_right(), self._asked, self._signals, self._waits
        )

    def _play(self, end: int) -> None:
        while True:
            is_due = due(self.rule.head)
            first = self._queue[0][0] if self._queue else end
            if is_due is not None and is_due < min(first, end):
                self.now = max(self.now, is_due)
                self.rule.settle(self.now)
                self._note()
            elif first < end:
                self.now, _, act = heapq.heappop(self._queue)
                act()
                self._note()
            else:
                self.now = end
                return

    def _note(self) -> None:
        """Note how long it took to know of the leaves that are new."""
        for each in self.rule.timeline[self._known :]:
            if not each.joined and each.user in self._gone:
                self._waits.append((each.reason, self.now - self._gone[each.user]))
        self._known = len(self.rule.timeline)

    def _is_right(self) -> bool:
        """Whether all are shown who are there and can be known, and nobody who is known to be gone.

        A leave is known if somebody is there who saw the user before, or if Tencent tells of it.
        """
        shown = self.rule.shown(self.now)
        return self._clients.keys() <= shown and not any(map(self._left_traces, shown))

    def _left_traces(self, user: str) -> bool:
        if user in self._clients:
            return False
        return self.call.callbacks or any(
            self._sees(client, user) and client.came + SIGHT < self._gone[user]
            for client in self._clients.values()
        )

    def _at(self, t: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (t, next(self._number), act))

    def _later(self, low: int, high: int, act: Callable[[], None]) -> None:
        self._at(self.now + self._chance.randint(low, high), act)

    def _often(self, share: float) -> bool:
        return self._chance.random() < share

    # What happens.

    def _event(self) -> None:
        kind = self.call.events
        if kind in {"flaps", "switches"} and self._often(0.7):
            users = sorted(self._clients)
            if users:
                client = self._clients[self._chance.choice(users)]
                self._flap(client) if kind == "flaps" else self._switch(client)
            return
        if len(self._clients) < self.call.size or (
            len(self._clients) < 1.5 * self.call.size and self._often(0.3)
        ):
            self._join()
        else:
            self._leave(self._chance.choice(sorted(self._clients)))

    def _join(self) -> None:
        back = sorted(user for user, t in self._gone.items() if t < self.now - 30_000)
        if back and self._often(0.3):
            user = self._chance.choice(back)
        else:
            self._made += 1
            user = f"user{self._made:04}"
        self._gone.pop(user, None)
        self._true += 1
        client = _Client(
            user,
            self.now - self._chance.randint(200, 2000),
            beating=self._often(self.call.beating),
            ageless=self.call.events == "ages" and self._often(0.3),
        )
        self._clients[user] = client
        self._call_back(Kind.ENTERED, user)
        self._later(50, 500, lambda: self._look(client))
        self._tell_others(user)
        if client.beating:
            self._later(1000, BEAT, lambda: self._beat(client))

    def _leave(self, user: str) -> None:
        client = self._clients.pop(user)
        client.gone = True
        self._gone[user] = self.now
        self._true += 1
        self._call_back(Kind.LEFT, user)
        if self.call.events not in {"crashes", "late"} and self._often(0.5):
            order = Order(client.epoch, LAST_SEQ)
            self._send(Signal(Kind.LEFT, Source.CLIENT, user, self.now, self.now, order), client)
        self._tell_others(user)

    def _flap(self, client: _Client) -> None:
        self._show(client, frozenset())
        self._later(300, 1300, lambda: self._look(client))

    def _switch(self, client: _Client) -> None:
        """A network switch (1021): another entry, an empty list, then the whole one."""
        user = client.user
        for other in self._others(user):
            if self._often(0.5):
                self._later(50, 400, lambda it=other: self._show(it, it.view - {user}))  # type: ignore[misc]
                self._later(1500, 3500, lambda it=other: self._look(it))  # type: ignore[misc]

        def enter() -> None:
            client.epoch, client.seq, client.stated = self.now - 200, 0, None
            self._show(client, frozenset(), always=True)
            self._later(300, 1000, lambda: self._look(client))

        self._later(300, 900, enter)

    def _tell_others(self, user: str) -> None:
        for other in self._others(user):
            if self._sees(other, user):
                self._later(50, 900, lambda it=other: self._look(it))  # type: ignore[misc]

    def _others(self, user: str) -> Iterable[_Client]:
        return [client for name, client in sorted(self._clients.items()) if name != user]

    def _sees(self, client: _Client, user: str) -> bool:
        sight = self.call.sight
        if sight == "full":
            return True
        if sight == "blind":
            pair = frozenset([client.user, user])
            return not self._blind.setdefault(pair, self._often(BLIND))
        if user not in self._unseen:
            share = MUTED if sight == "muted" else int(sight.split()[1]) / 100
            hosts = sight != "muted" and int(user[4:]) <= HOSTS
            self._unseen[user] = not hosts and self._often(share)
        return not self._unseen[user]

    # What the clients make of it.

    def _look(self, client: _Client) -> None:
        """A client sees who is there, as far as it can."""
        others = self._clients.keys() - {client.user}
        self._show(client, frozenset(user for user in others if self._sees(client, user)))

    def _show(self, client: _Client, view: frozenset[str], *, always: bool = False) -> None:
        if client.gone or (view == client.view and client.seq and not always):
            return
        client.view = view
        self._report(client)

    def _report(self, client: _Client, *, asked: bool = False) -> None:
        client.seq += 1
        listed = client.view
        signal = Signal(
            Kind.LIST,
            Source.CLIENT,
            client.user,
            self.now,
            self.now,
            Order(client.epoch, client.seq),
            set_hash({client.user, *listed}),
            listed,
            asked,
        )
        self._send(signal, client)

    def _send(self, signal: Signal, client: _Client) -> None:
        """Send a report until it is answered; it grows older meanwhile."""
        wait = self._chance.randint(30, 400)
        if self.call.events == "late":
            if client.offline_until < self.now and self._often(0.05):
                client.offline_until = self.now + self._chance.randint(5_000, 120_000)
            wait += max(0, client.offline_until - self.now)
            while self._often(0.1):
                wait += self._chance.randint(1000, 5000)
        self._later(wait, wait, lambda: self._arrive(signal, client))
        if self._often(0.05):
            self._later(wait, wait + 3000, lambda: self._arrive(signal, client))

    def _arrive(self, signal: Signal, client: _Client) -> None:
        t = self.now if client.ageless else signal.t
        if signal.kind is Kind.LIST and (
            client.stated is None or signal.order == Order(client.epoch, client.seq)
        ):
            client.stated = signal.listed  # type: ignore[assignment]
        self._take(signal._replace(t=t, received=self.now), client)

    def _take(self, signal: Signal, client: _Client) -> None:
        self._signals += 1
        if self.rule.take(signal) and not client.gone:
            self._asked += 1
            self._later(50, 400, lambda: None if client.gone else self._report(client, asked=True))

    def _beat(self, client: _Client) -> None:
        if client.gone:
            return
        self._later(BEAT, BEAT + 2000, lambda: self._beat(client))
        if client.stated is None or client.offline_until > self.now:
            return
        order, hash_ = Order(client.epoch, 0), set_hash({client.user, *client.stated})
        user, t = client.user, self.now + self._chance.randint(30, 400)
        beat = Signal(Kind.HEARTBEAT, Source.CLIENT, user, t, t, order, hash_)
        self._at(t, lambda: self._take(beat, client))

    def _call_back(self, kind: Kind, user: str) -> None:
        if not self.call.callbacks:
            return
        signal = Signal(kind, Source.TENCENT, user, self.now, self.now)
        wait = self._chance.randint(100, 800) + self._often(0.05) * 10_000
        for late in (wait, *([wait + 10_000] if self._often(0.05) else [])):
            self._later(late, late, lambda: self._call(signal))

    def _call(self, signal: Signal) -> None:
        self._signals += 1
        self.rule.take(signal._replace(received=self.now))

    def transitions_of(self, user: str) -> list[Transition]:
        """What the rule has made of one user; for those who look into a run."""
        return [each for each in self.rule.timeline if each.user == user]
