"""A figure is a ratio against a named peer or limit, measured in the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HEADINGS = ("what", "measured", "against", "", "ratio", "bound", "")
_LEFT = (0, 2)  # Columns of words; the others hold numbers.
_SMALL = 0.1  # Ratios below this are told to four places.


class BenchError(Exception):
    """Something could not be measured; the text says why."""


class Figure(NamedTuple):
    """One row of the table.

    Attributes:
        what: what was measured.
        measured: its cost, in ``unit``; by itself it says little, since machines differ.
        peer: the peer or limit that it is held against.
        against: the peer's cost or the limit, in ``unit``.
        unit: ``us``, ``ms``, ``s``, ``B``, ``MB`` or ``ct`` (US cents).
        ratio: how many times the peer's cost; measured in alternating runs, so not always exactly
            the quotient of the two.
        bound: the largest good ratio, or None where the figure is only shown.
    """

    what: str
    measured: float
    peer: str
    against: float
    unit: str
    ratio: float
    bound: float | None = None

    @property
    def met(self) -> bool:
        """Whether the bound holds; true where there is none."""
        return self.bound is None or self.ratio <= self.bound

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's texts."""
        bound, verdict = "", "shown"
        if self.bound is not None:
            bound, verdict = f"{self.bound:g}", "met" if self.met else "MISSED"
        numbers = (f"{number:.2f} {self.unit}" for number in (self.measured, self.against))
        measured, against = numbers
        ratio = f"{self.ratio:.2f}" if self.ratio >= _SMALL else f"{self.ratio:.4f}"
        return (self.what, measured, self.peer, against, ratio, bound, verdict)


def all_met(figures: Iterable[Figure]) -> bool:
    """Whether no bound is missed."""
    return all(figure.met for figure in figures)


def table(figures: Iterable[Figure]) -> str:
    """The figures as text in columns."""
    rows = [_HEADINGS, *(figure.cells for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if place in _LEFT else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
