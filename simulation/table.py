"""The table: how often each rule has it right, and the bounds that ours must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulation.rules import LastWriterWins, Refolded, Roomgate, UnionOfViews
from simulation.runs import World
from simulation.truth import PAUSES, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simulation.rules import Rule
    from simulation.runs import Score

SETTINGS = [
    *(Setting(size) for size in PAUSES),
    *(Setting(size, ordered=False) for size in PAUSES),
    *(Setting(size, beats=True) for size in (4, 20, 100)),
    *(Setting(size, callbacks=True) for size in (4, 20, 100)),
]
RULES: tuple[type[Rule], ...] = (Roomgate, LastWriterWins, UnionOfViews)
KEPT = (4, 20, 100)
"""Sizes of rooms in which everything is folded twice as well."""

OURS = (Roomgate.name, Refolded.name)

LEAST_IN_ORDER, LEAST_ELSE = 0.98, 0.95
MOST_IN_ORDER, MOST_ELSE = 1.02, 1.15


class Line(NamedTuple):
    """One rule in one setting.

    Attributes:
        setting: the setting.
        rule: the rule's name.
        scores: of the runs.
        signals: that came in in all of them; of ours only, as what follows.
        writes: of a head.
        recalls: reads of a reporter's last reports.
        loads: reads of the members.
    """

    setting: Setting
    rule: str
    scores: list[Score]
    signals: int = 0
    writes: int = 0
    recalls: int = 0
    loads: int = 0

    def __str__(self) -> str:
        """A row."""
        runs = [score.emitted / score.true for score in self.scores]
        known = [score for score in self.scores if score.knowable]
        told = sum(score.told for score in self.scores) / self._true
        costs = (self.writes, self.recalls, self.loads)
        cost = " ".join(f"{number / self.signals:7.3f}" for number in costs if self.signals)
        right = f"{sum(score.right for score in known)}/{len(known)}"
        return (
            f"{self.setting.size:7} {self._clients:22} {self.rule:16} {len(runs):4} {self._true:6}"
            f" {told:5.2f} {self._lasting / self._true:7.2f}"
            f" {self.ratio:6.3f} {min(runs):6.2f}-{max(runs):5.2f} {right:>9}"
            f" {len(runs) - len(known):10} {self._twice:5} {cost}"
        )

    @property
    def ratio(self) -> float:
        """Emitted transitions to true ones."""
        return sum(score.emitted for score in self.scores) / self._true

    def faults(self) -> list[str]:
        """The bounds that do not hold; nothing is asked of the other rules."""
        if self.rule not in OURS:
            return []
        where = f"{self.rule}: {self.setting.size} members, {self._clients}"
        faults = []
        most = MOST_IN_ORDER if self.setting.ordered else MOST_ELSE
        least = LEAST_IN_ORDER if self.setting.ordered else LEAST_ELSE
        lasting = sum(score.emitted for score in self.scores) / self._lasting
        if 4 <= self.setting.size <= 100 and (lasting < least or self.ratio > most):
            faults.append(f"{where}: {self.ratio:.3f} transitions for each true one")
        if any(score.knowable and not score.right for score in self.scores):
            faults.append(f"{where}: a roster is wrong in the end")
        if self._twice:
            faults.append(f"{where}: a user joined or left twice in a row")
        return faults

    @property
    def _true(self) -> int:
        return sum(score.true for score in self.scores)

    @property
    def _lasting(self) -> int:
        return sum(score.lasting for score in self.scores)

    @property
    def _twice(self) -> int:
        return sum(score.twice for score in self.scores)

    @property
    def _clients(self) -> str:
        setting = self.setting
        extras = ["heartbeats"] * setting.beats + ["callbacks"] * setting.callbacks
        return ", ".join(["in order" if setting.ordered else "in another order", *extras])


def heading() -> str:
    """Names of the columns; the last three are per signal."""
    return (
        f"{'members':>7} {'clients':22} {'rule':16} {'runs':>4} {'true':>6}"
        f" {'told':>5} {'lasting':>7}"
        f" {'emitted/true':>18} {'right':>9} {'unknowable':>10} {'twice':>5}"
        f" {'writes':>7} {'recalls':>7} {'loads':>7}"
    )


def tabulate(
    setting: Setting, seeds: Iterable[int], rules: Sequence[type[Rule]] = RULES
) -> Iterator[Line]:
    """One line for each rule."""
    scores: dict[str, list[Score]] = {rule.name: [] for rule in rules}
    costs: dict[str, list[int]] = {rule.name: [0, 0, 0, 0] for rule in rules}
    for seed in seeds:
        world = World(setting, seed)
        for make in rules:
            rule = make()
            scores[rule.name].append(world.score(rule))
            if isinstance(rule, Roomgate):
                ours = (rule.signals, rule.writes, rule.recalls, rule.loads)
                costs[rule.name] = [a + b for a, b in zip(costs[rule.name], ours, strict=True)]
    for name, each in scores.items():
        yield Line(setting, name, each, *costs[name])
