from __future__ import annotations

import pytest

from bench.clockwork import Clock
from bench.crowd import consumed, steady
from simulation.truth import Setting


def test_requests_that_wait_are_overtaken() -> None:
    """Time goes on only when all wait; who is due first goes on first."""
    clock = Clock()
    story = []

    def request(name: str, *pauses: float) -> None:
        for pause in pauses:
            story.append(f"{name}@{clock.now:g}")
            clock.wait(pause)
        story.append(f"{name}@{clock.now:g}")

    clock.at(10, lambda: request("a", 5, 5))
    clock.at(12, lambda: request("b", 1))
    clock.run()
    assert story == ["a@10", "b@12", "b@13", "a@15", "a@20"]


def test_what_a_request_raises_is_told() -> None:
    """A measurement that failed is none."""
    clock = Clock()
    clock.at(1, lambda: pytest.fail("it went wrong"))
    with pytest.raises(pytest.fail.Exception, match="it went wrong"):
        clock.run()


def test_a_room_of_twenty_costs_little_more_than_a_read_and_a_write() -> None:
    """Reports overlap, so some writes of the head are lost; each run is like the last."""
    one, other = (consumed(Setting(20, changes=6), steady, 4) for _ in range(2))
    assert one.reports == other.reports > 60
    assert one.webhook.writes == other.webhook.writes
    assert one.webhook.calls == other.webhook.calls
    assert one.webhook.calls["read heads"] >= one.reports
    assert one.webhook.lost["heads"] > 0
    assert one.webhook.writes["reports"] == one.reports
    assert one.transitions == 4
    assert one.environments > 1
