"""Rooms of two and three: one reporter has no second witness, and networks change."""

from __future__ import annotations

import pytest

from chalicelib.roster.head import LEASE, LEASE_BEATING, RETURN
from chalicelib.roster.members import Reason
from chalicelib.roster.signal import Cause, Kind, Order, Signal, Source
from tests.support.folding import EPOCH, T0, Room, room_of

SECOND = 1000
ENTERED, LEFT = Kind.ENTERED, Kind.LEFT


def test_a_late_leave_does_not_undo_what_was_seen_after_it() -> None:
    """103 at -5000, 103 at -1000, then 104 at -3000: the user came back, and is in the room."""
    room = Room()
    room.tencent(ENTERED, "anna", 0)
    room.tencent(ENTERED, "anna", 4000)
    room.tencent(LEFT, "anna", 2000, late=5000)
    assert room.names == "anna"
    assert room.story == ["+anna@0"]


def test_a_flap_in_a_room_of_two_is_no_leave() -> None:
    """One list names nobody, the next one names the other again."""
    room = room_of("anna berta")
    room.lists("anna", 60 * SECOND)
    assert room.leaving == "berta"
    room.lists("anna berta", 61 * SECOND)
    room.settle(T0 + 100 * SECOND)
    assert room.story == ["+anna@0", "+berta@0"]
    assert room.leaving == ""


def test_a_network_switch_in_a_room_of_two_is_a_reconnect() -> None:
    """One sees the other go and come back, and that one enters anew and lists nobody at first."""
    room = room_of("anna berta")
    room.lists("berta", 60 * SECOND)
    epoch = T0 + 60 * SECOND
    room.lists("anna", 60_300, epoch=epoch, seq=1)
    room.lists("anna berta", 61_000, epoch=epoch)
    room.lists("berta anna", 61_200)
    room.settle(T0 + 100 * SECOND)
    assert room.story == ["+anna@0", "+berta@0"]
    (again,) = room.head.reconnects
    assert (again.user, again.times) == ("anna", 1)


def test_a_leave_that_only_the_other_one_sees_counts_within_ten_seconds() -> None:
    """It is dated at the list that shows it."""
    room = room_of("anna berta")
    room.lists("anna", 60 * SECOND, late=500)
    assert "berta" in room.shown(T0 + 60_499 + RETURN)
    assert room.shown(T0 + 60_500 + RETURN) == {"anna"}
    assert RETURN <= 10 * SECOND
    room.settle(T0 + 60_500 + RETURN)
    assert room.story[-1] == "-berta@60000"


def test_one_who_comes_back_alone_and_stays_alone_is_asked_and_believed() -> None:
    """What it said when it had just entered did not count; what it says later does."""
    room = room_of("anna berta")
    epoch = T0 + 60 * SECOND
    room.lists("anna", 60_300, epoch=epoch, seq=1)
    assert room.leaving == ""
    assert room.beats("anna", 90_000, epoch=epoch).resend
    room.lists("anna", 90_100, epoch=epoch, asked=True)
    room.settle(T0 + 150 * SECOND)
    assert room.names == "anna"
    assert not room.beats("anna", 180_000, epoch=epoch).resend


def test_a_room_that_is_dismissed_is_empty() -> None:
    """103 for two, then 102: both left when it was."""
    room = Room()
    room.tencent(ENTERED, "anna", 0)
    room.tencent(ENTERED, "berta", 1000)
    room.tencent(Kind.DISMISSED, "", 60_000)
    assert room.story[2:] == ["-anna@60000", "-berta@60000"]
    assert {each.reason for each in room.timeline[2:]} == {Reason.DISMISSED}


def test_who_came_after_a_room_was_dismissed_stays() -> None:
    """Whether the callback is late, or one that tells of a dismissal comes twice."""
    room = Room()
    room.tencent(ENTERED, "anna", 0)
    room.tencent(ENTERED, "berta", 70_000)
    for _ in range(2):
        room.tencent(Kind.DISMISSED, "", 60_000, late=20_000)
    assert room.story == ["+anna@0", "+berta@70000", "-anna@60000"]
    room.tencent(ENTERED, "carla", 59_000, late=30_000)
    assert room.names == "berta"


