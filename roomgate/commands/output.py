"""The one place where the command line answers: JSON or text, colour and progress on a terminal."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_COLOURS: Final = {
    "ok": "green",
    "current": "green",
    "candidate": "cyan",
    "pending": "yellow",
    "look": "yellow",
    "fix": "red",
}


class Output:
    """How one command answers.

    The answer goes to standard output; notes and progress go to standard error, so that a pipe
    carries the answer alone. click strips colour where the stream is no terminal.

    Attributes:
        as_json: whether the answer is JSON.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._notes: list[str] = []

    def answer(self, facts: dict[str, Any], text: str) -> None:
        """Answer: the facts as JSON for a script (with the notes so far), the text for a person."""
        if self.as_json:
            text = json.dumps({**facts, "notes": self._notes} if self._notes else facts)
        click.echo(text)

    def note(self, text: str) -> None:
        """Say something beside the answer."""
        self._notes.append(text)
        click.echo(click.style(text, fg="yellow"), err=True)

    @contextmanager
    def waiting(self, what: str) -> Iterator[Callable[[], None]]:
        """Show on a terminal that something takes its time.

        Args:
            what: is waited for, as "the rotation".

        Yields:
            What draws the line anew, with the seconds so far; it does nothing without a terminal.
        """
        if not self._shows_progress:
            yield lambda: None
            return
        started = time.monotonic()

        def draw() -> None:
            seconds = f"{time.monotonic() - started:.0f} s"
            click.echo(f"\r\x1b[KWaiting for {what}: {seconds}", nl=False, err=True)

        draw()
        try:
            yield draw
        finally:
            click.echo("\r\x1b[K", nl=False, err=True)

    @contextmanager
    def progress(self, what: str, length: int) -> Iterator[Callable[[int], None]]:
        """Show on a terminal how far something has come, as a bar.

        Args:
            what: is being done.
            length: at which it is done.

        Yields:
            What is told how far it is; it does nothing without a terminal.
        """
        hidden = not self._shows_progress
        with click.progressbar(length=length, label=what, file=sys.stderr, hidden=hidden) as bar:
            yield lambda reached: bar.update(max(0, reached - bar.pos))

    @property
    def _shows_progress(self) -> bool:
        return not self.as_json and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def coloured(word: str) -> str:
    """A word of a state or a verdict in its colour."""
    return click.style(word, fg=_COLOURS[word.strip()]) if word.strip() in _COLOURS else word


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what stands in them; states in colour."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(_padded(cells, widths)) for cells in (tuple(word.upper() for word in head), *rows)
    ]
    lines[0] = click.style(lines[0], bold=True)
    return "\n".join(line.rstrip() for line in lines)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [coloured(f"{cell:{width}}") for cell, width in zip(cells, widths, strict=True)]


def when(seconds: float) -> str:
    """A moment, for a person."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def span(seconds: float) -> str:
    """A length of time, for a person: ``3 d``, ``4 h``, ``12 min``, ``5 s``."""
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds)} s"
