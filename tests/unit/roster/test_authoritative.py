"""A user's own word that it left, and Tencent's callbacks."""

from __future__ import annotations

import pytest

from chalicelib.roster.head import MOST_MARKS, STRAGGLER, RecentChange
from chalicelib.roster.members import Reason, Transition
from chalicelib.roster.signal import Kind, Source
from chalicelib.roster.transforms import Outcome, marked
from chalicelib.roster.view import set_hash
from tests.support.folding import T0, Room, room_of


def test_who_says_that_it_leaves_has_left() -> None:
    """No witness is needed."""
    room = room_of("anna berta carla")
    folded = room.leaves("carla", 60_000)
    leave = Transition(False, "carla", T0 + 60_000, "carla", Source.CLIENT, Reason.LEFT)
    assert (folded.outcome, folded.transitions) == (Outcome.APPLIED, (leave,))
    assert room.head.hash == set_hash(["anna", "berta"])


@pytest.mark.parametrize("said_by", ["carla", "tencent"])
def test_lists_that_are_late_do_not_bring_it_back(said_by: str) -> None:
    """Clients take a while to see that it is gone."""
    room = room_of("anna berta carla")
    if said_by == "tencent":
        room.tencent(Kind.LEFT, "carla", 60_000)
    else:
        room.leaves("carla", 60_000)
    room.lists("anna berta carla", 60_000 + STRAGGLER)
    room.lists("berta anna carla dora", 60_000 + STRAGGLER)
    assert room.names == "anna berta dora"


def test_its_next_entry_brings_it_back() -> None:
    """Its token says that this is later."""
    room = room_of("anna berta carla")
    room.leaves("carla", 60_000)
    room.lists("carla anna berta", 61_000, epoch=T0 + 60_500)
    assert room.story[-2:] == ["-carla@60000", "+carla@61000"]


def test_a_good_bye_that_comes_after_a_later_list_is_stale() -> None:
    """It has come back since, with another token."""
    room = room_of("anna berta carla")
    room.lists("carla anna berta dora", 61_000, epoch=T0 + 60_500)
    assert room.leaves("carla", 60_000, late=2000).outcome is Outcome.STALE
    assert room.names == "anna berta carla dora"


def test_nobody_leaves_before_it_came() -> None:
    """A good-bye of a little before the list that brought it in takes that one's time."""
    room = room_of("anna")
    room.lists("anna berta", 60_000)
    room.leaves("berta", 59_000, late=1100)
    assert room.story[-1] == "-berta@60000"
    room.lists("anna berta carla", 70_000, epoch=T0 + 65_000)
    room.tencent(Kind.LEFT, "carla", 69_999, late=200)
    assert room.names == "anna berta carla"


def test_callbacks_count_at_once() -> None:
    """103 and 104 need no reporter at all."""
    room = Room()
    room.tencent(Kind.ENTERED, "anna", 10)
    room.tencent(Kind.ENTERED, "berta", 20)
    room.tencent(Kind.LEFT, "anna", 30)
    assert room.story == ["+anna@10", "+berta@20", "-anna@30"]
    assert {(each.by, each.source) for each in room.timeline} == {("", Source.TENCENT)}
    assert room.head.hash == set_hash(["berta"])


def test_callbacks_are_ordered_by_when_they_happened() -> None:
    """A 103 that is sent again after its 104 came through brings nobody back; nor a doubled one."""
    room = Room()
    room.tencent(Kind.LEFT, "anna", 2000)
    assert room.tencent(Kind.ENTERED, "anna", 1000, late=10_000).outcome is Outcome.STALE
    assert room.names == ""
    room.tencent(Kind.ENTERED, "anna", 3000, late=9000)
    assert room.tencent(Kind.LEFT, "anna", 2000, late=11_000).outcome is Outcome.STALE
    assert room.tencent(Kind.ENTERED, "anna", 3000, late=11_000).outcome is Outcome.UNCHANGED
    assert room.story == ["+anna@3000"]