def test_a_room_that_is_created_was_empty_before() -> None:
    """Where the callback that told of its end was lost."""
    room = Room()
    room.tencent(ENTERED, "anna", 0)
    room.tencent(Kind.CREATED, "berta", 60_000)
    room.tencent(ENTERED, "berta", 60_001)
    assert room.names == "berta"
    assert room.story[1] == "-anna@60000"


def test_another_role_shows_a_member_in_the_room() -> None:
    """105 is folded as what it is: somebody was seen."""
    room = Room()
    room.tencent(ENTERED, "anna", 0)
    room.tencent(ENTERED, "anna", 50_000)
    room.tencent(LEFT, "anna", 40_000, late=12_000)
    assert room.names == "anna"


@pytest.mark.parametrize(
    ("cause", "reason"), [(Cause.TIMED_OUT, Reason.TIMED_OUT), (Cause.REMOVED, Reason.REMOVED)]
)
def test_why_tencent_says_that_one_left_is_kept(cause: Cause, reason: Reason) -> None:
    """A user that was put out did not just leave."""
    room = Room()
    room.tencent(ENTERED, "anna", 0)
    room.tencent(LEFT, "anna", 1000, cause=cause)
    assert room.timeline[-1].reason is reason


def test_an_entry_after_a_network_switch_is_a_reconnect() -> None:
    """It is no join, and the stay goes on."""
    room = Room()
    room.tencent(ENTERED, "anna", 0)
    for t in (50_000, 90_000):
        for _ in range(2):
            room.tencent(ENTERED, "anna", t, cause=Cause.RECONNECTED)
    assert room.story == ["+anna@0"]
    (again,) = room.head.reconnects
    assert (again.times, again.t) == (2, T0 + 90_000)


def test_one_heartbeat_does_not_end_the_others_stays() -> None:
    """Five members of whom one has a client that sends heartbeats: four keep the room's lease."""
    room = room_of("anna berta carla dora emma")
    room.beats("anna berta carla dora emma", 1000)
    room.settle(T0 + LEASE_BEATING + 20 * SECOND)
    assert room.names == "anna berta carla dora emma"
    room.settle(T0 + 1000 + room.head.lease_beating)
    assert room.names == "berta carla dora emma"
    assert room.timeline[-1].reason is Reason.LEASE
    room.settle(T0 + 1000 + LEASE)
    assert room.names == ""


@pytest.mark.parametrize("users", ["zoe anna berta", "zoe", "anna carla"])
def test_a_heartbeat_of_nobodys_touches_nothing(users: str) -> None:
    """One who is not inside, or a hash that was never stated."""
    room = room_of("anna berta")
    head = room.head
    room.beats(users, 1000)
    assert room.head is head


def test_a_heartbeat_with_everyones_hash_by_one_who_is_not_inside_touches_nothing() -> None:
    """The hash can be read in the roster, and renews no lease."""
    room = room_of("anna berta")
    head, now = room.head, T0 + LEASE // 2
    order = Order(EPOCH, 0)
    room.hear(Signal(Kind.HEARTBEAT, Source.CLIENT, "zoe", now, now, order, head.hash))
    assert room.head is head


def test_nothing_is_dated_long_before_its_token() -> None:
    """An age of four hours with a token that was made now is a minute at most."""
    room = Room()
    room.lists("anna berta", 0, late=4 * 3_600_000, epoch=T0 + 4 * 3_600_000)
    t = 4 * 3_600_000 - 60_000
    assert room.story == [f"+anna@{t}", f"+berta@{t}"]


def test_after_a_member_has_left_its_token_does_not_bring_it_back() -> None:
    """Neither lists nor heartbeats; a new entry does."""
    room = room_of("anna berta")
    room.leaves("anna", 10_000)
    for t in (20_000, 30_000, 400_000):
        room.lists("anna berta", t)
        assert not room.beats("anna berta", t + 500).resend
    assert room.names == "berta"
    room.lists("anna berta", 500_000, epoch=T0 + 499_000, seq=1)
    assert room.names == "anna berta"
