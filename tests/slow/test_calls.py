"""Calls whose clients react: who sees whom, network switches, crashes; a few seeds of each kind."""

from __future__ import annotations

import pytest

from simulation.call_table import EVENTS, SIGHTS, calls, line_of
from simulation.calls import Call, Play

RUNS = {2: 10, 3: 10, 4: 6, 20: 1}
STILL = [(size, sight) for size in (2, 3, 5, 8) for sight in SIGHTS]
STILL_RUNS = 50
"""Of each kind: a thousand in all."""


@pytest.mark.parametrize("size", RUNS)
def test_what_is_emitted_is_what_happened(size: int) -> None:
    """At most 1.05 transitions for each true one, and every roster right that can be known."""
    lines = [line_of(call, range(RUNS[size])) for call in calls([size])]
    assert [fault for line in lines for fault in line.faults()] == []
    everything_seen = [line for line in lines if line.call.sight == "full"]
    assert min(line.ratio for line in everything_seen) >= 0.98


@pytest.mark.parametrize(("size", "sight"), STILL)
def test_a_room_in_which_nobody_comes_or_goes_makes_no_transition(size: int, sight: str) -> None:
    """Whatever its members see; and hardly anybody is asked for its list."""
    for seed in range(STILL_RUNS):
        result = Play(Call(size, "still", sight, minutes=20), seed).run()
        assert (result.emitted, result.true, result.right) == (size, size, True)
        assert result.asked <= size


@pytest.mark.parametrize("events", EVENTS)
def test_real_leaves_stay_quick(events: str) -> None:
    """By the other one's list alone they are shown within ten seconds of its coming in."""
    line = line_of(Call(2, events), range(20))
    waits = [ms for result in line.results for reason, ms in result.waits if reason == "grace"]
    late = sorted(waits)[int(len(waits) * 0.95)]
    assert late <= (10_000 if events != "late" else 30_000)
