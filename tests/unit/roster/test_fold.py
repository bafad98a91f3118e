from __future__ import annotations

import pytest

from chalicelib.roster.fold import Folded, fold
from chalicelib.roster.head import CONTESTED, LAGGARD, RETURN, STRAGGLER, WITNESS, Head
from chalicelib.roster.known import Known
from chalicelib.roster.members import Reason, Transition
from chalicelib.roster.signal import Kind, Order, Signal, Source
from chalicelib.roster.timeouts import due
from chalicelib.roster.transforms import Outcome
from chalicelib.roster.view import set_hash
from tests.support.folding import EPOCH, T0, Room, room_of

MINUTE = 60_000


def test_whom_the_first_list_names_joins_by_the_word_of_its_reporter() -> None:
    """A list brings in its reporter and all it names, at the time at which it was true."""
    room = Room()
    folded = room.lists("anna berta", 5, late=300)
    assert folded.outcome is Outcome.APPLIED
    assert room.story == ["+anna@5", "+berta@5"]
    assert {each.by for each in folded.transitions} == {"anna"}
    assert {each.reason for each in folded.transitions} == {Reason.LISTED}
    assert room.head.hash == set_hash(["anna", "berta"])
    assert (room.head.version, room.head.revision, room.head.size) == (1, 1, 2)


def test_an_empty_list_is_the_reporter_alone() -> None:
    """The first one in a room lists nobody, and is in it."""
    room = Room()
    room.lists("anna", 0)
    assert room.story == ["+anna@0"]


def test_a_list_that_states_what_is_known_reads_nothing_and_changes_nothing() -> None:
    """N reports of one change cost N-1 times nothing but reading the head."""
    head = room_of("anna berta").head
    hash_ = set_hash(["anna", "berta"])
    signal = Signal(
        Kind.LIST, Source.CLIENT, "berta", T0 + 50, T0 + 60, Order(EPOCH, 9), hash_, {"anna"}
    )
    folded = fold(head, signal, Known(), now=T0 + 60, most=9)
    assert isinstance(folded, Folded)
    assert folded.head is head
    assert (folded.transitions, folded.outcome) == ((), Outcome.UNCHANGED)


def test_one_list_may_bring_in_several_and_take_out_others() -> None:
    """Two who join and one who leaves in one list are three facts."""
    room = room_of("anna berta")
    folded = room.lists("anna carla dora", 100)
    assert {each.user for each in folded.transitions} == {"carla", "dora"}
    assert {each.t for each in folded.transitions} == {T0 + 100}
    assert room.leaving == "berta"


def test_a_leave_waits_and_is_dated_at_the_first_evidence() -> None:
    """However many see it: a network switch looks the same for some seconds."""
    room = room_of("anna berta carla dora")
    assert room.lists("anna berta carla", 1000).transitions == ()
    assert room.leaving == "dora"
    assert room.lists("berta anna carla", 1400).transitions == ()
    room.settle(T0 + 1000 + RETURN)
    leave = Transition(False, "dora", T0 + 1000, "anna", Source.CLIENT, Reason.GRACE)
    assert room.timeline[-1] == leave
    assert room.names == "anna berta carla"


@pytest.mark.parametrize(
    ("size", "leavers", "needed"),
    [(2, 1, 2), (3, 1, 2), (4, 1, 2), (4, 2, 3), (4, 3, 3), (9, 8, 5), (100, 99, 8), (100, 1, 2)],
)
def test_the_more_leave_at_once_the_more_witnesses_it_takes(
    size: int, leavers: int, needed: int
) -> None:
    """A leave needs 1 + ceil(log2(1 + leavers)) witnesses, but not more than all others."""
    users = [f"user{number:03}" for number in range(size)]
    room = room_of(" ".join(users))
    for many, reporter in enumerate(users[: size - leavers], start=1):
        others = [user for user in users[: size - leavers] if user != reporter]
        room.lists(" ".join([reporter, *others]), 10_000 + many)
        (group,) = room.head.pending
        assert room.head.lacking(group) == max(1, needed - many)
    assert room.head.needed(room.head.pending[0]) == needed


