"""When a member should send its next heartbeat."""

from __future__ import annotations

import pytest

from chalicelib.roster.head import Head
from chalicelib.roster.pace import EACH, JITTER, LONGEST, SOON, heartbeat_after
from tests.support.folding import room_of


@pytest.mark.parametrize(
    ("size", "whole"), [(0, EACH), (1, EACH), (2, 2 * EACH), (5, 5 * EACH), (900, LONGEST)]
)
def test_the_rate_is_the_rooms(size: int, whole: int) -> None:
    """One heartbeat in 20 s, however many members there are; some minutes for each at most."""
    assert heartbeat_after(Head(size=size), 0.5) == whole


def test_members_do_not_stay_in_step() -> None:
    """Each is told another time; none a shorter one than 20 s."""
    head = Head(size=5)
    assert heartbeat_after(head, 0) == int(5 * EACH * (1 - JITTER))
    assert heartbeat_after(head, 1) == int(5 * EACH * (1 + JITTER))
    assert heartbeat_after(Head(), 0) == EACH


def test_where_a_leave_waits_heartbeats_are_wanted_sooner() -> None:
    """They say who is there all the same."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla dora", 60_000)
    assert heartbeat_after(room.head, 0.5) == SOON


@pytest.mark.parametrize("size", [1, 2, 3, 4, 10, 100, 1000])
def test_a_lease_outlasts_a_heartbeat_that_is_lost(size: int) -> None:
    """A lease is written down when up to a third of it has gone."""
    head = Head(size=size)
    assert head.lease_beating * 2 / 3 >= 2 * heartbeat_after(head, 0.5)
