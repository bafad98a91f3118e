from __future__ import annotations

from typing import Any

import pytest

from chalicelib.roster.head import LAGGARD, STRAGGLER, Mark, Stop, digest_of
from chalicelib.roster.hindsight import Hearing, position
from chalicelib.roster.signal import Kind, Order, Said, Signal, Source
from tests.support.folding import EPOCH, T0


def hearing(before: Said | None, *, t: int = 0, blinked: bool = False, **changes: Any) -> Hearing:
    """A list that was true at a moment after T0, by one who said something before."""
    signal = Signal(
        Kind.LIST, Source.CLIENT, "anna", T0 + t, T0 + t, Order(EPOCH, 9), "h", frozenset()
    )
    return Hearing(signal._replace(**changes), before, blinked)


def said(**changes: Any) -> Said:
    """A list of anna, berta and carla, stored whole, that came in with the mark's change."""
    users = frozenset(["anna", "berta", "carla"])
    return Said(Order(EPOCH, 5), T0, T0, "g", len(users), plus=users)._replace(**changes)


def mark(user: str = "berta", *, present: bool = True, version: int = 7) -> dict[str, Mark]:
    """Berta came, at T0."""
    return {digest_of(user): Mark(digest_of(user), T0, T0, version, present)}


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
    before: Said | None, *, knows: bool
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
    stops = [Stop("c", "b", 30, 35), Stop("a", "", 20, 25), Stop("a", "", 10, 15)]
    assert [position(stops, each, 99) for each in "cbax"] == [0, 0, 1, None]
    assert [position(stops, "a", received) for received in (25, 24, 15, 14)] == [1, 2, 2, None]


def test_a_digest_is_five_characters_of_a_sha_256() -> None:
    """Known answer: it is stored."""
    assert digest_of("anna") == "VVebV"