def test_a_leave_with_all_its_witnesses_waits_no_longer_than_a_network_switch() -> None:
    """Half of a room goes at once, and the others see it."""
    room = room_of("anna berta carla dora emma frida")
    for t, users in (
        (10_000, "anna berta carla"),
        (10_100, "berta anna carla"),
        (10_200, "carla anna berta"),
    ):
        room.lists(users, t)
    room.settle(T0 + 10_000 + RETURN)
    assert room.story[6:] == ["-dora@10000", "-emma@10000", "-frida@10000"]


def test_a_report_folded_again_is_no_second_witness() -> None:
    """A duplicate, and a re-fold of what is stored, count once."""
    room = room_of("anna berta carla dora")
    for _ in range(3):
        room.lists("anna berta carla", 1000, seq=2)
        room.lists("anna berta carla", 1500, seq=3)
    room.beats("anna berta carla", 2000)
    assert room.names == "anna berta carla dora"
    assert room.head.pending[0].witnesses == ("anna",)


def test_a_leave_counts_when_it_has_waited() -> None:
    """If nobody else reports, a leave counts all the same, and its time is that of the list."""
    room = room_of("anna berta carla dora")
    room.lists("anna berta carla", 1000, late=500)
    assert due(room.head) == T0 + 1500 + RETURN
    room.settle(T0 + 1499 + RETURN)
    assert room.leaving == "dora"
    assert "dora" in room.shown(T0 + 1499 + RETURN)
    assert "dora" not in room.shown(T0 + 1500 + RETURN)
    room.settle(T0 + 1500 + RETURN)
    assert room.timeline[-1] == Transition(
        False, "dora", T0 + 1000, "anna", Source.CLIENT, Reason.GRACE
    )


def test_what_lacks_more_witnesses_waits_longer() -> None:
    """One list without nearly everyone stands against the silence of many."""
    for stay, waits in (
        ("anna berta carla dora", RETURN),
        ("anna berta carla", 3 * WITNESS),
        ("anna", 6 * WITNESS),
    ):
        room = room_of("anna berta carla dora emma")
        room.lists(stay, 1000)
        assert due(room.head) == T0 + 1000 + waits
    room = room_of(" ".join(f"user{number}" for number in range(50)))
    room.lists("user0", 1000)
    assert due(room.head) == T0 + 1000 + LAGGARD


def test_a_newer_list_with_the_user_in_it_takes_the_leave_back() -> None:
    """Nothing is emitted for a member that one list left out, if its reporter takes that back."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla dora", 1000)
    assert room.leaving == "emma"
    room.lists("anna berta carla dora emma", 2000)
    assert room.leaving == ""
    assert len(room.timeline) == 5


def test_a_newer_list_of_another_makes_the_leave_wait() -> None:
    """It may be the last word of one who has left since; if nobody says more, the leave counts."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla dora", 1000)
    late = 1000 + STRAGGLER + 1
    room.lists("berta anna carla dora emma", late)
    assert due(room.head) == T0 + late + CONTESTED + RETURN
    room.settle(T0 + late + CONTESTED + RETURN)
    assert room.story[-1] == "-emma@1000"


def test_a_client_that_connects_anew_does_not_empty_the_room() -> None:
    """It lists itself alone for a moment; its next list takes that back."""
    room = room_of("anna berta carla dora emma")
    before = room.head.hash
    room.lists("anna", 60_000)
    assert len(room.leaving.split()) == 4
    room.lists("anna berta carla dora emma", 62_000)
    assert (room.leaving, room.head.hash) == ("", before)
    assert len(room.timeline) == 5


