from __future__ import annotations

from typing import Any

import pytest

from chalicelib.roster.head import (
    LAGGARD,
    STRAGGLER,
    Head,
    PastState,
    Pending,
    RecentChange,
    digest_of,
)
from chalicelib.roster.reporters import Claim, cannot_know, position
from chalicelib.roster.signal import Kind, Order, PastReport, Signal, Source
from chalicelib.roster.timeouts import settled_parts
from chalicelib.roster.transforms import Outcome
from simulation.rules import Roomgate
from simulation.runs import World
from simulation.truth import Setting
from tests.support.folding import EPOCH, T0, room_of


def hearing(
    before: PastReport | None, *, t: int = 0, blinked: bool = False, **changes: Any
) -> Claim:
    """A list that was true at a moment after T0, by one who said something before."""
    signal = Signal(
        Kind.LIST, Source.CLIENT, "anna", T0 + t, T0 + t, Order(EPOCH, 9), "h", frozenset()
    )
    return Claim(signal._replace(**changes), before, blinked)


def said(**changes: Any) -> PastReport:
    """A list of anna, berta and carla, stored whole, that came in with the mark's change."""
    users = frozenset(["anna", "berta", "carla"])
    return PastReport(Order(EPOCH, 5), T0, T0, "g", len(users), plus=users)._replace(**changes)


def mark(user: str = "berta", *, present: bool = True, version: int = 7) -> dict[str, RecentChange]:
    """Berta came, at T0."""
    return {digest_of(user): RecentChange(digest_of(user), T0, T0, version, present)}


@pytest.mark.parametrize(
    ("before", "knows"),
    [
        (said(), True),
        (said(plus=frozenset(["anna"])), False),
        (said(base=7, plus=frozenset()), True),
        (said(base=6, plus=frozenset()), False),
        (said(base=6, plus=frozenset(["berta"])), True),
        (said(base=7, plus=frozenset(), minus=frozenset(["berta"])), False),
        (said(received=T0 - 1), False),
        (said(t=T0 - STRAGGLER), True),
        (said(t=T0 - STRAGGLER - 1), False),
        (said(hash="", members=0, plus=frozenset(), t=T0 - 1), False),
        (None, False),
    ],
)
def test_only_who_has_named_a_user_since_it_came_can_take_it_out(
    before: PastReport | None, *, knows: bool
) -> None:
    """Its list may be stored whole, or by what it differs in from the roster of a version."""
    assert knows == hearing(before, t=100).counts("berta", T0 + 100, mark())


def test_a_list_of_oneself_alone_says_nothing_of_others() -> None:
    """The client was just connecting."""
    before = said(members=1, plus=frozenset())
    here = mark(present=False)
    assert hearing(before, t=100).counts("berta", T0 + 100, here)
    assert not hearing(before, t=100, blinked=True).counts("berta", T0 + 100, here)


def test_what_nobody_changed_of_late_counts_at_once() -> None:
    """Only what contradicts a recent change can be of the time before it."""
    assert hearing(None).counts("carla", T0, mark())
    assert hearing(None).counts("carla", T0, {})


@pytest.mark.parametrize(
    ("changes", "patience"),
    [
        ({}, LAGGARD),
        ({"asked": True}, STRAGGLER),
        ({"hash": "g", "order": Order(EPOCH, 6)}, STRAGGLER),
        ({"hash": "g", "order": Order(EPOCH, 7)}, LAGGARD),
        ({"hash": "g", "order": Order(EPOCH + 1, 6)}, LAGGARD),
        ({"hash": "g", "order": Order(EPOCH, 6), "received": T0 + 9999}, LAGGARD),
    ],
)
def test_a_list_may_lag_less_if_it_was_asked_for_or_is_said_again(
    changes: dict[str, Any], patience: int
) -> None:
    """Again is: the same set in the very next report, ten seconds or more after the first."""
    one = hearing(said(plus=frozenset()), t=20_000, **changes)
    assert patience == one.patience
    assert not one.counts("berta", T0 + patience, mark())
    assert one.counts("berta", T0 + patience + 1, mark())


