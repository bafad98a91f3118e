from __future__ import annotations

import pytest

from bench.rounds import figure, median_ratio, take_turns


def test_a_ratio_is_taken_within_each_round() -> None:
    """A slow spell of the machine slows both subjects of a round, and cancels out."""
    quick, slowed = [2.0, 20.0, 2.0], [1.0, 10.0, 1.0]
    assert median_ratio(quick, slowed) == pytest.approx(2.0)


def test_one_disturbed_round_does_not_count() -> None:
    """The median of the rounds counts, not their mean."""
    assert median_ratio([2.0, 2.0, 90.0], [1.0, 1.0, 1.0]) == pytest.approx(2.0)


def test_subjects_take_turns_from_both_ends() -> None:
    """In each round every subject runs once, in an order that is turned round each time."""
    ran: list[str] = []
    subjects = {name: lambda name=name: ran.append(name) for name in "ab"}
    series = take_turns(subjects, rounds=2, turn=1e-9)
    assert {name: len(times) for name, times in series.items()} == {"a": 2, "b": 2}
    assert ran[-4:] == ["a", "b", "b", "a"]


def test_a_figure_shows_microseconds_of_both_and_their_ratio() -> None:
    """The table's row is made of medians."""
    shown = figure({"ours": [3e-6, 4e-6, 5e-6], "peer": [2e-6, 2e-6, 2e-6]}, "ours", "peer", 1.9)
    assert (shown.measured, shown.against, shown.ratio) == pytest.approx((4.0, 2.0, 2.0))
    assert not shown.met
