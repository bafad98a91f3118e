from __future__ import annotations

import pytest

from chalicelib.roster.members import BrokenTimeline, Member, Reason, Transition, replay
from chalicelib.roster.signal import Source

TIMELINE = [
    Transition(True, "anna", 10, "anna", Source.CLIENT, Reason.LISTED),
    Transition(True, "berta", 20, "", Source.TENCENT, Reason.ENTERED),
    Transition(False, "anna", 25, "berta", Source.CLIENT, Reason.GRACE),
    Transition(True, "anna", 40, "berta", Source.RELAY, Reason.LISTED),
]


def test_a_timeline_gives_its_roster() -> None:
    """Since when, by whose word, and who vouches for it."""
    expected = {
        "berta": Member(20, "", Source.TENCENT),
        "anna": Member(40, "berta", Source.RELAY),
    }
    assert expected == replay({}, TIMELINE)


def test_a_timeline_may_be_cut_at_any_snapshot() -> None:
    """A snapshot and what comes after it give the same."""
    whole = replay({}, TIMELINE)
    for cut in range(len(TIMELINE)):
        assert whole == replay(replay({}, TIMELINE[:cut]), TIMELINE[cut:])


@pytest.mark.parametrize(
    ("until", "expected"), [(9, ""), (10, "anna"), (24, "anna berta"), (25, "berta")]
)
def test_the_roster_of_a_past_moment(until: int, expected: str) -> None:
    """Transitions after it are passed over, in whatever order different users' stand."""
    shuffled = [TIMELINE[1], TIMELINE[0], *TIMELINE[2:]]
    for timeline in (TIMELINE, shuffled):
        assert expected == " ".join(sorted(replay({}, timeline, until=until)))


def test_a_snapshot_is_not_changed() -> None:
    """Whoever handed it in keeps it."""
    snapshot = replay({}, TIMELINE[:1])
    replay(snapshot, TIMELINE[1:])
    assert list(snapshot) == ["anna"]


@pytest.mark.parametrize(
    "timeline",
    [
        [TIMELINE[0], TIMELINE[0]],
        [TIMELINE[2]],
        [TIMELINE[0], TIMELINE[2], TIMELINE[2]],
        [TIMELINE[0], TIMELINE[2]._replace(t=9)],
    ],
)
def test_what_cannot_have_happened_is_refused(timeline: list[Transition]) -> None:
    """Twice in a row, out of nothing, or before it came; and the refusal names nobody."""
    with pytest.raises(BrokenTimeline) as caught:
        replay({}, timeline)
    assert caught.value.transition == timeline[-1]
    assert "anna" not in str(caught.value)
