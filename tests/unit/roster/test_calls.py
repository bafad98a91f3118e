"""The simulation of calls, over a seed or two; tests/slow plays more of them."""

from __future__ import annotations

import pytest

from simulation.call_table import EVENTS, SIGHTS, heading, line_of
from simulation.calls import Call, Play


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("events", EVENTS)
def test_small_calls_are_told_as_they_were(events: str, sight: str) -> None:
    """Rooms of two and three, whoever sees whom."""
    for size in (2, 3):
        line = line_of(Call(size, events, sight, minutes=5), range(2))
        assert line.faults() == []
        assert str(line).count("|") == heading().splitlines()[0].count("|")


def test_a_call_can_be_had_again() -> None:
    """Everything comes from the seed."""
    call = Call(4, "switches", minutes=5)
    assert Play(call, 3).run() == Play(call, 3).run()


def test_things_happen_in_a_call() -> None:
    """Members come and go, some of them come back, and lists are asked for now and then."""
    play = Play(Call(3, "late", "audience 50 %"), 1)
    result = play.run()
    assert result.true > 10
    assert result.signals > 5 * result.true
    users = {each.user for each in play.rule.timeline}
    assert any(len(play.transitions_of(user)) > 2 for user in users)