def test_a_new_token_or_a_good_bye_is_a_new_start() -> None:
    """Who asked for entry after a change, or came back after it, knows of it."""
    for knowing in (
        hearing(None, order=Order(T0, 1)),
        hearing(said(t=T0, members=0, plus=frozenset())),
    ):
        assert knowing.counts("berta", T0 + 100, mark())
    assert not hearing(None, order=Order(T0 - 1, 1)).counts("berta", T0 + 100, mark())


def test_a_hash_is_found_among_those_that_held() -> None:
    """The newest that was there when a list came in: by its set, or by the list that led to it."""
    stops = [PastState("c", "b", 30, 35), PastState("a", "", 20, 25), PastState("a", "", 10, 15)]
    assert [position(stops, each, 99) for each in "cbax"] == [0, 0, 1, None]
    assert [position(stops, "a", received) for received in (25, 24, 15, 14)] == [1, 2, 2, None]


def test_a_digest_is_five_characters_of_a_sha_256() -> None:
    """Known answer: it is stored."""
    assert digest_of("anna") == "VVebV"


STOPS = Head(
    version=3,
    hash="c",
    began=T0 + 2000,
    noted=T0 + 2000,
    size=2,
    ring=(PastState("b", "", T0 + 1000, T0 + 1000), PastState("a", "", T0, T0)),
    pending=(Pending(T0 + 2000, T0 + 2000, Source.CLIENT, 1, False, frozenset(["anna"]), ("bo",)),),
)
"""Three sets held, one after the other; by the newest anna is about to leave."""


@pytest.mark.parametrize(
    ("before", "epoch", "straggles"),
    [
        (None, EPOCH, True),
        (said(hash="a"), EPOCH, True),
        (said(hash="b", t=T0 + 1100, received=T0 + 1100), EPOCH, False),
        (None, T0 + 999, True),
        (None, T0 + 1000, False),
    ],
)
def test_a_list_of_an_older_set_straggles_unless_its_reporter_had_seen_a_newer_one(
    before: PastReport | None, epoch: int, *, straggles: bool
) -> None:
    """It had stated that, or its token was made when that held already."""
    late = hearing(before, t=2500, hash="a", order=Order(epoch, 9))
    assert late.straggles(STOPS) == straggles


@pytest.mark.parametrize(
    ("head", "epoch", "unknowing"),
    [
        (STOPS, EPOCH, True),
        (STOPS._replace(said="d"), EPOCH, False),
        (STOPS, T0 + 1999, True),
        (STOPS, T0 + 2000, False),
        (
            STOPS._replace(marks=(RecentChange(digest_of("anna"), T0 + 2000, T0, 3, True),)),
            EPOCH,
            False,
        ),
        (
            STOPS._replace(marks=(RecentChange(digest_of("anna"), T0 + 1999, T0, 3, True),)),
            EPOCH,
            True,
        ),
        (
            STOPS._replace(marks=(RecentChange(digest_of("bo"), T0 + 2000, T0, 3, True),)),
            EPOCH,
            True,
        ),
    ],
)
def test_who_is_no_part_of_what_holds_cannot_have_come_back_from_it(
    head: Head, epoch: int, *, unknowing: bool
) -> None:
    """Unless it came since, or what holds is not quite what the list that led to it said."""
    late = hearing(None, t=2500, hash="b", order=Order(epoch, 9)).signal
    assert cannot_know(head, late) == unknowing


class Doubting(Roomgate):
    """The fold, with a second look at each list that it takes for a straggler without a read.

    Attributes:
        looks: how many there were.
        wrong: of them, how many what the reporter said before speaks against.
    """

    def __init__(self) -> None:
        super().__init__()
        self.looks = self.wrong = 0

    def take(self, signal: Signal) -> bool:
        """Look at it again, once it is folded."""
        head, _ = settled_parts(self.head, signal.received, lambda: self.members)
        resend = super().take(signal)
        if signal.kind is Kind.LIST:
            stored, _ = self._stored[signal.user][signal.order]
            if stored.hash != head.hash and cannot_know(head, stored):
                self.looks += 1
                self.wrong += not self._is_late(head, stored)
        return resend

    def _is_late(self, head: Head, signal: Signal) -> bool:
        said = self._recall(signal.user)
        before = next((each for each in said if each.order < signal.order), None)
        listened = Claim(signal, before, blinked=False)
        late = not listened.reached(head) and listened.straggles(head)
        return said[0].order > signal.order or late


