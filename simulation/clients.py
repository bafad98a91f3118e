"""What the clients send: late, twice, out of order, with wrong ages, or not at all."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.signal import LAST_SEQ, Kind, Order, Signal, Source
from chalicelib.roster.view import set_hash
from simulation.sights import Sight, Stay, in_another_order, in_order, stays
from simulation.truth import truths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from simulation.truth import Change, Setting

NEVER = 0.04
"""Of all users: never report."""
SILENT = 0.04
"""Of all users: fall silent at some time, and stay in the room."""
AGELESS = 0.03
"""Of all users: have clients that send an age of 0, however old the list is."""

OFFLINE = 0.01
"""Of all reports: the first of a queue that is sent up to two minutes later."""
SUSPENDED = 0.005
"""Of all reports: the app is suspended for 5 to 60 s before it sends, and its clock with it."""
RETRIED = 0.03
"""Of all reports: sent again after one to five seconds, since the first did not get through."""
DOUBLED = 0.05
"""Of all reports: come in twice within seconds."""
REPLAYED = 0.01
"""Of all reports: come in once more, up to ten minutes later."""
RECONNECTS = 0.005
"""Of all lists: some time after it the client lists itself alone, and soon everyone again."""
LAST_WORDS = 0.5
"""Of what is still unsent when a client leaves: is sent. Of leaves with `beats`: are told."""

BEAT = 30_000  # ms
SEQ_STEP = 1000
"""Between reports, so that lists that are asked for find a place."""


class Client(NamedTuple):
    """One stay of a user, as its client lives it.

    Attributes:
        stay: the stay.
        epoch: of its report token, in unix ms.
        seq: what its first report counts from.
        sights: what it gets to see, in that order.
        mute: from when on it says nothing, in unix ms; None: it never falls silent.
        ageless: it says of every list that it is new.
    """

    stay: Stay
    epoch: int
    seq: int
    sights: list[Sight]
    mute: int | None
    ageless: bool

    def order(self, at: int, extra: int = 0) -> Order:
        """The order of its report of a sight, or of an extra one between that and the next."""
        return Order(self.epoch, self.seq + at * SEQ_STEP + extra)

    def sees(self, t: int) -> int:
        """Which of its sights is the newest at a moment; -1: it has seen nothing yet."""
        return bisect_right(self.sights, t, key=lambda sight: sight.t) - 1


class Sent(NamedTuple):
    """All that was sent.

    Attributes:
        signals: in the order in which they come in.
        told: the sights that were sent.
        clients: everyone's stays, the last one last.
    """

    signals: list[Signal]
    told: list[Sight]
    clients: dict[str, list[Client]]

    def last(self) -> list[Client]:
        """The clients that report and are in the room in the end."""
        last = [clients[-1] for clients in self.clients.values()]
        return [client for client in last if client.mute is None and client.stay.end is None]


class Senders:
    """The clients of one history, and the network.

    Args:
        setting: the room.
        changes: its history.
        chance: what is left to chance.
        odd: some clients connect anew, and some send wrong ages.
    """

    def __init__(
        self, setting: Setting, changes: list[Change], chance: Random, *, odd: bool = True
    ) -> None:
        self.odd = odd
        self.setting, self.changes, self.chance = setting, changes, chance
        self.sets = truths(changes)
        self.sent = Sent([], [], {})
        self._hashes: dict[frozenset[str], str] = {}
        self._habits: dict[str, tuple[int | None, bool]] = {}
        self._tokens: dict[str, tuple[int, int]] = {}

    def play(self) -> Sent:
        """Let everyone send what it does."""
        for stay in stays(self.changes):
            client = self._client(stay)
            self._send_lists(client)
            self.sent.clients.setdefault(stay.user, []).append(client)
        if self.setting.beats:
            self._send_beats()
        if self.setting.callbacks:
            self._call_back()
        self.sent.signals.sort(key=lambda signal: signal.received)
        return self.sent

    def hash(self, users: frozenset[str]) -> str:
        """`set_hash`, worked out once for each set."""
        if users not in self._hashes:
            self._hashes[users] = set_hash(users)
        return self._hashes[users]

    def transit(self) -> int:
        """Ms that a request takes: mostly a tenth of a second, at times some seconds."""
        slow = self.chance.random() < 0.02
        return 20 + self._about(120) + slow * self._about(1500)

    def _about(self, mean: float) -> int:
        return int(self.chance.expovariate(1 / mean))

    def _often(self, share: float) -> bool:
        return self.chance.random() < share

    def _client(self, stay: Stay) -> Client:
        chance = self.chance
        if stay.user not in self._habits:
            fate = chance.random()
            end = stay.end or max(self.changes[-1].t, stay.start)
            silent = chance.randint(stay.start, end) if fate < NEVER + SILENT else None
            ageless = self._often(AGELESS) and self.odd
            self._habits[stay.user] = (0 if fate < NEVER else silent, ageless)
        token = self._tokens.get(stay.user)
        if token is None or self.setting.beats or self._often(0.5):
            token = (stay.start - chance.randint(200, 2000), 0)
        see = in_order if self.setting.ordered else in_another_order
        sights = list(see(stay, self.changes, self.sets, chance))
        sights = sorted([*sights, *self._reconnects(stay, sights)], key=lambda sight: sight.t)
        self._tokens[stay.user] = (token[0], token[1] + (len(sights) + 2) * SEQ_STEP)
        return Client(stay, *token, sights, *self._habits[stay.user])

    def _reconnects(self, stay: Stay, sights: list[Sight]) -> Iterator[Sight]:
        """The client lists itself alone, and a little later what it had seen by then."""
        for sight, after in zip(sights, [*sights[1:], None], strict=False):
            if not (self._often(RECONNECTS) and self.odd):
                continue
            until = after.t if after else stay.end or sight.t + 20_000
            t = self.chance.randint(sight.t, max(sight.t, until - 1))
            yield Sight(t, frozenset([stay.user]), 0)
            t += self.chance.randint(300, 3000)
            if stay.lasts(t):
                yield max((each for each in sights if each.t <= t), key=_time)._replace(t=t)

    def _send_lists(self, client: Client) -> None:
        waits_until = suspended_until = 0
        for at, sight in enumerate(client.sights):
            if client.mute is not None and sight.t >= client.mute:
                return
            if waits_until <= sight.t and self._often(OFFLINE):
                waits_until = sight.t + self.chance.randint(0, 120_000)
            if suspended_until <= sight.t and self._often(SUSPENDED) and self.odd:
                suspended_until = sight.t + self.chance.randint(5_000, 60_000)
            sent = max(sight.t, waits_until, suspended_until) + self.chance.randint(1, 30)
            if not client.stay.lasts(sent) and not self._often(LAST_WORDS):
                continue
            if self._often(RETRIED):
                sent += self.chance.randint(1000, 5000)
            age = 0 if client.ageless or suspended_until > sight.t else sent - sight.t
            self._deliver(self.list(client, at, sight, sent, age))
            self.sent.told.append(sight)

    def list(self, client: Client, at: int, sight: Sight, sent: int, age: int) -> Signal:
        """The report of a sight, as it comes in."""
        received = sent + self.transit()
        return Signal(
            Kind.LIST,
            Source.CLIENT,
            client.stay.user,
            received - age,
            received,
            client.order(at),
            self.hash(sight.users),
            sight.users,
        )

    def _deliver(self, signal: Signal) -> None:
        signals = self.sent.signals
        signals.append(signal)
        if self._often(DOUBLED):
            signals.append(signal._replace(received=signal.received + self._about(2000)))
        if self._often(REPLAYED):
            late = self.chance.randint(10_000, 600_000)
            signals.append(signal._replace(received=signal.received + late))

    def _send_beats(self) -> None:
        """Heartbeats, as long as anything comes in, and good-byes."""
        last = max(signal.received for signal in self.sent.signals)
        for client in [each for clients in self.sent.clients.values() for each in clients]:
            end = client.stay.end or last
            mute = end if client.mute is None else client.mute
            start = client.stay.start + self.chance.randint(0, BEAT)
            for t in range(start, min(end, mute), BEAT):
                at = client.sees(t)
                if at >= 0:
                    self.sent.signals.append(self.beat(client, at, t))
            self._say_good_bye(client)

    def beat(self, client: Client, at: int, t: int) -> Signal:
        """A heartbeat that echoes the hash of a sight."""
        t += self.transit()
        hash_ = self.hash(client.sights[at].users)
        order = Order(client.epoch, 0)
        return Signal(Kind.HEARTBEAT, Source.CLIENT, client.stay.user, t, t, order, hash_)

    def _say_good_bye(self, client: Client) -> None:
        end, user = client.stay.end, client.stay.user
        if end is not None and client.mute is None and self._often(LAST_WORDS):
            t = end + self.chance.randint(-20, 20)
            order = Order(client.epoch, LAST_SEQ)
            received = t + self.transit()
            self._deliver(Signal(Kind.LEFT, Source.CLIENT, user, t, received, order))

    def _call_back(self) -> None:
        """Tencent's callbacks: twice at times, late by a retry, or never."""
        for change in self.changes:
            for user in sorted(change.users):
                kind = Kind.ENTERED if user in change.joined else Kind.LEFT
                received = change.t + self.transit()
                if self._often(0.03):
                    received += self.chance.choice([5_000, 10_000, 20_000])
                signal = Signal(kind, Source.TENCENT, user, change.t, received)
                if not self._often(0.01):
                    self._deliver(signal)


def _time(sight: Sight) -> int:
    return sight.t