def test_who_is_said_to_be_gone_and_lists_others_disproves_it() -> None:
    """Even if the one who said so never speaks again."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna", 60_000)
    room.lists("berta anna carla dora emma fanny", 61_000)
    assert room.leaving == ""
    assert room.story[-1] == "+fanny@61000"


def test_a_straggler_changes_nothing() -> None:
    """A list of an older set, by one who has not stated the newer one, is still on its way."""
    room = room_of("anna berta")
    room.lists("anna berta carla", 60_000)
    folded = room.lists("berta anna", 60_000, late=2000)
    assert (folded.outcome, folded.transitions) == (Outcome.STALE, ())
    assert room.leaving == ""
    assert room.lists("berta anna", 61_000 + STRAGGLER).outcome is Outcome.UNCHANGED
    assert room.leaving == ""


def test_who_has_stated_the_newest_set_is_no_straggler() -> None:
    """It says what came after."""
    room = room_of("anna berta")
    room.lists("anna berta carla", 60_000)
    room.lists("berta anna carla", 60_500)
    room.lists("berta anna", 61_000)
    assert room.leaving == "carla"


def test_a_list_that_comes_late_tells_of_whom_nobody_else_has_named() -> None:
    """What waited in a queue for a minute is dated when it was true, and takes nobody out."""
    room = room_of("anna berta carla")
    room.lists("anna berta carla dora", 60_000)
    room.lists("berta anna carla emma", 59_000, late=MINUTE)
    assert room.names == "anna berta carla dora emma"
    assert room.story[-1] == "+emma@59000"
    assert room.leaving == ""


def test_a_report_older_than_its_reporters_newest_is_stale() -> None:
    """Order is that of epoch and seq, whatever the ages say."""
    room = room_of("anna berta")
    room.lists("anna berta carla", 60_000, seq=9)
    assert room.lists("anna berta dora", 61_000, seq=8).outcome is Outcome.STALE
    assert room.lists("anna berta dora", 62_000, seq=99, epoch=EPOCH - 1).outcome is Outcome.STALE
    assert room.lists("anna berta", 63_000, seq=1, epoch=EPOCH + 1).outcome is Outcome.APPLIED


def test_two_lists_of_one_millisecond_are_in_the_order_of_their_seqs() -> None:
    """Equal times do not lose what the same client said last."""
    room = room_of("anna berta")
    room.lists("anna berta carla", 60_000)
    room.lists("anna berta carla dora", 60_000)
    assert room.names == "anna berta carla dora"


def test_time_that_runs_backwards_does_not_turn_one_clients_reports_around() -> None:
    """The later one may say that it is older: the clock was set, or the age is wrong."""
    room = room_of("anna berta")
    room.lists("anna berta carla", 60_000)
    room.lists("anna berta carla dora", 10_000, late=51_000)
    assert room.names == "anna berta carla dora"


def test_a_list_dated_in_the_future_is_of_now() -> None:
    """No clock that is ahead of ours makes later lists stale."""
    room = room_of("anna berta")
    room.lists("anna berta carla", 200_000, late=-140_000)
    assert room.story[-1] == "+carla@60000"
    room.lists("berta anna carla dora", 61_000)
    assert room.story[-1] == "+dora@61000"


def test_lists_that_do_not_know_of_a_join_do_not_take_it_back() -> None:
    """Clients see two joins in different orders; both stay, and nobody is emitted twice."""
    room = room_of("anna berta carla dora")
    room.lists("anna berta carla dora emma", 60_000)
    room.lists("berta anna carla dora fanny", 60_100)
    head = room.head
    assert room.lists("carla anna berta dora fanny", 60_150).outcome is Outcome.UNCHANGED
    assert (room.head, room.leaving) == (head, "")
    assert room.names == "anna berta carla dora emma fanny"
    room.lists("dora anna berta carla emma fanny", 60_200)
    assert room.head.hash == set_hash(room.members)
    assert len(room.timeline) == 6


def test_lists_that_do_not_know_of_a_leave_do_not_take_it_back() -> None:
    """Nor does a suspended app that wakes up and says that its old list is new."""
    room = room_of("anna berta carla dora emma")
    room.leaves("emma", 60_000)
    room.lists("carla anna berta dora emma fanny", 61_000)
    assert room.story[-1] == "+fanny@61000"
    room.lists("dora anna berta carla emma gerda", 60_000 + LAGGARD - 1)
    assert room.story[-1] == f"+gerda@{60_000 + LAGGARD - 1}"
    assert "emma" not in room.members


def test_one_who_saw_a_user_leave_can_bring_it_back() -> None:
    """A member that leaves and enters after a while is emitted each time."""
    room = room_of("anna berta carla dora emma")
    for t in (60_000, 90_000):
        room.lists("anna berta carla dora", t)
        room.lists("berta anna carla dora", t + 100)
        room.settle(T0 + t + RETURN)
        room.lists("anna berta carla dora emma", t + 12_000)
        room.lists("berta anna carla dora emma", t + 12_100)
    assert room.story[5:] == ["-emma@60000", "+emma@72000", "-emma@90000", "+emma@102000"]


def test_one_whose_leave_had_to_wait_can_be_brought_back_as_well() -> None:
    """Who saw it go saw it then, not when the leave counted."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla dora", 60_000)
    room.lists("anna berta carla dora emma", 75_000)
    assert room.story[5:] == ["-emma@60000", "+emma@75000"]


