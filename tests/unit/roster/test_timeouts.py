"""What the passing of time does: heartbeats, leases, and rooms that empty."""

from __future__ import annotations

from chalicelib.roster.head import LEASE, LEASE_BEATING, RETURN, Head
from chalicelib.roster.known import Known
from chalicelib.roster.members import Reason
from chalicelib.roster.timeouts import Settled, due, settle, settled_members, settled_size
from chalicelib.roster.transforms import Outcome
from tests.support.folding import T0, Room, room_of


def test_a_heartbeat_of_the_newest_set_only_renews_the_lease() -> None:
    """And that only when a quarter of it has gone, for a write costs more than a read."""
    room = room_of("anna berta")
    room.beats("anna berta", 1000)
    assert due(room.head) == T0 + 1000 + LEASE_BEATING
    head = room.head
    folded = room.beats("anna berta", 1000 + LEASE_BEATING // 4 - 1)
    assert (folded.head is head, folded.outcome, folded.resend) == (True, Outcome.UNCHANGED, False)
    room.beats("anna berta", 1000 + LEASE_BEATING // 4)
    assert due(room.head) == T0 + 1000 + LEASE_BEATING // 4 + LEASE_BEATING
    assert (room.head.version, room.head.revision) == (head.version, head.revision + 1)


def test_who_agrees_renews_the_lease_of_all_who_send_heartbeats() -> None:
    """It sees them: a room that all see in full costs one write for all of them."""
    room = room_of("anna berta")
    room.beats("anna berta", 1000)
    room.beats("berta anna", 1500)
    head = room.head
    room.beats("berta anna", 50_000)
    assert room.head.revision == head.revision + 1
    assert due(room.head) == T0 + 50_000 + LEASE_BEATING
    assert room.head.lease_ends == T0 + 50_000 + LEASE_BEATING


def test_a_list_renews_the_lease_as_well() -> None:
    """Every list is a sign of life."""
    room = room_of("anna berta")
    room.lists("anna berta", LEASE // 2)
    assert due(room.head) == T0 + LEASE // 2 + LEASE


def test_a_heartbeat_is_a_witness_of_a_mass_leave() -> None:
    """Its client sees the set whose hash it echoes, and has seen those who left."""
    room = room_of("anna berta carla dora emma frida")
    room.lists("anna berta carla", 60_000)
    (group,) = room.head.pending
    room.lists("carla anna berta", 60_100)
    room.beats("carla anna berta", 61_000)
    assert room.head.pending[0].witnesses == ("anna", "carla")
    assert room.head.ends_waiting(room.head.pending[0]) < room.head.ends_waiting(group)


def test_of_an_unknown_hash_the_list_is_wanted() -> None:
    """A client that sees another set than we do is asked for it; a room never seen, too."""
    room = Room()
    assert room.beats("anna berta", 0).resend
    room = room_of("anna berta")
    assert room.beats("anna berta carla", 1000).resend
    assert not room.beats("anna berta", 1000).resend


def test_silence_empties_a_room_when_its_lease_is_over() -> None:
    """Four hours after the last word, or 150 s after the last heartbeat; its time is that one's."""
    room = room_of("anna berta")
    assert due(room.head) == T0 + LEASE
    room.settle(T0 + LEASE - 1)
    assert room.names == "anna berta"
    room.settle(T0 + LEASE)
    assert (room.names, room.timeline[-1].reason) == ("", Reason.LEASE)
    assert {each.t for each in room.timeline} == {T0}
    room = room_of("anna berta")
    for user in ("anna berta", "berta anna"):
        room.beats(user, 5000)
    room.settle(T0 + 5000 + LEASE_BEATING)
    assert room.names == ""
    assert {each.t for each in room.timeline[2:]} == {T0 + 5000}


def test_an_empty_room_starts_anew() -> None:
    """It has nothing due, no lease of heartbeats, and fills again; old lists do not fill it."""
    room = room_of("anna berta")
    for user in ("anna berta", "berta anna"):
        room.beats(user, 5000)
    room.settle(T0 + 5000 + LEASE_BEATING)
    assert due(room.head) is None
    assert room.lists("anna berta carla", 4000, late=LEASE_BEATING + 2000).outcome is Outcome.STALE
    room.lists("anna berta", 200_000)
    assert room.story[-2:] == ["+anna@200000", "+berta@200000"]
    assert not room.head.beats


def test_a_room_that_everyone_left_can_be_filled_at_once() -> None:
    """A call that ends and starts again within seconds, with new tokens; its lease is new."""
    room = room_of("anna berta")
    room.leaves("anna", 20_000)
    room.leaves("berta", 21_000)
    assert (room.names, room.head.size, due(room.head)) == ("", 0, None)
    room.lists("anna", 23_000, epoch=T0 + 22_000)
    room.lists("anna berta", 24_000, epoch=T0 + 22_000)
    assert room.story[4:] == ["+anna@23000", "+berta@24000"]
    assert due(room.head) == T0 + 24_000 + LEASE


def test_what_is_due_happens_before_a_late_list_is_heard() -> None:
    """So nothing that was shown is taken back: who was shown as gone comes anew."""
    room = room_of("anna berta carla dora")
    room.lists("anna berta carla", 60_000)
    room.lists("anna berta carla dora", 75_000)
    assert room.story[-2:] == ["-dora@60000", "+dora@75000"]


def test_the_settled_view_writes_nothing() -> None:
    """It is what settling would leave; the head stays, and settling twice is settling once."""
    room = room_of("anna berta carla dora")
    room.lists("anna berta carla", 60_000)
    now = T0 + 80_000
    shown = settled_members(room.head, now, room.members)
    assert " ".join(sorted(shown)) == "anna berta carla"
    settled = settle(room.head, now, Known(room.members))
    assert isinstance(settled, Settled)
    assert settled.head.version == room.head.version + 1
    again = settle(settled.head, now, Known(shown))
    assert isinstance(again, Settled)
    assert (again.head is settled.head, again.transitions) == (True, ())


def test_nothing_is_ever_due_in_a_room_that_was_never_seen() -> None:
    """Its head is the empty one."""
    assert due(Head()) is None
    assert settle(Head(), T0, Known()) == Settled(Head())


def test_a_list_folded_again_after_leaves_were_due_changes_nothing() -> None:
    """They were due by the very list, which left one more leave with one witness of now enough."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna", 60_000)
    room.lists("berta", 100_000, asked=True)
    room.settle(T0 + 100_000)
    head = room.head
    assert room.leaving == "anna"
    assert room.lists("berta", 100_000, seq=2, asked=True).head is head


def test_when_a_leave_has_waited_others_may_have_as_well() -> None:
    """With fewer who are about to leave a witness less is needed, and so a shorter wait."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla dora", 60_000)
    room.lists("berta anna carla", 60_100)
    now = T0 + 60_100 + RETURN
    assert room.shown(now) == {"anna", "berta", "carla"}
    assert settled_size(room.head, now) == 3
    room.settle(now)
    assert room.story[5:] == ["-emma@60000", "-dora@60100"]


def test_when_a_lease_is_over_nobody_leaves_before_it_came_or_after_it_was_gone() -> None:
    """All are gone since the newest list; who was not named any more left when that began."""
    room = room_of("anna berta")
    room.lists("anna berta carla dora", 60_000)
    room.lists("anna berta carla", 61_000)
    room.settle(T0 + 61_000 + LEASE)
    left = {each.user: each.t - T0 for each in room.timeline if not each.joined}
    assert left == dict.fromkeys(["anna", "berta", "carla", "dora"], 61_000)
    assert {each.reason for each in room.timeline if not each.joined} == {Reason.LEASE}