def test_what_is_taken_for_a_straggler_without_a_read_is_one() -> None:
    """What its reporter said before would have told the same, whatever that was."""
    looks = 0
    for seed in range(3):
        for setting in (Setting(100, changes=15), Setting(20, ordered=False, beats=True)):
            rule = Doubting()
            World(setting, seed).score(rule)
            assert rule.wrong == 0
            looks += rule.looks
    assert looks > 40


def test_others_are_late_while_one_that_connects_anew_lists_itself_alone() -> None:
    """They never said that it is alone, so what they say is of before; nothing is read for it."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna", 200_000)
    reads = room.recalls
    assert room.lists("berta anna carla dora emma", 200_500).outcome is Outcome.STALE
    assert room.recalls == reads
    assert room.lists("berta anna carla dora emma", 206_000).outcome is Outcome.APPLIED
    assert (room.recalls, room.leaving) == (reads + 1, "")


def test_a_list_that_was_true_once_is_late_and_nothing_is_read_for_it() -> None:
    """The room went on since; whatever its reporter said before, it does not tell of now."""
    room = room_of("anna berta carla")
    room.lists("anna berta carla dora", 60_000)
    reads = (room.recalls, room.loads)
    assert room.lists("berta anna carla", 59_000, late=1500).outcome is Outcome.STALE
    assert (room.recalls, room.loads) == reads


def test_a_list_of_the_newest_ms_by_one_who_does_not_know_the_newest_list_is_history() -> None:
    """Of two lists of one time, the one that came in first counts."""
    room = room_of("anna berta carla")
    room.lists("anna berta carla dora", 60_000)
    assert room.lists("berta anna carla emma", 60_000, late=100).outcome is Outcome.STALE
    assert room.names == "anna berta carla dora"


def test_a_straggler_takes_no_leave_back() -> None:
    """It is dated after the leave, but states what held before: its reporter is not that far."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla dora emma fanny", 60_000)
    room.lists("anna berta carla dora fanny", 60_500)
    assert room.leaving == "emma"
    assert room.lists("berta anna carla dora emma fanny", 60_600).outcome is Outcome.STALE
    assert room.leaving == "emma"


