"""All orders of a few callbacks, and random mixes of callbacks, lists, own words and re-entries."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.roster.head import STRAGGLER
from chalicelib.roster.signal import LAST_SEQ, Kind, Order, Signal, Source
from chalicelib.roster.timeouts import due
from chalicelib.roster.view import set_hash
from simulation.rules import Roomgate
from simulation.truth import START

if TYPE_CHECKING:
    from collections.abc import Iterator

USERS: Final = ("anna", "berta", "carla")
LATEST: Final = 55_000
"""Ms by which a callback may be late: Tencent sends it for a minute."""
APART: Final = STRAGGLER + 1000
"""Ms between two things that happen, at least: within fewer, clocks tell no order."""

SETTLED: Final = 60_000
"""Ms after which nothing waits any more."""


class Mix(NamedTuple):
    """What is said, in the order in which it comes in, and who is there in the end."""

    signals: list[Signal]
    present: frozenset[str]


def callbacks_of_one(number: int) -> Iterator[list[Signal]]:
    """All sequences of so many 103 and 104 of one user, a second apart."""
    for kinds in product((Kind.ENTERED, Kind.LEFT), repeat=number):
        yield [
            Signal(kind, Source.TENCENT, USERS[0], START + 1000 * at, START + 1000 * at)
            for at, kind in enumerate(kinds)
        ]


def mix(seed: int) -> Mix:
    """A history of up to three users, and what is said of it, late, doubled and in any order."""
    chance = Random(seed)  # noqa: S311 (a simulation)
    users = USERS[: chance.randint(1, len(USERS))]
    present: dict[str, Order] = {}
    said: list[Signal] = []
    t = START
    for _ in range(chance.randint(1, 8)):
        t += chance.randint(APART, 30_000)
        user = chance.choice(users)
        if user in present:
            order = present.pop(user)
            said.append(Signal(Kind.LEFT, Source.TENCENT, user, t, t))
            if chance.random() < 0.5:
                goodbye = Order(order.epoch, LAST_SEQ)
                said.append(Signal(Kind.LEFT, Source.CLIENT, user, t, t, goodbye))
        else:
            present[user] = Order(t - 300, 0)
            said.append(Signal(Kind.ENTERED, Source.TENCENT, user, t, t))
        if user in present and chance.random() < 0.2:
            t += chance.randint(APART, 10_000)
            present[user] = Order(t - 300, 0)
            said.append(Signal(Kind.ENTERED, Source.TENCENT, user, t, t))
        for reporter in list(present):
            if chance.random() < 0.7:
                present[reporter] = order = present[reporter]._replace(
                    seq=present[reporter].seq + 1
                )
                others = frozenset(present) - {reporter}
                hash_ = set_hash(present)
                said.append(Signal(Kind.LIST, Source.CLIENT, reporter, t, t, order, hash_, others))
    late = [
        each._replace(received=each.received + chance.randint(50, LATEST))
        for each in [*said, *chance.choices(said, k=chance.randint(0, 3))]
    ]
    return Mix(sorted(late, key=lambda signal: signal.received), frozenset(present))


def told(signals: list[Signal]) -> Roomgate:
    """A room that hears signals as they come in, and does what is due between them."""
    rule = Roomgate()
    for signal in signals:
        while (when := due(rule.head)) is not None and when <= signal.received:
            rule.settle(when)
        rule.take(signal)
    return rule
