from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from chalicelib.roster.codec import head_form, members_form, members_of, transitions_form
from chalicelib.roster.fold import Folded, fold
from chalicelib.roster.head import RING, Head, Lease
from chalicelib.roster.known import Known
from chalicelib.roster.members import Member, replay
from chalicelib.roster.signal import Kind, Order, Signal, Source
from chalicelib.roster.view import set_hash
from simulation.rules import Roomgate
from tests.support.folding import EPOCH, T0
from tests.support.lists import plain_view

KB = 1024


def squeezed(form: Any) -> int:
    """Bytes of a form as JSON, deflated."""
    text = json.dumps(form, separators=(",", ":"))
    return len(zlib.compress(text.encode(), wbits=-zlib.MAX_WBITS))


def busy_room(members: int) -> Roomgate:
    """A room of users with openids; 40 of them have come one by one, each by another's word."""
    view = plain_view(members + 1)
    users = [view.reporter, *view.others]
    room = Roomgate()
    first = max(1, members - 40)
    for at in range(first, members + 1):
        room.take(listing(users[:at], at - first, reporter=users[at % first]))
    room.take(listing(users[: members - 1], 60, reporter=users[0]))
    return room


def listing(users: list[str], at: int, *, reporter: str) -> Signal:
    """A list of some users, twelve seconds after the one before."""
    t = T0 + 12_000 * at
    order, hash_ = Order(EPOCH, at), set_hash(users)
    return Signal(Kind.LIST, Source.CLIENT, reporter, t, t + 150, order, hash_, frozenset(users))


@pytest.mark.parametrize(
    ("members", "small", "whole"),
    [(4, 350, 450), (50, 850, 2 * KB + 200), (300, 850, 8 * KB), (1000, 850, 23 * KB)],
)
def test_a_head_is_small_and_its_members_stay_apart(members: int, small: int, whole: int) -> None:
    """What each report needs is within 1 KB, so one read unit, however many members there are.

    Up to about 100 members, they fit beside it.
    """
    room = busy_room(members)
    assert len(room.members) == members
    assert room.head.marks or room.head.pending
    assert squeezed(head_form(room.head)) <= small
    together = squeezed([head_form(room.head), members_form(room.members)])
    assert together <= whole
    # An openid is 28 characters of 64: 21 bytes that no compressor can save.
    assert squeezed(members_form(room.members)) <= 100 + 24 * members


def test_a_list_without_nearly_everyone_keeps_the_head_small() -> None:
    """Of those who are to leave and those who stay, the fewer are written."""
    room = busy_room(1000)
    before = squeezed(head_form(room.head))
    alone = min(room.members)
    room.take(listing([alone], 70, reporter=alone))
    assert len(room.head.leaving(room.members)) == 998
    assert squeezed(head_form(room.head)) <= before + 150


def test_a_busy_ring_is_small() -> None:
    """All older hashes that are remembered."""
    room = busy_room(50)
    assert len(room.head.ring) == RING
    assert squeezed(head_form(room.head)["ring"]) <= 480


def test_a_change_is_small() -> None:
    """One join by another's word: two names, a time and little else."""
    room = busy_room(50)
    assert squeezed(transitions_form(room.timeline[-1:])) <= 100


def test_an_empty_roster_is_an_empty_list() -> None:
    """And the other way round."""
    assert members_form({}) == []
    assert members_of([]) == {}


def test_a_roster_is_grouped_by_evidence() -> None:
    """Whom one list brought in stand together."""
    members = {
        "anna": Member(1000, "anna", Source.CLIENT),
        "berta": Member(1000, "anna", Source.CLIENT),
        "carla": Member(1000, "anna", Source.CLIENT),
        "dora": Member(1500, "", Source.TENCENT),
    }
    expected = [
        [1000, "=", "client", "anna"],
        [0, "anna", "client", "berta,carla"],
        [500, "", "tencent", "dora"],
    ]
    assert expected == members_form(members)


def test_the_form_of_a_head_is_plain_json() -> None:
    """Nothing of Python's gets into the store, not even by way of an enum."""
    room = busy_room(4)
    for form in (head_form(room.head), members_form(room.members)):
        assert form == json.loads(json.dumps(form))


def test_the_first_fold_of_a_room_needs_no_reading() -> None:
    """Head() is the head of a room that was never seen."""
    signal = listing(["anna"], 0, reporter="anna")
    folded = fold(Head(), signal, Known({}, ()), now=T0, most=9)
    assert isinstance(folded, Folded)
    assert list(replay({}, folded.transitions)) == ["anna"]
    assert folded.head.lease == Lease(T0)
