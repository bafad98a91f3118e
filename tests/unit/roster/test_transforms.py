"""The small steps from one head to the next: witnesses, marks, older hashes, leases."""

from __future__ import annotations

from chalicelib.roster.head import (
    LAGGARD,
    LEASE,
    LEASE_BEATING,
    LEASE_BEATING_EACH,
    MOST_MARKS,
    RETURN,
    RING,
    STRAGGLER,
    Lease,
    RecentChange,
)
from chalicelib.roster.signal import Kind
from chalicelib.roster.transforms import marked
from tests.support.folding import T0, room_of


def test_when_some_have_left_others_need_fewer_witnesses() -> None:
    """Of two who go one has three witnesses, which is enough; then two are for the other."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla dora", 60_000)
    room.lists("berta anna carla", 60_100)
    assert room.leaving == "dora emma"
    room.lists("carla anna berta", 60_200)
    assert [room.head.lacking(group) for group in room.head.pending] == [1, 1]
    room.settle(T0 + 60_000 + RETURN)
    assert room.story[5:] == ["-emma@60000"]
    room.settle(T0 + 60_100 + RETURN)
    assert room.story[5:] == ["-emma@60000", "-dora@60100"]


def test_so_many_older_hashes_are_remembered_and_no_more() -> None:
    """Or a room that lives long would grow its head with every change."""
    room = room_of("anna")
    for number in range(RING + 5):
        room.lists(f"anna user{number}", 60_000 * (number + 1))
    assert len(room.head.ring) == RING


def test_who_left_is_remembered_until_no_list_may_lag_behind_that() -> None:
    """As long as a list may lag, and as that one may take to come in."""
    room = room_of("anna berta carla dora")
    room.tencent(Kind.LEFT, "dora", 60_000)
    room.tencent(Kind.ENTERED, "emma", 60_000 + LAGGARD + STRAGGLER - 200)
    room.lists("anna berta carla dora fanny", 60_000 + LAGGARD, late=STRAGGLER)
    assert room.names == "anna berta carla emma fanny"


def test_that_joins_are_forgotten_makes_no_list_stale() -> None:
    """A list without someone who came before all that is remembered may well be news."""
    room = room_of("anna berta")
    many = [
        RecentChange(f"{number:05}", T0 + 60_000 + number, T0 + 70_000, 2, present=True)
        for number in range(MOST_MARKS + 1)
    ]
    head = marked(room.head, many, now=T0 + 70_000)
    assert (len(head.marks), head.floor) == (MOST_MARKS, room.head.floor)


def test_the_larger_a_room_is_the_longer_are_the_leases_of_heartbeats() -> None:
    """Since each member sends them less often."""
    room = room_of("anna berta")
    room.beats("anna berta", 1000)
    assert room.head.lease_beating == LEASE_BEATING
    room.lists("berta anna carla dora", 60_000)
    assert room.head.lease_beating == 3 * LEASE_BEATING_EACH
    room.lists("berta " + " ".join(f"user{number}" for number in range(900)), 70_000)
    assert room.head.lease_beating == LEASE


def test_a_lease_does_not_run_backwards() -> None:
    """The clocks of two hosts differ a little."""
    room = room_of("anna berta")
    room.lists("anna berta carla", LEASE // 2)
    room.beats("anna berta carla", LEASE // 2 - 1000)
    assert room.head.lease == Lease(T0 + LEASE // 2, T0 + LEASE // 2 - 1000)
