"""What the members' clients get to see: whole lists, each a little late."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from simulation.truth import Change


class Stay(NamedTuple):
    """One stay of one user in the room.

    Attributes:
        user: who.
        start: when it enters, in unix ms.
        end: when it leaves; None: not any more.
        first: the place of the change with which it enters, among all changes.
        last: of the one with which it leaves.
    """

    user: str
    start: int
    end: int | None
    first: int
    last: int

    def lasts(self, t: int) -> bool:
        """Whether it has not ended at a moment."""
        return self.end is None or t < self.end


class Sight(NamedTuple):
    """A list as a client gets it.

    Attributes:
        t: when the client gets it, in unix ms.
        users: everyone in it, the client's own user too.
        known: the client knows of all changes before this one,
        besides: and of these after it.
    """

    t: int
    users: frozenset[str]
    known: int
    besides: frozenset[int] = frozenset()


def stays(changes: list[Change]) -> list[Stay]:
    """Who is in the room from when to when."""
    entered: dict[str, int] = {}
    ended = []
    for at, change in enumerate(changes):
        for user in change.left:
            first = entered.pop(user)
            ended.append(Stay(user, changes[first].t, change.t, first, at))
        entered |= dict.fromkeys(change.joined, at)
    ended += [Stay(user, changes[at].t, None, at, len(changes)) for user, at in entered.items()]
    return sorted(ended, key=lambda stay: (stay.start, stay.user))


def in_order(
    stay: Stay, changes: list[Change], sets: list[frozenset[str]], chance: Random
) -> Iterator[Sight]:
    """The lists of a client that sees one change after the other."""
    t = 0
    for at in range(stay.first, stay.last):
        t = max(t + 1, changes[at].t + _delay(chance))
        if not stay.lasts(t):
            return
        yield Sight(t, sets[at], at + 1)


def in_another_order(
    stay: Stay, changes: list[Change], sets: list[frozenset[str]], chance: Random
) -> Iterator[Sight]:
    """The lists of a client that sees each change after a time of its own.

    It sees what one user does in its order: else it would be wrong for ever.
    """
    start = stay.start + _delay(chance)
    users, known, besides = sets[stay.first], stay.first + 1, set()
    sights = [(start, stay.first), *_arrivals(stay, start, changes, chance)]
    for t, at in sorted(sights):
        if not stay.lasts(t):
            return
        if at >= known:
            besides.add(at)
        while known in besides:
            besides.remove(known)
            known += 1
        late = changes[at]
        users = (users - late.left) | late.joined if besides else sets[known - 1]
        yield Sight(t, users, known, frozenset(besides))


def _arrivals(
    stay: Stay, start: int, changes: list[Change], chance: Random
) -> Iterator[tuple[int, int]]:
    seen: dict[str, int] = {}
    for at in range(stay.first + 1, stay.last):
        users = changes[at].users
        t = max(start, changes[at].t + _delay(chance), *(seen.get(user, 0) for user in users)) + 1
        seen |= dict.fromkeys(users, t)
        yield t, at


def _delay(chance: Random) -> int:
    """Ms until a client sees a change: mostly under half a second, at times a few seconds."""
    slow = chance.random() < 0.03
    return 30 + int(chance.expovariate(1 / 150)) + slow * int(chance.expovariate(1 / 1500))
