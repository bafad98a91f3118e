"""What truly happens in a room: who comes and who goes, and when."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

START = 1_600_000_000_000  # unix ms

PAUSES = {1: 60, 2: 45, 4: 30, 20: 20, 100: 12, 1000: 12}
"""Mean seconds between changes, by the size of the room."""

FLAPS = 0.1
"""Of all changes: a member leaves, enters 1 to 5 s later, and in half of the cases leaves again."""
MASS_LEAVES = 0.03
"""Of all changes: 20 to 80 % of the members leave, at once or within two seconds."""
RETURNS = 0.3
"""Of all joins: the user was in the room before."""


class Setting(NamedTuple):
    """A room to simulate.

    Attributes:
        size: members around which the room settles; a key of PAUSES.
        ordered: each client sees changes in their order; else each change by itself comes late.
        changes: how many, after the room has filled.
        beats: clients send a heartbeat every 30 s, and callers leave half of the time with a word.
        callbacks: Tencent's callbacks are on.
    """

    size: int
    ordered: bool = True
    changes: int = 60
    beats: bool = False
    callbacks: bool = False


class Change(NamedTuple):
    """Some users come, or some go, at one moment (unix ms)."""

    t: int
    joined: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()

    @property
    def users(self) -> frozenset[str]:
        """Who comes or goes."""
        return self.joined | self.left


class _Crowd:
    """The people around a room."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.t = START
        self.present: set[str] = set()
        self.changes: list[Change] = []
        self._gone: list[str] = []
        self._made = 0

    def wait(self, mean: float) -> None:
        """Let some ms pass."""
        self.t += 1 + int(self.chance.expovariate(1 / mean))

    def come(self, users: Iterable[str]) -> None:
        self.present.update(users)
        self.changes.append(Change(self.t, joined=frozenset(users)))

    def go(self, users: Iterable[str]) -> None:
        self.present.difference_update(users)
        self._gone += sorted(users)
        self.changes.append(Change(self.t, left=frozenset(users)))

    def newcomers(self, many: int) -> set[str]:
        """Users that are not in the room; some have been."""
        users: set[str] = set()
        while len(users) < many:
            back = [user for user in self._gone if user not in self.present and user not in users]
            if back and self.chance.random() < RETURNS:
                users.add(self.chance.choice(back))
            else:
                self._made += 1
                users.add(f"user{self._made:05}")
        return users

    def some(self, many: int = 1) -> list[str]:
        return self.chance.sample(sorted(self.present), many)


def history(setting: Setting, chance: Random) -> list[Change]:
    """All changes of a room, in their order, no two at one moment."""
    crowd = _Crowd(chance)
    step = max(1, setting.size // 8)
    while len(crowd.present) < setting.size:
        crowd.wait(3000)
        crowd.come(crowd.newcomers(min(step, setting.size - len(crowd.present))))
    for _ in range(setting.changes):
        crowd.wait(PAUSES[setting.size] * 1000)
        _change(crowd, setting.size)
    return crowd.changes


def truths(changes: list[Change]) -> list[frozenset[str]]:
    """Who is in the room after each change."""
    empty: frozenset[str] = frozenset()
    sets = accumulate(changes, lambda room, it: (room - it.left) | it.joined, initial=empty)
    return list(sets)[1:]


def _change(crowd: _Crowd, size: int) -> None:
    chance, members = crowd.chance, len(crowd.present)
    kind = chance.random()
    if kind < FLAPS and members:
        _flap(crowd)
    elif kind < FLAPS + MASS_LEAVES and members >= 4:
        _mass_leave(crowd, crowd.some(max(1, int(members * chance.uniform(0.2, 0.8)))))
    elif chance.random() < 0.5 + 2 * (size - members) / size:
        crowd.come(crowd.newcomers(max(1, (size - members) // 8)))
    else:
        crowd.go(crowd.some())


def _flap(crowd: _Crowd) -> None:
    user = crowd.some()
    crowd.go(user)
    crowd.t += crowd.chance.randint(1000, 5000)
    crowd.come(user)
    if crowd.chance.random() < 0.5:
        crowd.t += crowd.chance.randint(1000, 5000)
        crowd.go(user)


def _mass_leave(crowd: _Crowd, users: list[str]) -> None:
    if crowd.chance.random() < 0.5:
        crowd.go(users)
        return
    few = 1 + len(users) // 50
    for start in range(0, len(users), few):
        crowd.go(users[start : start + few])
        crowd.t += crowd.chance.randint(1, 1 + 2000 * few // len(users))
