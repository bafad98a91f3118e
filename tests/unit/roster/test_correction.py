from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.roster.correction import correct
from chalicelib.roster.members import Reason, replay
from chalicelib.roster.view import set_hash
from tests.support.folding import T0, Room

NAMES = ("anna", "berta", "carla", "dora")


def room_of(*users: str) -> Room:
    """A room that somebody has just listed."""
    room = Room()
    room.lists(" ".join(users), 0)
    return room


@given(st.sets(st.sampled_from(NAMES), min_size=1), st.sets(st.sampled_from(NAMES)))
def test_a_room_holds_whom_it_is_told_to(there: set[str], wanted: set[str]) -> None:
    """By transitions that follow from what it held, each with the reason replay."""
    room = room_of(*sorted(there))
    done = correct(room.head, room.members, wanted, T0 + 60_000)
    assert set(replay(room.members, done.transitions)) == wanted
    assert {each.reason for each in done.transitions} <= {Reason.REPLAY}
    assert (done.head.hash, done.head.size) == (set_hash(wanted), len(wanted))
    assert (done.head.version != room.head.version) == (there != wanted)


def test_nothing_is_written_where_nothing_is_wrong() -> None:
    """The head is the very same one."""
    room = room_of("anna", "berta")
    assert correct(room.head, room.members, {"anna", "berta"}, T0 + 1).head is room.head


def test_nobody_is_about_to_leave_after_a_correction() -> None:
    """What waited for witnesses is decided."""
    room = room_of("anna", "berta", "carla", "dora")
    room.lists("anna berta carla", 9_000)
    assert room.leaving == "dora"
    done = correct(room.head, room.members, {"anna", "berta", "dora"}, T0 + 10_000)
    assert [(each.joined, each.user) for each in done.transitions] == [(False, "carla")]
    assert done.head.pending == ()
    assert done.head.hash == set_hash({"anna", "berta", "dora"})


def test_a_list_from_before_it_does_not_undo_it() -> None:
    """Who is late with what the room was corrected from is stale."""
    room = room_of("anna", "berta")
    done = correct(room.head, room.members, {"anna"}, T0 + 60_000)
    room.members = replay(room.members, done.transitions)
    room.head = done.head
    late = room.lists("berta anna", 59_000, late=2_000)
    assert late.outcome == "stale"
    assert room.names == "anna"


def test_nobody_leaves_before_it_came_by_an_operator_whose_clock_is_slow() -> None:
    """Its leave takes the time of its join."""
    room = room_of("anna")
    room.lists("anna berta", 60_000)
    done = correct(room.head, room.members, {"anna"}, T0 + 59_000)
    assert [each.t for each in done.transitions] == [T0 + 60_000]
    assert set(replay(room.members, done.transitions)) == {"anna"}
