"""Scripted rooms: who is inside, who is shown whom, and what the network does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

HEARTBEAT: Final = 10.0
"""Seconds between a member's heartbeats, where the server does not ask for another pace."""

FLAP: Final = (0.3, 1.3)
"""Seconds for which a member's list is empty in a flap; a network switch takes as long."""


class Sight(NamedTuple):
    """A list that a member's client gets.

    Attributes:
        at: seconds since the room began.
        users: the others whom it names.
        reenters: the client has changed networks: it takes a new entry first, so the list belongs
            to a new epoch (event 1021).
    """

    at: float
    users: frozenset[str]
    reenters: bool = False


class Script(NamedTuple):
    """One room, as it truly is.

    Attributes:
        name: the row of the table that it counts for.
        sights: of each member that reports, its lists in order; the first one follows its entry.
        joins: seconds at which each member enters.
        callbacks: Tencent tells of entries.
        lists: members report lists and heartbeats.
    """

    name: str
    sights: Mapping[str, tuple[Sight, ...]]
    joins: Mapping[str, float]
    callbacks: bool = False
    lists: bool = True

    @property
    def true(self) -> int:
        """Transitions that truly were: nobody leaves in these rooms."""
        return len(self.joins)


def steady(name: str, hosts: int, viewers: int, *, chance: Random, **how: bool) -> Script:
    """A room in which hosts see hosts, viewers see hosts, and nobody sees a viewer."""
    on_stage = [f"host{number}" for number in range(hosts)]
    users = [*on_stage, *(f"viewer{number}" for number in range(viewers))]
    joins = {
        user: round(0.3 * place + chance.random() * 0.2, 3) for place, user in enumerate(users)
    }
    sights = {user: tuple(_arrivals(user, on_stage, joins)) for user in users}
    return Script(name, sights, joins, **how)


def flapping(size: int, duration: float, chance: Random) -> Script:
    """A call in which one member's list is empty for a moment, once a minute or so."""
    call = steady(f"a flap, {size} members", size, 0, chance=chance)
    user = "host0"
    return _interrupted(call, user, duration, chance, switch=False)


def switching(size: int, duration: float, chance: Random) -> Script:
    """A call in which one member changes networks; half of the others see it go and come back."""
    call = steady(f"a network switch, {size} members", size, 0, chance=chance)
    return _interrupted(call, "host0", duration, chance, switch=True)


def _arrivals(user: str, on_stage: list[str], joins: Mapping[str, float]) -> list[Sight]:
    """What a member sees: at its entry those who are there, then each who comes."""
    start = joins[user]
    others = [each for each in on_stage if each != user]
    times = [start, *(joins[each] for each in others if joins[each] > start)]
    return [
        Sight(t + 0.1, frozenset(each for each in others if joins[each] <= t))
        for t in sorted(times)
    ]


def _interrupted(
    call: Script, user: str, duration: float, chance: Random, *, switch: bool
) -> Script:
    sights = {member: list(lists) for member, lists in call.sights.items()}
    everyone = frozenset(call.joins)
    t = max(call.joins.values()) + 5
    while t < duration - 15:
        back = t + chance.uniform(*FLAP)
        sights[user] += [Sight(t, frozenset(), switch), Sight(back, everyone - {user})]
        for other in everyone - {user}:
            if switch and chance.random() < 1 / 2:
                sights[other] += [
                    Sight(t + 0.1, everyone - {user, other}),
                    Sight(back + 0.1, everyone - {other}),
                ]
        t = back + chance.uniform(20, 40)
    return call._replace(sights={member: tuple(lists) for member, lists in sights.items()})
