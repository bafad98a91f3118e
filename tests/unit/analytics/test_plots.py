"""The report's pictures show what they are given, and say it in words that need no guessing."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from roomgate.analytics.plots import lags, over_time, up_and_down

NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def shapes(svg: str, colour: str) -> list[list[tuple[float, float]]]:
    """The corners of all that is drawn in a colour; y grows downwards."""
    drawn = re.findall(r'<path d="([^"]*)"[^>]*style="([^"]*)"', svg)
    paths = [path for path, style in drawn if f": var(--{colour})" in style]
    return [
        [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", path)] for path in paths
    ]


def words(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_a_number_holds_until_the_next_one() -> None:
    """The line goes on level, and only then down."""
    svg = over_time("a", "A", [NINE, NINE + HOUR], [5, 1], wide=True)
    (first, second, third) = shapes(svg, "first")[-1]
    assert first[1] == second[1] < third[1]
    assert first[0] < second[0] == third[0]


def test_what_goes_is_below_what_comes() -> None:
    """Joins upwards, leaves downwards from the same line, each as high as there are of them."""
    series = (("joins", [3, 1]), ("leaves", [2, 4]))
    svg = up_and_down("a", "A", [NINE, NINE + HOUR], series, wide=True)
    joins, leaves = (
        [y for bar in shapes(svg, colour)[:2] for _, y in bar] for colour in ("first", "second")
    )
    assert max(joins) == min(leaves)
    assert (max(leaves) - min(leaves)) / (max(joins) - min(joins)) == pytest.approx(4 / 3)
    assert "-2" not in words(svg)


@pytest.mark.parametrize(
    ("step", "many", "said"),
    [
        (dt.timedelta(minutes=2), 720, ["12:00", "16:00", "20:00", "03 Mar", "04:00", "08:00"]),
        (HOUR, 24 * 4, ["03 Mar", "04 Mar", "05 Mar", "06 Mar"]),
        (dt.timedelta(days=1), 61, ["15 Mar", "01 Apr", "15 Apr", "01 May"]),
    ],
)
def test_a_day_is_told_with_its_month(step: dt.timedelta, many: int, said: list[str]) -> None:
    """At midnight too: Mar-03 could be a month of 2003."""
    times = [NINE + place * step for place in range(many)]
    told = words(over_time("a", "A", times, [1] * many, wide=True))
    assert [word for word in told if not word.isdigit()] == said


def test_lags_are_told_in_units_that_people_use() -> None:
    """Ten times as long is as far, from milliseconds to hours."""
    svg = lags("a", "A", ["left", "lease"], [(30, 200, 1000), (20_000, 100_000, 15_000_000)])
    places = {word: float(x) for x, word in re.findall(r'<text[^>]* x="(\S+)"[^>]*>([^<]*)<', svg)}
    ticks = ("100 ms", "1 s", "10 s", "1 min", "10 min", "1 h")
    assert [word for word in places if word in ticks] == list(ticks)
    tenfold = places["1 s"] - places["100 ms"]
    assert places["10 s"] - places["1 s"] == pytest.approx(tenfold)
    assert places["10 min"] - places["1 min"] == pytest.approx(tenfold)
