"""What one liar can do: a member whose token is good and whose lists are not true."""

from __future__ import annotations

import pytest

from chalicelib.roster.head import LAGGARD, RETURN
from chalicelib.roster.members import Reason
from chalicelib.roster.places import NAMED_SHARE
from chalicelib.roster.signal import Kind
from chalicelib.roster.transforms import Outcome
from tests.support.folding import T0, Room, room_of

SECOND = 1000
FIVE = "anna berta carla dora emma"


@pytest.mark.parametrize("pace", [30, 100, 120])
def test_one_liar_empties_no_room_of_five_that_sends_heartbeats(pace: int) -> None:
    """Eight lies in 75 s; heartbeats of half a minute, or of the pace that we ask for."""
    room = room_of(FIVE)
    lies = [(60_000 + 9_400 * lie, "emma", True) for lie in range(8)]
    beats = [
        (5_000 + pace * 250 * at + pace * SECOND * many, user, False)
        for at, user in enumerate(FIVE.split()[:4])
        for many in range(600 // pace)
    ]
    for t, user, is_lie in sorted(lies + beats):
        room.settle(T0 + t)
        if is_lie:
            room.lists(user, t)
            continue
        stated = " ".join([user, *(name for name in FIVE.split() if name != user)])
        if room.beats(stated, t).resend:
            room.lists(stated, t + 100, asked=True)
    room.settle(T0 + 590 * SECOND)
    assert len(room.story) == 5


@pytest.mark.parametrize(
    ("users", "waits"), [("anna berta", RETURN), (FIVE, 60_000), ("many", LAGGARD)]
)
def test_without_heartbeats_one_empty_list_empties_a_room(users: str, waits: int) -> None:
    """That is the price of noticing crashes. The docs say so."""
    if users == "many":
        users = " ".join(f"user{number:02}" for number in range(50))
    room = room_of(users)
    liar = users.split()[0]
    room.lists(liar, 60 * SECOND)
    room.settle(T0 + 60 * SECOND + waits - 1)
    assert len(room.members) == len(users.split())
    room.settle(T0 + 60 * SECOND + waits)
    assert room.names == liar
    gone = [each for each in room.timeline if not each.joined]
    assert {each.by for each in gone} == {liar}


def test_one_liar_fills_no_room() -> None:
    """It names two thirds of it at most; who comes and speaks finds a place."""
    room = Room()
    room.most = 9
    folded = room.lists("liar " + " ".join(f"ghost{number}" for number in range(20)), 0)
    assert len(room.members) == 1 + int(9 * NAMED_SHARE)
    assert folded.outcome is Outcome.APPLIED
    assert len(folded.dropped) == 20 - int(9 * NAMED_SHARE)
    for number in range(2):
        room.lists(f"guest{number} liar", 1000 + number)
    assert len(room.members) == 9
    room.lists("anna liar", 5000)
    assert "anna" in room.members
    assert room.timeline[-2].reason is Reason.DISPLACED
    assert room.timeline[-2].user.startswith("ghost")
    assert len(room.members) == 9


def test_who_has_spoken_is_not_displaced() -> None:
    """Neither one that came by its own word, nor one whom others named and who spoke since."""
    room = room_of("anna berta carla")
    room.most = 3
    folded = room.lists("dora anna berta carla", 60 * SECOND)
    assert (folded.outcome, folded.dropped) == (Outcome.FULL, ("dora",))
    assert room.names == "anna berta carla"


def test_tencent_finds_a_place_for_whom_it_saw() -> None:
    """Whom somebody merely named makes room."""
    room = Room()
    room.most = 4
    room.lists("liar ghost phantom", 0)
    room.tencent(Kind.ENTERED, "anna", 1000)
    room.tencent(Kind.ENTERED, "berta", 2000)
    assert room.names.startswith("anna berta")
    assert len(room.members) == 4


def test_a_liar_dates_nothing_before_its_entry() -> None:
    """Whatever age it gives, but for a minute in which clocks may differ."""
    room = room_of("anna berta", 3_600_000)
    entry = T0 + 3_600_000
    room.lists("liar anna berta ghost", 0, late=3_660_000, epoch=entry, seq=1)
    assert room.story[-1] == f"+liar@{3_600_000 - 60_000}" or "ghost" in room.story[-1]
    assert all(each.t >= entry - 60_000 for each in room.timeline)


def test_ghosts_can_be_told_from_those_who_spoke() -> None:
    """They came by another's word, and have said nothing themselves."""
    room = room_of("anna berta")
    room.lists("liar anna berta ghost", 60 * SECOND)
    assert room.members["ghost"].by == "liar"
    assert room.members["liar"].by == "liar"