def test_callbacks_late_in_a_busy_room_still_count() -> None:
    """Neither other users' callbacks make one stale, nor newer lists without the user."""
    room = Room()
    room.tencent(Kind.ENTERED, "anna", 0)
    room.tencent(Kind.ENTERED, "berta", 30_000)
    room.tencent(Kind.ENTERED, "carla", 1000, late=30_000)
    assert room.names == "anna berta carla"
    room.lists("anna berta carla emma", 60_000)
    room.tencent(Kind.ENTERED, "dora", 60_000 - STRAGGLER, late=60_000)
    assert room.names == "anna berta carla dora emma"


def test_a_103_takes_back_a_leave_that_waits() -> None:
    """The list without the user was of before."""
    room = room_of("anna berta carla dora")
    room.lists("anna berta carla", 60_000)
    assert room.tencent(Kind.ENTERED, "dora", 60_001).outcome is Outcome.APPLIED
    assert room.leaving == ""
    assert room.head.hash == set_hash(room.members)


def test_a_103_of_before_a_leave_that_waits_does_not_take_it_back() -> None:
    """It comes late, and tells what is known."""
    room = room_of("anna berta carla dora")
    room.lists("anna berta carla", 60_000)
    late = room.tencent(Kind.ENTERED, "dora", 60_000, late=5000)
    assert (late.outcome, room.leaving) == (Outcome.UNCHANGED, "dora")


def test_of_two_104s_the_later_one_is_remembered() -> None:
    """In whatever order they come, and though the user was never seen."""
    room = Room()
    room.tencent(Kind.LEFT, "anna", 2000)
    room.tencent(Kind.LEFT, "anna", 1000, late=3000)
    for t in (1500, 2000):
        assert room.tencent(Kind.ENTERED, "anna", t, late=9000).outcome is Outcome.STALE
    assert room.tencent(Kind.ENTERED, "anna", 2001, late=9000).outcome is Outcome.APPLIED


def test_a_104_ends_a_leave_that_waits() -> None:
    """Nobody leaves twice."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla", 60_000)
    room.tencent(Kind.LEFT, "emma", 60_500)
    assert room.leaving == "dora"
    room.settle(T0 + 100_000)
    assert room.story[5:] == ["-emma@60500", "-dora@60000"]


def test_who_joins_while_nearly_everyone_is_said_to_be_gone_is_not_gone() -> None:
    """Of those about to leave the others are written down; who comes now is another."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna", 60_000)
    room.tencent(Kind.ENTERED, "fanny", 60_500)
    room.tencent(Kind.LEFT, "emma", 60_600)
    room.tencent(Kind.ENTERED, "emma", 60_700)
    assert room.leaving == "berta carla dora"
    room.settle(T0 + 200_000)
    assert room.names == "anna emma fanny"


def test_a_full_room_takes_nobody_in() -> None:
    """Whoever says so."""
    room = Room()
    room.most = 2
    for name in ("anna", "berta", "carla"):
        folded = room.tencent(Kind.ENTERED, name, 10)
    assert (room.names, folded.outcome) == ("anna berta", Outcome.FULL)
    assert folded.dropped == ("carla",)


def test_what_is_forgotten_lets_no_older_list_in() -> None:
    """Of a thousand leaves the marks stay; of more the oldest goes, and with it what is older."""
    room = room_of("anna berta")
    many = [
        RecentChange(f"{number:05}", T0 + 60_000 + number, T0 + 70_000, 2, present=False)
        for number in range(MOST_MARKS)
    ]
    room.head = marked(room.head, many, now=T0 + 70_000)
    assert (len(room.head.marks), room.head.floor) == (MOST_MARKS, 0)
    one_more = RecentChange("other", T0 + 69_000, T0 + 70_000, 3, present=True)
    room.head = marked(room.head, [one_more], now=T0 + 70_000)
    assert (len(room.head.marks), room.head.floor) == (MOST_MARKS, T0 + 60_000)
    assert room.lists("carla anna berta", 59_999, late=10_001).outcome is Outcome.STALE
    assert room.lists("dora anna berta", 60_001, late=9_999).outcome is Outcome.APPLIED
