"""What a list can know, by what its reporter said before."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.roster.head import LAGGARD, SEEN, STRAGGLER, PastState, RecentChange, digest_of
from chalicelib.roster.members import Member
from chalicelib.roster.reporters import Claim, claim_of, position
from chalicelib.roster.signal import Kind, Order, PastReport, Signal, Source
from tests.support.folding import EPOCH, T0

HERE = Member(T0 - 9_000_000, "berta", Source.CLIENT)


def claim(before: PastReport | None, *, t: int = 0, **changes: Any) -> Claim:
    """A list that was true at a moment after T0, by one who said something before."""
    signal = Signal(
        Kind.LIST, Source.CLIENT, "anna", T0 + t, T0 + t, Order(EPOCH, 9), "h", frozenset()
    )
    made = claim_of(signal._replace(**changes), [before] if before else [])
    assert made is not None
    return made


def said(**changes: Any) -> PastReport:
    """A list of anna, berta and carla, stored whole, that came in with the mark's change."""
    users = frozenset(["anna", "berta", "carla"])
    return PastReport(Order(EPOCH, 5), T0, T0, "g", len(users), plus=users)._replace(**changes)


def mark(user: str = "berta", *, present: bool = True, version: int = 7) -> dict[str, RecentChange]:
    """Berta came, or went, at T0."""
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
    member = HERE._replace(since=T0)
    assert knows == claim(before, t=100).shows_leave("berta", member, mark())


@pytest.mark.parametrize("marks", [{}, mark("emma")])
def test_who_never_named_a_user_says_nothing_of_it(marks: dict[str, RecentChange]) -> None:
    """However long the user has been there: members need not see each other."""
    assert not claim(None).shows_leave("berta", HERE, marks)
    assert not claim(said(plus=frozenset(["anna"]))).shows_leave("berta", HERE, marks)
    assert claim(said()).shows_leave("berta", HERE, marks)


def test_a_stay_that_began_after_a_list_is_not_what_that_named() -> None:
    """A user that came back is another stay; who has not named it since knows nothing of it."""
    back = HERE._replace(since=T0 + STRAGGLER + 1)
    assert not claim(said(), t=60_000).shows_leave("berta", back, {})
    assert not claim(said(), t=0).shows_leave("berta", HERE._replace(since=T0), {})


def test_who_seemed_to_be_gone_and_was_seen_is_taken_out_by_those_who_know() -> None:
    """One who named it since it was seen, or says so much later."""
    seen = mark(version=SEEN)
    assert not claim(said(received=T0 - 1), t=100).shows_leave("berta", HERE, seen)
    assert claim(said(), t=100).shows_leave("berta", HERE, seen)
    assert claim(said(received=T0 - 1), t=LAGGARD + 1).shows_leave("berta", HERE, seen)


def test_a_list_of_oneself_alone_does_not_mean_to_have_seen_nobody() -> None:
    """The client was just connecting: what it said before that is looked at."""
    alone = said(order=Order(EPOCH, 8), members=1, plus=frozenset(["anna"]))
    signal = claim(None, t=100).signal
    made = claim_of(signal, [alone, said()])
    assert made is not None
    assert made.shows_leave("berta", HERE, {})
    assert not made.shows_join("berta", mark(present=False), 2)
    assert made.shows_join("berta", mark(present=False), 1)
    only = claim_of(signal, [alone])
    assert only is not None
    assert not only.shows_leave("berta", HERE, {})


def test_where_a_list_was_asked_for_older_ones_count_as_well() -> None:
    """What the one before said was not believed."""
    signal = claim(None, t=100).signal
    past = [said(order=Order(EPOCH, 8), plus=frozenset(["anna", "carla"])), said()]
    for asked in (False, True):
        made = claim_of(signal._replace(asked=asked), past)
        assert made is not None
        assert asked == made.shows_leave("berta", HERE, {})


@pytest.mark.parametrize(
    ("before", "listed", "says_nothing"),
    [
        (None, "", True),
        (None, "berta", False),
        (said(), "", False),
        (said(order=Order(EPOCH - 1, 1)), "", True),
        (said(order=Order(EPOCH - 1, 1)), "berta", False),
        (said(members=0, plus=frozenset()), "", True),
    ],
)
def test_one_who_has_just_come_and_names_nobody_says_nothing_of_others(
    before: PastReport | None, listed: str, *, says_nothing: bool
) -> None:
    """With its first list, or the first one of another token."""
    made = claim(before, listed=frozenset(listed.split()))
    assert made.names_nobody_yet == says_nothing


def test_what_nobody_changed_of_late_counts_at_once() -> None:
    """Only what contradicts a recent change can be of the time before it."""
    assert claim(None).shows_join("carla", mark())
    assert claim(None).shows_join("carla", {})


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
    gone = mark(present=False)
    before = said()
    one = claim(before, t=20_000, **changes)
    assert patience == one.patience
    at, after = (
        one._replace(signal=one.signal._replace(t=T0 + patience + late)) for late in (0, 1)
    )
    assert not at.shows_join("berta", gone)
    assert after.shows_join("berta", gone)


def test_a_new_token_or_a_good_bye_is_a_new_start() -> None:
    """Who asked for entry after a change, or came back after it, knows of it."""
    gone = mark(present=False)
    for knowing in (
        claim(None, order=Order(T0, 1)),
        claim(said(t=T0, members=0, plus=frozenset())),
    ):
        assert knowing.shows_join("berta", gone)
    assert not claim(None, order=Order(T0 - 1, 1)).shows_join("berta", gone)


def test_who_saw_a_user_go_can_say_that_it_is_back() -> None:
    """Its earlier list was without the user, and came in after that had left."""
    gone = mark(present=False)
    assert claim(said(plus=frozenset(["anna", "carla"])), t=100).shows_join("berta", gone)
    assert not claim(said(), t=100).shows_join("berta", gone)


def test_a_report_that_is_not_the_newest_makes_no_claim() -> None:
    """Its reporter has said something since."""
    signal = claim(None).signal
    assert claim_of(signal, [said(order=Order(EPOCH, 10))]) is None
    itself = claim_of(signal, [said(order=signal.order), said()])
    assert itself is not None
    assert itself.last == said()


def test_a_hash_is_found_among_those_that_held() -> None:
    """The newest that was there when a list came in."""
    stops = [PastState("c", 30, 35), PastState("a", 20, 25), PastState("a", 10, 15)]
    assert [position(stops, each, 99) for each in "cax"] == [0, 1, None]
    assert [position(stops, "a", received) for received in (25, 24, 15, 14)] == [1, 2, 2, None]