def test_a_user_with_a_token_made_since_it_left_is_back() -> None:
    """Its own list counts at once, though nobody else has reported yet."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla dora", 60_000)
    room.lists("berta anna carla dora", 60_100)
    room.lists("emma anna berta carla dora", 70_000, seq=1, epoch=T0 + 69_000)
    assert room.story[-1] == "+emma@70000"


def test_the_list_of_one_who_has_left_is_not_heard() -> None:
    """It was on its way when the member left; nothing in it is news."""
    room = room_of("anna berta carla dora emma")
    room.tencent(Kind.LEFT, "emma", 60_000)
    folded = room.lists("emma anna berta carla dora fanny", 61_000)
    assert folded.outcome is Outcome.STALE
    assert room.names == "anna berta carla dora"


def test_a_list_that_was_asked_for_is_believed_when_stragglers_are_over() -> None:
    """So a room that went wrong heals with the next heartbeat."""
    room = room_of("anna berta carla dora")
    room.tencent(Kind.LEFT, "dora", 60_000)
    late = 60_000 + STRAGGLER
    assert room.lists("carla anna berta dora", late).outcome is Outcome.UNCHANGED
    assert room.beats("carla anna berta dora", late + 10).resend
    room.lists("carla anna berta dora", late + 20, asked=True)
    assert room.story[-1] == f"+dora@{late + 20}"


def test_a_list_said_again_is_believed_too() -> None:
    """Of a client that does not say that it was asked: the same list in the next report."""
    room = room_of("anna berta carla dora emma")
    room.tencent(Kind.LEFT, "emma", 60_000)
    stale = "carla anna berta dora emma fanny"
    room.lists(stale, 66_000)
    room.lists(stale, 75_000)
    assert room.names == "anna berta carla dora fanny"
    room.lists(stale, 86_000)
    assert room.story[-1] == "+emma@86000"


def test_a_room_holds_no_more_than_its_setting_allows() -> None:
    """The reporter itself comes first, and names two thirds of the room at most."""
    names = {f"user{number}" for number in range(9)}
    signal = Signal(
        Kind.LIST, Source.CLIENT, "zoe", T0, T0, Order(EPOCH, 1), set_hash({"zoe", *names}), names
    )
    folded = fold(Head(), signal, Known({}, ()), now=T0, most=4)
    assert isinstance(folded, Folded)
    members = {each.user for each in folded.transitions}
    assert members == {"zoe", "user0", "user1"}
    assert folded.head.size == 3
    assert folded.dropped == tuple(f"user{number}" for number in range(2, 9))


def test_a_room_over_what_its_setting_now_allows_takes_nobody_in() -> None:
    """Nor does it put anybody out."""
    room = room_of("anna berta carla dora")
    room.most = 2
    room.lists("anna berta carla dora emma fanny greta", 60_000)
    assert room.names == "anna berta carla dora"


def test_a_list_of_oneself_alone_is_no_witness_once_most_others_are_named_again() -> None:
    """Its client was connecting anew. Who is not named again leaves by the word of others."""
    room = room_of("anna berta carla dora emma frida greta hanna ida")
    room.lists("anna", 200_000)
    assert room.leaving == "berta carla dora emma frida greta hanna ida"
    room.lists("berta anna carla dora emma frida", 206_000)
    assert room.leaving == "greta hanna ida"
    assert [group.witnesses for group in room.head.pending] == [("berta",)]
    everyone = "carla anna berta dora emma frida greta hanna ida"
    room.lists(everyone, 212_000)
    room.beats(everyone, 230_000)
    assert room.leaving == ""
    assert len(room.story) == 9


def test_of_a_mass_leave_few_may_stay() -> None:
    """If the smaller part of them is named again, the list that was without them all counts on."""
    room = room_of("anna berta carla dora emma frida greta hanna ida")
    room.lists("anna berta", 200_000)
    room.lists("carla anna berta dora", 206_000)
    assert room.leaving == "emma frida greta hanna ida"
    assert [group.witnesses for group in room.head.pending] == [("anna", "carla")]
