"""The relay: what Roomgate's roster learns of clients that can't report for themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from chalicelib.roster.view import set_hash
from examples.backend.app import application
from tests.functional.example_backend.conftest import BEAT, Sample
from tests.functional.example_backend.fake_roomgate import RELAY_SECRET, Trouble

if TYPE_CHECKING:
    from examples.backend.settings import Settings
    from tests.functional.example_backend.conftest import Clock
    from tests.functional.example_backend.fake_roomgate import FakeRoomgate


@pytest.fixture
def sample(settings: Settings, roomgate: FakeRoomgate, clock: Clock) -> Sample:
    """A sample app and a backend that relays."""
    relaying = replace(
        settings,
        weapp=True,
        webhook=roomgate.url,
        relay_id="example",
        relay_secret=RELAY_SECRET,
        timeout=0.2,
    )
    return Sample(Client(application(relaying, clock)))


def said(roomgate: FakeRoomgate, user_id: str) -> list[Any]:
    """What was relayed of a user: the others that it names, its heartbeats, its goodbye."""
    told: list[Any] = []
    for report in roomgate.reports:
        if report["userId"] == user_id:
            others = [other["userid"] for other in report.get("userlist", [])]
            told.append("beat" if "heartbeat" in report else "left" if "left" in report else others)
    return told


def test_each_members_list_names_those_who_are_present(
    sample: Sample, roomgate: FakeRoomgate, clock: Clock
) -> None:
    """A list where something changed, a heartbeat each 20 s where nothing did, and a goodbye."""
    room_id = sample.create("anna")
    sample.done("enter_room", userID="berta", roomID=room_id)
    for _ in range(4):
        clock.now += BEAT
        sample.done("heartbeat", userID="anna", roomID=room_id)
        sample.done("heartbeat", userID="berta", roomID=room_id)
    assert said(roomgate, "anna") == [[], ["berta"], "beat"]
    assert said(roomgate, "berta") == [["anna"], "beat"]
    sample.done("quit_room", userID="berta", roomID=room_id)
    sample.done("heartbeat", userID="anna", roomID=room_id)
    assert said(roomgate, "berta")[-1] == "left"
    assert said(roomgate, "anna")[-1] == []
    assert list(roomgate.rosters[int(room_id)]) == ["anna"]


def test_reports_of_one_stay_count_up(sample: Sample, roomgate: FakeRoomgate, clock: Clock) -> None:
    """And a new stay begins with a later epoch and seq 0."""
    room_id = sample.create("anna")
    sample.done("enter_room", userID="berta", roomID=room_id)
    sample.done("heartbeat", userID="anna", roomID=room_id)
    sample.done("quit_room", userID="anna", roomID=room_id)
    clock.now += 1
    sample.done("enter_room", userID="anna", roomID=room_id)
    annas = [report for report in roomgate.reports if report["userId"] == "anna"]
    assert [report["seq"] for report in annas] == [0, 1, 2, 0]
    assert len({report["epoch"] for report in annas[:3]}) == 1
    assert annas[3]["epoch"] == annas[0]["epoch"] + 1000


def test_a_heartbeat_has_roomgates_own_hash(
    sample: Sample, roomgate: FakeRoomgate, clock: Clock
) -> None:
    """Else every heartbeat would be answered with the wish for a list."""
    room_id = sample.create("anna")
    sample.done("enter_room", userID="berta", roomID=room_id)
    clock.now += BEAT
    sample.done("heartbeat", userID="anna", roomID=room_id)
    clock.now += 20 - BEAT
    sample.done("heartbeat", userID="berta", roomID=room_id)
    assert roomgate.reports[-1]["heartbeat"] is True
    assert roomgate.reports[-1]["hash"] == set_hash(["anna", "berta"])


def test_a_room_that_wants_the_list_again_gets_it(
    sample: Sample, roomgate: FakeRoomgate, clock: Clock
) -> None:
    """With the next heartbeat, under a new seq."""
    room_id = sample.create("anna")
    roomgate.resend = True
    for _ in range(2):
        clock.now += 20
        sample.done("heartbeat", userID="anna", roomID=room_id)
    assert said(roomgate, "anna") == [[], "beat", []]
    assert roomgate.reports[-1]["seq"] == 1


def test_who_is_gone_without_a_word_is_reported_as_gone(
    sample: Sample, roomgate: FakeRoomgate, clock: Clock
) -> None:
    """By the next request of anybody, and once."""
    room_id = sample.create("anna")
    clock.now += 21
    for _ in range(2):
        sample.listed()
    assert said(roomgate, "anna") == [[], "left"]
    assert roomgate.rosters[int(room_id)] == {}


@pytest.mark.parametrize(
    "trouble", [Trouble(503, {"code": "store-unavailable"}), Trouble(200, b"")]
)
def test_a_report_that_fails_disturbs_nobody_and_comes_again(
    sample: Sample, roomgate: FakeRoomgate, trouble: Trouble
) -> None:
    """The client's heartbeat succeeds all the same."""
    room_id = sample.create("anna")
    sample.done("enter_room", userID="berta", roomID=room_id)
    roomgate.trouble = trouble
    sample.done("heartbeat", userID="anna", roomID=room_id)
    roomgate.trouble = None
    assert said(roomgate, "anna") == [[]]
    sample.done("heartbeat", userID="anna", roomID=room_id)
    assert said(roomgate, "anna") == [[], ["berta"]]


def test_a_silent_roomgate_holds_a_heartbeat_up_for_a_moment_only(
    sample: Sample, roomgate: FakeRoomgate
) -> None:
    """It is given up on, and the member stays present."""
    room_id = sample.create("anna")
    sample.done("enter_room", userID="berta", roomID=room_id)
    roomgate.silent = True
    sample.done("heartbeat", userID="anna", roomID=room_id)
    assert len(roomgate.reports) == 2


def test_goodbyes_are_not_insisted_on(sample: Sample, roomgate: FakeRoomgate, clock: Clock) -> None:
    """Where Roomgate does not take one, the request that noticed does not wait for the others."""
    for user_id in ("anna", "berta", "carol"):
        sample.create(user_id)
    clock.now += 21
    before = len(roomgate.requests)
    roomgate.trouble = Trouble(503, {"code": "store-unavailable"})
    assert len(sample.listed()) == 3
    assert len(roomgate.requests) == before + 1