def test_who_took_a_user_out_may_bring_it_back_though_its_clock_was_set() -> None:
    """Its later list is dated before the earlier one, on whose word alone the leave rests."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla dora", 60_000)
    assert room.leaving == "emma"
    room.lists("anna berta carla dora emma", 59_900, late=300)
    assert (room.leaving, len(room.story)) == ("", 5)


def test_who_listed_itself_alone_has_not_seen_anybody_leave() -> None:
    """It was connecting anew when it named nobody; what it names next is older than the leave."""
    room = room_of("anna berta carla dora emma")
    room.lists("anna berta carla dora", 60_000)
    room.lists("berta anna carla dora", 60_100)
    assert room.story[-1] == "-emma@60000"
    room.lists("carla", 62_000)
    room.lists("carla anna berta dora emma", 63_000)
    assert room.names == "anna berta carla dora"
    assert room.leaving == ""


def test_a_leave_is_not_dated_before_its_join_by_one_whose_age_is_wrong() -> None:
    """Its token was made after the join, so it knows of it, and its list says that it is older."""
    room = room_of("anna berta carla")
    room.tencent(Kind.ENTERED, "dora", 60_000)
    room.lists("berta anna carla emma", 59_000, late=2000, epoch=T0 + 60_500)
    assert room.leaving == "dora"
    room.lists("anna berta carla emma", 62_000, epoch=T0 + 61_000)
    assert room.story[-1] == "-dora@60000"


def test_a_member_did_not_come_back_before_it_went() -> None:
    """The age was wrong when it was said to be gone, and is when it is named again."""
    room = room_of("anna berta")
    room.tencent(Kind.ENTERED, "dora", 60_000)
    room.lists("berta anna carla", 59_000, late=2000, epoch=T0 + 60_500)
    room.lists("berta anna carla dora", 59_100, late=3000, epoch=T0 + 60_500)
    assert (room.leaving, room.story[-1]) == ("", "+carla@59000")


def test_in_a_small_room_whoever_else_names_a_user_again_only_takes_its_leave_back() -> None:
    """It never saw the user go."""
    room = room_of("anna berta carla dora")
    room.lists("anna berta carla", 60_000)
    room.lists("berta anna carla dora", 60_001 + STRAGGLER)
    assert (room.leaving, len(room.story)) == ("", 4)


def test_of_some_who_were_not_named_the_rest_counts_on_when_most_are_named_again() -> None:
    """Only a list that is without nearly everyone is of a client that connects anew."""
    room = room_of("anna berta carla dora emma frida greta hanna ida")
    room.lists("anna berta carla dora emma frida", 60_000)
    room.lists("berta anna carla dora emma frida greta hanna", 60_001 + STRAGGLER)
    assert (room.leaving, room.story[-1]) == ("", "-ida@60000")


def test_who_lists_itself_alone_saw_nobody_go_and_come_back() -> None:
    """Not even in a small room: it was connecting anew."""
    room = room_of("anna berta carla")
    room.lists("anna", 60_000)
    room.leaves("berta", 60_500)
    assert room.leaving == "carla"
    room.lists("anna carla", 61_000)
    assert (room.leaving, room.story[3:]) == ("", ["-berta@60500"])


def test_nobody_comes_back_before_it_left_by_one_whose_age_is_wrong() -> None:
    """Its token was made after the leave, and its list says that it is older."""
    room = room_of("anna berta carla")
    room.tencent(Kind.LEFT, "carla", 60_000)
    room.lists("anna berta carla dora", 59_000, late=2000, epoch=T0 + 60_500)
    assert room.story[3:] == ["-carla@60000", "+carla@60000", "+dora@59000"]


def test_whose_list_led_to_what_holds_knows_of_it_though_not_all_of_it_counted() -> None:
    """What it says next is later, even if its clock was set meanwhile."""
    room = room_of("anna berta carla dora")
    room.lists("anna berta carla dora emma", 60_000)
    room.lists("berta anna carla dora fanny", 60_100)
    room.lists("berta anna carla dora fanny greta", 60_050, late=300)
    assert room.story[-1] == "+greta@60101"


@pytest.mark.parametrize(("lag", "witness"), [(STRAGGLER, True), (STRAGGLER + 1, False)])
def test_a_list_from_before_a_leave_is_no_witness_of_it(lag: int, *, witness: bool) -> None:
    """Though it states the same set: it was true at another time."""
    room = room_of("anna berta carla dora")
    room.lists("anna berta carla", 60_000)
    room.lists("berta anna carla", 60_000 - lag, late=lag + 500)
    assert ("dora" not in room.members) == witness


def test_what_comes_in_later_does_not_make_an_earlier_list_news_when_it_is_folded_again() -> None:
    """Two reports of one client came in the wrong order; keeper folds the first one once more."""
    room = room_of("anna berta")
    room.lists("berta anna carla", 60_000)
    room.lists("anna berta", 60_500, late=100, seq=5)
    room.lists("anna berta carla", 60_300, late=1700, seq=4)
    head = room.head
    assert room.lists("anna berta", 60_500, late=100, seq=5).head is head


def test_who_stated_the_same_set_long_before_does_not_know_that_it_holds_again() -> None:
    """Carla came and was gone meanwhile; what anna sends late is of when she was there."""
    room = room_of("anna berta")
    room.lists("berta anna carla", 60_000)
    room.lists("berta anna", 70_000)
    assert room.leaving == "carla"
    assert room.lists("anna berta carla dora", 60_100, late=11_000).outcome is Outcome.STALE
    assert (room.leaving, room.names) == ("carla", "anna berta carla")
