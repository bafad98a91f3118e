"""Pictures of the lake's answers, as SVG that stands in a page, made with matplotlib.

No picture has a colour of its own: each is one of the page's, which has them for light and for
dark. Text stays text, so that it can be read out, selected and searched.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

# What matplotlib is told, each a colour that it uses for nothing else -> the page's name for it.
_COLOURS: Final = {
    "#010101": "ink",
    "#020202": "muted",
    "#030303": "grid",
    "#040404": "first",
    "#050505": "second",
    "#060606": "third",
}
_NAMED: Final = {name: colour for colour, name in _COLOURS.items()}

NARROW: Final = (5.0, 3.1)
WIDE: Final = (11.2, 3.4)
"""Inches, of 72 units each: a phone's width, and a desktop's."""

# Of ticks a year, a month, a day, an hour, a minute, a second apart; and of the first of each.
_TIMES: Final = ["%Y", "%b %Y", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"]
_FIRST_TIMES: Final = ["", "%b %Y", "%d %b", "%d %b", "%H:%M", "%H:%M"]

_ROW_INCHES: Final = 0.27
_AROUND_INCHES: Final = 0.75
_LONGEST_NAME: Final = 18
_LOG_FROM_MS: Final = 100
_LAGS: Final = {
    1: "1 ms",
    10: "10 ms",
    100: "100 ms",
    1_000: "1 s",
    10_000: "10 s",
    60_000: "1 min",
    600_000: "10 min",
    3_600_000: "1 h",
    36_000_000: "10 h",
    360_000_000: "100 h",
}
"""The ticks of lags, in ms."""

_SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "font.size": 11,
    "axes.edgecolor": _NAMED["grid"],
    "axes.labelcolor": _NAMED["muted"],
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.titlesize": 11,
    "grid.color": _NAMED["grid"],
    "grid.linewidth": 0.8,
    "text.color": _NAMED["ink"],
    "text.parse_math": False,
    "xtick.color": _NAMED["grid"],
    "ytick.color": _NAMED["grid"],
    "xtick.labelcolor": _NAMED["muted"],
    "ytick.labelcolor": _NAMED["ink"],
    "legend.frameon": False,
    "legend.labelcolor": _NAMED["ink"],
    "figure.constrained_layout.use": True,
}


def over_time(
    name: str, title: str, times: Sequence[Any], users: Sequence[int], *, wide: bool
) -> str:
    """A number that holds until the next one, over time; ``times`` are datetimes in UTC."""
    with _picture(WIDE if wide else NARROW) as (figure, axes):
        axes.fill_between(times, users, step="post", color=_NAMED["first"], alpha=0.18, linewidth=0)
        axes.step(times, users, where="post", color=_NAMED["first"], linewidth=1.4)
        _time_axis(axes)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_formatter(_COUNT)
        axes.margins(x=0)
        return _svg(figure, name, title)


def up_and_down(
    name: str,
    title: str,
    times: Sequence[Any],
    series: tuple[tuple[str, Sequence[int]], tuple[str, Sequence[int]]],
    *,
    wide: bool,
) -> str:
    """Two numbers of each span of time, which ``times`` begin: one upwards, one downwards."""
    with _picture(WIDE if wide else NARROW) as (figure, axes):
        (up, ups), (down, downs) = series
        hour: Any = dt.timedelta(hours=0.9 * _step_hours(times))
        axes.bar(times, ups, width=hour, align="edge", color=_NAMED["first"], label=up)
        below = [-each for each in downs]
        axes.bar(times, below, width=hour, align="edge", color=_NAMED["second"], label=down)
        axes.axhline(0, color=_NAMED["muted"], linewidth=0.8)
        _time_axis(axes)
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_formatter(_COUNT)
        axes.margins(x=0)
        axes.legend(loc="upper left", ncols=2, bbox_to_anchor=(0, 1.16), borderaxespad=0)
        return _svg(figure, name, title)


def bars(
    name: str, title: str, labels: Sequence[str], numbers: Sequence[float], *, percent: bool = False
) -> str:
    """A number of each of some things, from top to bottom, written beside its bar."""
    with _picture((NARROW[0], _AROUND_INCHES + _ROW_INCHES * len(labels))) as (figure, axes):
        drawn = axes.barh(range(len(labels)), numbers, color=_NAMED["first"], height=0.72)
        _things(axes, labels)
        written = [f"{n:.1%}" if percent else f"{n:,.0f}" for n in numbers]
        axes.bar_label(drawn, written, padding=3, color=_NAMED["muted"], fontsize=10)
        axes.margins(x=0.16)
        axes.xaxis.set_visible(False)
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        return _svg(figure, name, title)


def lags(
    name: str, title: str, labels: Sequence[str], spans: Sequence[tuple[float, float, float]]
) -> str:
    """Lags in ms of each of some things: the median, the 90th and the 99th percentile."""
    with _picture((NARROW[0], _AROUND_INCHES + 0.4 + _ROW_INCHES * len(labels))) as (figure, axes):
        places = range(len(labels))
        middle, most, last = ([max(1.0, each[n]) for each in spans] for n in range(3))
        axes.hlines(places, middle, last, color=_NAMED["grid"], linewidth=5)
        marks = (
            (middle, "o", "first", "p50", 42),
            (most, "D", "third", "p90", 34),
            (last, "|", "second", "p99", 190),
        )
        for values, marker, colour, label, size in marks:
            axes.scatter(
                values, places, color=_NAMED[colour], marker=marker, s=size, zorder=3, label=label
            )
        axes.set_xscale("log")
        axes.set_xticks([*_LAGS], [*_LAGS.values()])
        axes.set_xlim(min(_LOG_FROM_MS, *middle) * 0.8, max(last) * 1.6)
        _things(axes, labels)
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower left", ncols=3, bbox_to_anchor=(0, 1), borderaxespad=0)
        return _svg(figure, name, title)


_COUNT: Final = FuncFormatter(lambda number, _: f"{abs(number):,.0f}")


@contextmanager
def _picture(inches: tuple[float, float]) -> Iterator[tuple[Figure, Axes]]:
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # It is the browser that draws a room's name, and it has the characters.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=inches)
        yield figure, figure.add_subplot()


def _time_axis(axes: Axes) -> None:
    # Matplotlib has types, but these two classes have none.
    locator = AutoDateLocator(minticks=3, maxticks=8, tz=dt.UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    concise = ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator, tz=dt.UTC, formats=_TIMES, zero_formats=_FIRST_TIMES, show_offset=False
    )
    axes.xaxis.set_major_formatter(concise)


def _things(axes: Axes, labels: Sequence[str]) -> None:
    """Name the rows; the first stands on top."""
    axes.set_yticks(range(len(labels)), [_short(label) for label in labels])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.45, -0.55)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_NAME else f"{label[: _LONGEST_NAME - 1]}…"


def _step_hours(times: Sequence[dt.datetime]) -> float:
    return (times[1] - times[0]).total_seconds() / 3600 if len(times) > 1 else 1


def _svg(figure: Figure, name: str, title: str) -> str:
    """The picture as it stands in a page: its ids its own, its colours the page's."""
    written = io.StringIO()
    mpl.rcParams["svg.hashsalt"] = name  # So that the same numbers give the same page.
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    text = written.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, ours in _COLOURS.items():
        text = text.replace(colour, f"var(--{ours})")
    _, box = text.split('viewBox="', 1)
    size, _ = box.split('"', 1)
    inside = text[text.index(">") + 1 :]
    return f'<svg viewBox="{size}" role="img" aria-label="{escape(title)}">{inside}'
