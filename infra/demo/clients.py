"""What clients and Tencent say of a call: late, twice, with wrong ages, or not at all.

::

    Listed   a client sends the list that it sees
    Beaten   a client sends a heartbeat
    Gone     a client says that it leaves
    Called   Tencent calls back
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.roster.callback import ENTERED, LEFT, ROOM_GROUP, parse_callback
from chalicelib.roster.signal import Kind, Signal, Source
from chalicelib.roster.view import View, set_hash
from chalicelib.table.callback_items import StoredCallback
from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.reports import Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from infra.demo.day import Call, Stay

AGELESS: Final = 0.03
"""Of all clients: say of every list that it is new."""
OFFLINE: Final = 0.01
"""Of all lists: the first of those that wait for up to 90 s."""
DOUBLED: Final = 0.04
"""Of all that is sent: comes in twice."""
RETRIED: Final = 0.02
"""Of all callbacks: reach us at the second try, 5 s later."""
GOOD_BYES: Final = 0.6
"""Of all leaves: the client says so."""

BEAT: Final = 60_000
SEQ_STEP: Final = 1000
"""Between lists, so that those that are asked for find a place."""


class Listed(NamedTuple):
    """A list, as it is sent."""

    client: Client
    users: frozenset[str]
    seq: int
    age: int
    resent: bool = False

    def report(self, received: int) -> Report:
        """The report, as it comes in."""
        return self.client.report(self, received)


class Beaten(NamedTuple):
    """A heartbeat, which echoes the hash of the newest list before it."""

    client: Client
    last: Listed

    def signal(self, received: int) -> Signal:
        """What it says to the fold."""
        hash_ = self.client.room.hash(self.client.newest(self.last).users)
        user = self.client.stay.user
        return Signal(Kind.HEARTBEAT, Source.CLIENT, user, received, received, hash=hash_)


class Gone(NamedTuple):
    """A good-bye."""

    client: Client
    seq: int
    age: int

    def report(self, received: int) -> Report:
        """The report, as it comes in."""
        place, epoch = self.client.place, self.client.epoch
        return Report(place, epoch, self.seq, received, self.age, Source.CLIENT, None)


class Called(NamedTuple):
    """A callback of Tencent's: a user came (103) or went (104)."""

    call: Call
    user: str
    event: int
    t: int

    def stored(self, received: int) -> StoredCallback:
        """The callback, as it comes in."""
        info = {"RoomId": self.call.ref.room, "EventTs": self.t // 1000, "EventMsTs": self.t}
        body = {
            "EventGroupId": ROOM_GROUP,
            "EventType": self.event,
            "CallbackTs": received,
            "EventInfo": {**info, "UserId": self.user, "Role": 20, "Reason": 1},
        }
        callback = parse_callback(json.dumps(body).encode())
        return StoredCallback(self.call.ref.sdk_app_id, received, callback)


Said = Listed | Beaten | Gone | Called


class Sent(NamedTuple):
    """Something that is said, and unix ms at which it comes in."""

    received: int
    said: Said


class Room:
    """A call as it truly is.

    Args:
        call: the call.

    Attributes:
        call: likewise.
        times: unix ms of its changes, in order.
        sets: who is there from each of them on.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        steps: dict[int, Counter[str]] = {}
        for stay in call.stays:
            steps.setdefault(stay.begin, Counter())[stay.user] += 1
            steps.setdefault(stay.end, Counter())[stay.user] -= 1
        self.times = sorted(steps)
        empty: frozenset[str] = frozenset()
        changes = (steps[t] for t in self.times)
        self.sets = list(accumulate(changes, _after, initial=empty))[1:]
        self._hashes: dict[frozenset[str], str] = {}

    def hash(self, users: frozenset[str]) -> str:
        """`set_hash`, worked out once for each set."""
        if users not in self._hashes:
            self._hashes[users] = set_hash(users)
        return self._hashes[users]

    def at(self, t: int) -> frozenset[str]:
        """Who is there at a moment."""
        return self.sets[bisect_right(self.times, t) - 1]


class Client:
    """One stay of a user, as its client lives it.

    Args:
        room: the call.
        stay: the stay.
        chance: decides.
    """

    def __init__(self, room: Room, stay: Stay, chance: Random) -> None:
        self.room = room
        self.stay = stay
        self.place = ReporterKey(*room.call.ref, stay.user)
        self.epoch = stay.begin - chance.randint(200, 2000)
        self._chance = chance
        self._ageless = chance.random() < AGELESS
        self._server = f"183.3.225.{chance.randint(10, 29)}:1935"
        self._newest: Listed | None = None  # Of those that were sent, or asked for.

    def report(self, listed: Listed, received: int) -> Report:
        """A list as it comes in."""
        user = self.stay.user
        others = {each: self._playurls[each] for each in sorted(listed.users) if each != user}
        view = View(user, others, self.room.hash(listed.users))
        order = (self.epoch, listed.seq)
        return Report(
            self.place, *order, received, listed.age, Source.CLIENT, view, resent=listed.resent
        )

    def newest(self, last: Listed) -> Listed:
        """The newest list, where ``last`` is the newest of those that nobody asked for."""
        if self._newest is None or self._newest.seq < last.seq:
            self._newest = last
        return self._newest

    def again(self, now: int) -> Listed | None:
        """The list as it is now, which was asked for; None: the client is gone."""
        last, users = self._newest, self.room.at(now)
        if last is None or now >= self.stay.mute:
            return None
        self._newest = last._replace(users=users, seq=last.seq + 1, age=0, resent=True)
        return self._newest

    def sends(self) -> Iterator[Sent]:
        """All that it sends, each as it comes in."""
        lists = list(self._lists())
        yield from lists
        if self.room.call.beats and lists:
            yield from self._beats(lists)
        died = self.stay.mute < self.stay.end
        if not died and self._chance.random() < GOOD_BYES:
            gone = Gone(self, SEQ_STEP * (len(lists) + 1), self._chance.randint(5, 60))
            yield Sent(self.stay.mute + gone.age + transit(self._chance), gone)

    @cached_property
    def _playurls(self) -> dict[str, str]:
        app, room = self.room.call.ref
        users = {stay.user for stay in self.room.call.stays}
        return {user: f"room://{self._server}/webrtc/{app}_{room}_{user}" for user in users}

    def _lists(self) -> Iterator[Sent]:
        waits, chance = 0, self._chance
        for number, t in enumerate(self._looks()):
            if waits <= t and chance.random() < OFFLINE:
                waits = t + chance.randint(0, 90_000)
            sent = max(t, waits) + chance.randint(5, 30)
            if sent >= self.stay.mute:
                return
            age = 0 if self._ageless else sent - t
            said = Listed(self, self.room.at(t), SEQ_STEP * (number + 1), age)
            yield Sent(sent + transit(chance), said)

    def _looks(self) -> Iterator[int]:
        """When it looks at the list: a little after a change, and then not for a while."""
        times = self.room.times
        at, last = bisect_right(times, self.stay.begin) - 1, 0
        while at < len(times):
            t = max(times[at] + 30 + int(self._chance.expovariate(1 / 150)), last)
            if t >= self.stay.mute:
                return
            yield t
            at, last = bisect_right(times, t), t + self.room.call.pause

    def _beats(self, lists: list[Sent]) -> Iterator[Sent]:
        """Heartbeats, each with what was listed last."""
        starts = [sent.received for sent in lists]
        first = self.stay.begin + self._chance.randint(0, BEAT)
        for t in range(first, self.stay.mute, BEAT):
            received = t + transit(self._chance)
            at = bisect_right(starts, t) - 1
            said = lists[at].said
            if at >= 0 and isinstance(said, Listed):
                yield Sent(received, Beaten(self, said))


def sent_in(call: Call, chance: Random) -> list[Sent]:
    """All that is said of a call, in the order in which it comes in."""
    room = Room(call)
    sent = [
        each for stay in call.stays if stay.reports for each in Client(room, stay, chance).sends()
    ]
    if call.callbacks:
        sent += _callbacks(call, chance)
    sent += [
        each._replace(received=each.received + int(chance.expovariate(1 / 2000)))
        for each in sent
        if chance.random() < DOUBLED
    ]
    return sorted(sent, key=lambda each: each.received)


def transit(chance: Random) -> int:
    """Ms that a request takes: mostly a tenth of a second, at times some seconds."""
    slow = chance.random() < 0.02  # noqa: PLR2004 (a share)
    return 20 + int(chance.expovariate(1 / 120)) + slow * int(chance.expovariate(1 / 1500))


def _callbacks(call: Call, chance: Random) -> Iterator[Sent]:
    for stay in call.stays:
        for event, t in ((ENTERED, stay.begin), (LEFT, stay.end)):
            late = 5_000 if chance.random() < RETRIED else 0
            yield Sent(t + late + transit(chance), Called(call, stay.user, event, t))


def _after(users: frozenset[str], step: Counter[str]) -> frozenset[str]:
    came = {user for user, change in step.items() if change > 0}
    went = {user for user, change in step.items() if change < 0}
    return (users - went) | came
