"""The table of calls: what is made of them, by size, by who sees whom, and by what happens."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from statistics import quantiles
from typing import TYPE_CHECKING, Final, NamedTuple

from simulation.calls import Call, Play

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulation.calls import Result

MOST: Final = 1.05
"""Transitions for each true one, at most."""

SIZES: Final = (2, 3, 4, 20, 100)
EVENTS: Final = ("calm", "flaps", "switches", "crashes", "late", "ages")
SIGHTS: Final = ("full", "audience 50 %", "audience 90 %", "blind", "muted")

LISTS: Final = {"grace", "witnessed"}
WORDS: Final = {"left", "timed-out", "removed"}


class Line(NamedTuple):
    """What was made of calls of one kind.

    Attributes:
        call: the kind.
        results: of the runs.
    """

    call: Call
    results: list[Result]

    @property
    def ratio(self) -> float:
        """Emitted transitions for each true one."""
        true = sum(result.true for result in self.results)
        return sum(result.emitted for result in self.results) / max(1, true)

    @property
    def right(self) -> int:
        """Runs that ended with the right roster."""
        return sum(result.right for result in self.results)

    def waits(self, reasons: Iterable[str]) -> str:
        """Seconds until leaves were shown, by some reasons: the median and the 95th percentile."""
        waits = [ms for result in self.results for reason, ms in result.waits if reason in reasons]
        if len(waits) < 2:
            return "-"
        cuts = quantiles(waits, n=20)
        return f"{cuts[9] / 1000:.1f} / {cuts[18] / 1000:.1f}"

    def __str__(self) -> str:
        """A row of the table, in Markdown."""
        call = self.call
        clients = "callbacks" if call.callbacks else f"{call.beating:.0%} heartbeats"
        signals = sum(result.signals for result in self.results)
        asked = sum(result.asked for result in self.results)
        cells = (
            call.size,
            call.sight,
            call.events,
            clients,
            f"{self.ratio:.3f}",
            f"{self.right}/{len(self.results)}",
            f"{1000 * asked / signals:.1f}",
            self.waits(WORDS),
            self.waits(LISTS),
            self.waits({"lease"}),
        )
        return f"| {' | '.join(map(str, cells))} |"

    def faults(self) -> list[str]:
        """The bounds that do not hold."""
        where = str(self.call)
        faults = []
        if self.ratio > MOST:
            faults.append(f"{where}: {self.ratio:.3f} transitions for each true one")
        if self.right < len(self.results):
            faults.append(f"{where}: {len(self.results) - self.right} rosters are wrong in the end")
        return faults


def heading() -> str:
    """The head of the table, in Markdown."""
    names = (
        "members",
        "sight",
        "events",
        "clients",
        "emitted/true",
        "right",
        "resends in 1,000",
        "left, 104: p50 / p95 s",
        "lists: p50 / p95 s",
        "silence: p50 / p95 s",
    )
    return f"| {' | '.join(names)} |\n|{' --- |' * len(names)}"


def calls(sizes: Iterable[int] = SIZES) -> Iterator[Call]:
    """All kinds of calls, those of two first."""
    for size in sizes:
        for sight, events in product(SIGHTS, EVENTS):
            yield Call(size, events, sight)
        for events in EVENTS:
            yield Call(size, events, beating=0.5)
            yield Call(size, events, callbacks=True)


def line_of(call: Call, seeds: Iterable[int]) -> Line:
    """Play a call some times."""
    return Line(call, [Play(call, seed).run() for seed in seeds])


def still_transitions(seeds: Iterable[int], minutes: int = 60) -> dict[str, int]:
    """Transitions in calls in which nobody comes or goes, after all have come, by who sees whom."""
    extra: dict[str, int] = defaultdict(int)
    for seed in seeds:
        for size, sight in product((2, 3, 8), SIGHTS):
            result = Play(Call(size, "still", sight, minutes=minutes), seed).run()
            extra[sight] += result.emitted - result.true
    return dict(extra)
