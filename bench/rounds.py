"""Taking turns: what is compared is measured within the same few milliseconds, again and again.

In each round every subject runs for a moment; a ratio is that of two subjects in one round, and the
median of the rounds counts. Not the minimum: a call that is cheap only while the allocator or the
collector happens to be in a good mood costs its callers more than that. Whatever slows the machine
down for longer than a round slows both, and cancels out.
"""

from __future__ import annotations

import itertools
import statistics
import time
from typing import TYPE_CHECKING

from bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TURN_SECONDS = 0.003
MICROSECONDS = 1e6

Series = dict[str, list[float]]
"""Seconds a call, by subject; one number for each round."""


def take_turns(
    subjects: Mapping[str, Callable[[], object]], rounds: int, turn: float = TURN_SECONDS
) -> Series:
    """Measure subjects in alternating turns.

    Args:
        subjects: what to call, by name.
        rounds: how often each has its turn.
        turn: about how long a turn lasts, in seconds.
    """
    calls = {name: _calls_in(call, turn) for name, call in subjects.items()}
    series: Series = {name: [] for name in subjects}
    order = list(subjects)
    for _ in range(rounds):
        for name in order:
            series[name].append(_seconds_a_call(subjects[name], calls[name]))
        order.reverse()  # So that nobody always follows the same one.
    return series


def median_ratio(subject: Sequence[float], peer: Sequence[float]) -> float:
    """The median of the ratios of the rounds."""
    return statistics.median(mine / its for mine, its in zip(subject, peer, strict=True))


def figure(series: Series, what: str, peer: str, bound: float | None = None) -> Figure:
    """How a subject compares with another of the same turns."""
    return Figure(
        what,
        statistics.median(series[what]) * MICROSECONDS,
        peer,
        statistics.median(series[peer]) * MICROSECONDS,
        "us",
        median_ratio(series[what], series[peer]),
        bound,
    )


def _calls_in(call: Callable[[], object], seconds: float) -> int:
    """How many calls fill that time, once the subject is warm."""
    calls = 1
    while (taken := _seconds_a_call(call, calls) * calls) < seconds:
        calls *= 2
    return max(1, round(calls * seconds / taken))


def _seconds_a_call(call: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in itertools.repeat(None, calls):
        call()
    return (time.perf_counter() - start) / calls
