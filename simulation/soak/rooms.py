"""Which rooms are played, and what came of each under every fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulation.runs import World
from simulation.soak.checks import faults_of
from simulation.soak.faults import FAULTS, AnyOfThese
from simulation.soak.plays import Play
from simulation.stored import openids
from simulation.truth import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulation.soak.faults import Sound

CHANGES = 15
LARGE, LARGE_CHANGES = 100, 3
"""A room whose lists are stored as differences, and whose members stand apart from its head."""
SIZES = (4, 2, 4, 20, 1)
EVERY_FAULT = (*FAULTS, AnyOfThese)


class Played(NamedTuple):
    """What came of one play.

    Attributes:
        seed: of the room.
        fault: what went wrong in it.
        reports: that were acknowledged.
        failures: requests that were answered by a failure, or not at all.
        faults: what did not hold.
    """

    seed: int
    fault: str
    reports: int
    failures: int
    faults: list[str]


def play(seed: int) -> list[Played]:
    """Play one room under every fault."""
    return list(plays(setting_of(seed), seed))


def plays(setting: Setting, seed: int) -> Iterator[Played]:
    """Play one room under every fault."""
    for fault in EVERY_FAULT:
        yield played(setting, seed, fault)


def played(setting: Setting, seed: int, fault: type[Sound]) -> Played:
    """Play one room under one fault."""
    world = World(setting, seed, openids)
    done = Play(world, fault, seed)
    done.run()
    reports = len(set(done.acknowledged))
    return Played(seed, fault.__name__, reports, done.failures, faults_of(world, done))


def setting_of(seed: int) -> Setting:
    """The room of a seed: of 1 to 20 members, and of 100 each twentieth time."""
    extras = {"ordered": seed % 4 > 0, "beats": seed % 2 > 0, "callbacks": seed % 7 == 6}
    if seed % 20 == 19:
        return Setting(LARGE, changes=LARGE_CHANGES, **extras)
    return Setting(SIZES[seed % len(SIZES)], changes=CHANGES, **extras)
