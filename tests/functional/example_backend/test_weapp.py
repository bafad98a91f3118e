"""The seven routes of Tencent's old demo backend, as its sample apps call them."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from examples.backend.app import application
from examples.backend.weapp import CAPACITY
from examples.backend.weapp_store import HEARTBEAT_LOST, ROOM_KEPT
from tests.functional.example_backend.conftest import BEAT, Sample
from tests.functional.example_backend.fake_roomgate import APP, Trouble, now_ms, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.backend.settings import Settings
    from tests.functional.example_backend.conftest import Clock, Phone
    from tests.functional.example_backend.fake_roomgate import FakeRoomgate

ROUTES = (
    "get_login_info",
    "create_room",
    "enter_room",
    "quit_room",
    "heartbeat",
    "get_room_list",
    "get_room_members",
)


def test_the_samples_calls_in_their_order(sample: Sample, clock: Clock) -> None:
    """From the login to the end of the room, with all members that the sample reads."""
    login = sample.done("get_login_info", userID="anna")
    assert login == {
        "code": 0,
        "message": "",
        "sdkAppID": APP,
        "accountType": "0",
        "userID": "anna",
        "userSig": "sig-anna",
    }
    created = sample.done(
        "create_room", userID="anna", nickName="安娜", roomInfo="房间", roomType="double"
    )
    room_id = created["roomID"]
    assert isinstance(room_id, str)
    assert (created["userID"], created["roomInfo"]) == ("anna", "房间")
    assert created["privateMapKey"] == f"key-anna-{room_id}"
    entered = sample.done("enter_room", userID="berta", nickName="Berta", roomID=room_id)
    assert (entered["userID"], entered["roomID"]) == ("berta", room_id)
    assert entered["privateMapKey"] == f"key-berta-{room_id}"
    for _ in range(5):  # 35 s: both would be gone without their heartbeats.
        clock.now += BEAT
        sample.done("heartbeat", userID="anna", roomID=room_id)
        sample.done("heartbeat", userID="berta", roomID=room_id)
    listed = sample.done("get_room_list", index=0, count=10)["rooms"]
    room = {"roomID": room_id, "roomInfo": "房间", "roomCreator": "anna", "roomType": "double"}
    assert listed == [room]
    assert sample.done("get_room_members", roomID=room_id)["members"] == [
        {"userID": "anna", "nickName": "安娜"},
        {"userID": "berta", "nickName": "Berta"},
    ]
    sample.done("quit_room", userID="berta", roomID=room_id)
    assert sample.members(room_id) == ["anna"]
    sample.done("quit_room", userID="anna", roomID=room_id)
    assert sample.listed() == []
    assert sample.call("enter_room", userID="berta", roomID=room_id)["code"] == 3


def test_a_client_without_a_user_gets_a_fresh_one(sample: Sample) -> None:
    """Each time another, with its userSig."""
    logins = [sample.done("get_login_info", **body) for body in ({}, {"userID": ""})]
    assert len({login["userID"] for login in logins}) == 2
    assert [login["userSig"] for login in logins] == [f"sig-{login['userID']}" for login in logins]


@pytest.mark.parametrize("route", ROUTES)
def test_the_routes_are_off_unless_they_are_switched_on(phone: Phone, route: str) -> None:
    """And even then no client takes the answer for success."""
    status, body = phone.post(f"/weapp/webrtc_room/{route}", userID="anna", roomID="7")
    assert (status, body["code"]) == (404, 9001)
    assert "off" in body["message"]


@pytest.mark.parametrize(
    ("route", "body", "code"),
    [
        ("get_login_info", {"userID": "a b"}, 7),
        ("get_login_info", {"userID": ["a"]}, 7),
        ("create_room", {"roomInfo": "r"}, 2),
        ("create_room", {"userID": "anna"}, 2),
        ("create_room", {"userID": "x" * 33, "roomInfo": "r"}, 7),
        ("create_room", {"userID": "anna\nTLS.identifier:b", "roomInfo": "r"}, 7),
        ("create_room", {"userID": "anna", "roomInfo": "r" * 1025}, 11),
        ("create_room", {"userID": "anna", "roomInfo": 5}, 9001),
        ("create_room", {"userID": "anna", "roomInfo": "\ud800"}, 9001),
        ("create_room", {"userID": "anna", "roomInfo": "r", "nickName": "n" * 129}, 9001),
        ("enter_room", {"roomID": "7"}, 2),
        ("enter_room", {"userID": "anna"}, 2),
        ("enter_room", {"userID": "anna", "roomID": "7"}, 3),
        ("enter_room", {"userID": "anna", "roomID": "no number"}, 3),
        ("enter_room", {"userID": "anna", "roomID": {}}, 3),
        ("quit_room", {"userID": "anna"}, 2),
        ("heartbeat", {"roomID": "7"}, 2),
        ("heartbeat", {"userID": "anna", "roomID": "7"}, 3),
        ("get_room_list", {"index": 0}, 2),
        ("get_room_list", {"index": -1, "count": 1}, 9001),
        ("get_room_list", {"index": 0, "count": True}, 9001),
        ("get_room_list", {"index": 0, "count": 2**70}, 9001),
        ("get_room_members", {}, 2),
        ("get_room_members", {"roomID": "7"}, 3),
        ("nothing", {}, 9001),
    ],
)
def test_what_is_wrong_has_the_samples_code(
    sample: Sample, route: str, body: dict[str, Any], code: int
) -> None:
    """Tencent's own codes where it has them."""
    answer = sample.call(route, **body)
    assert answer["code"] == code
    assert answer["message"]


def _post(path: str, **more: Any) -> Callable[[Client], Any]:
    return lambda client: client.post(path, **more)


@pytest.mark.parametrize(
    ("send", "status"),
    [
        (_post("/weapp/"), 404),
        (_post("/weapp/webrtc_room/heartbeat/"), 404),
        (_post("/weapp//webrtc_room/heartbeat"), 404),
        (lambda client: client.get("/weapp/webrtc_room/heartbeat"), 405),
        (lambda client: client.put("/weapp/webrtc_room/heartbeat"), 405),
        (_post("/weapp/webrtc_room/heartbeat", data=b""), 400),
        (_post("/weapp/webrtc_room/heartbeat", data=b"{"), 400),
        (_post("/weapp/webrtc_room/heartbeat", data=b"\xff"), 400),
        (_post("/weapp/webrtc_room/heartbeat", data=b"[]"), 400),
        (_post("/weapp/webrtc_room/heartbeat", data=b"[" * 60_000), 400),
        (_post("/weapp/webrtc_room/heartbeat", data=b'"' + b"x" * 70_000), 413),
    ],
)
def test_no_error_reads_as_success(
    sample: Sample, send: Callable[[Client], Any], status: int
) -> None:
    """A body without a numeric code would; so every answer under the prefix has one."""
    response = send(sample.client)
    assert response.status_code == status
    assert response.get_json()["code"] == 9001


def test_what_nobody_expected_has_a_code_too(
    sample: Sample, on: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The file is lost under the running backend: the client gets a code, the log the reason."""
    on.database.unlink()
    assert sample.call("enter_room", userID="anna", roomID="7")["code"] == 9004
    assert "OperationalError" in caplog.text


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(429, problem(429, "rate-limited")),
        Trouble(503, problem(503, "no-signing-key")),
        Trouble(401, problem(401, "api-key-ended")),
        Trouble(200, b"no JSON"),
    ],
)
def test_roomgates_trouble_has_a_code_and_takes_no_seat(
    sample: Sample, roomgate: FakeRoomgate, trouble: Trouble
) -> None:
    """Nobody is seated without a ticket, and who is inside stays there: heartbeats go on."""
    room_id = sample.create()
    roomgate.trouble = trouble
    assert sample.call("get_login_info", userID="berta")["code"] == 9003
    assert sample.call("create_room", userID="berta", roomInfo="r")["code"] == 9003
    assert sample.call("enter_room", userID="berta", roomID=room_id)["code"] == 9003
    assert sample.call("get_room_members", roomID=room_id)["code"] == 9003
    sample.done("heartbeat", userID="anna", roomID=room_id)
    assert sample.listed() == [room_id]
    roomgate.trouble = None
    assert sample.members(room_id) == ["anna"]


def test_a_member_without_heartbeats_is_gone_after_20_s(sample: Sample, clock: Clock) -> None:
    """Not before; and the next heartbeat brings it back."""
    room_id = sample.create()
    sample.done("enter_room", userID="berta", nickName="Berta", roomID=room_id)
    clock.now += HEARTBEAT_LOST
    assert sample.members(room_id) == ["anna", "berta"]
    sample.done("heartbeat", userID="anna", roomID=room_id)
    clock.now += 1
    assert sample.members(room_id) == ["anna"]
    sample.done("heartbeat", userID="berta", roomID=room_id)
    members = sample.done("get_room_members", roomID=room_id)["members"]
    assert members[1] == {"userID": "berta", "nickName": "Berta"}


def test_a_late_heartbeat_does_not_undo_a_goodbye(sample: Sample) -> None:
    """Nor does one of somebody who never entered make a member."""
    room_id = sample.create()
    sample.done("enter_room", userID="berta", roomID=room_id)
    sample.done("quit_room", userID="berta", roomID=room_id)
    sample.done("quit_room", userID="berta", roomID=room_id)
    for stranger in ("berta", "carol"):
        assert sample.call("heartbeat", userID=stranger, roomID=room_id)["code"] == 9002
    assert sample.members(room_id) == ["anna"]


def test_a_present_member_enters_a_full_room_again(sample: Sample, clock: Clock) -> None:
    """Its app was killed and started again; another one is refused until a seat is free."""
    room_id = sample.create()
    for number in range(CAPACITY - 1):
        sample.done("enter_room", userID=f"user{number}", roomID=room_id)
    assert sample.call("enter_room", userID="late", roomID=room_id)["code"] == 5001
    sample.done("enter_room", userID="anna", nickName="again", roomID=room_id)
    assert len(sample.members(room_id)) == CAPACITY
    clock.now += HEARTBEAT_LOST + 1
    sample.done("enter_room", userID="late", roomID=room_id)
    assert sample.members(room_id) == ["late"]


def test_those_whom_only_the_roster_knows_take_seats(
    sample: Sample, roomgate: FakeRoomgate
) -> None:
    """A web page's user sends no heartbeat here, and is in the room all the same."""
    room_id = sample.create()
    roomgate.rosters[int(room_id)] = {f"web{n}": now_ms() for n in range(CAPACITY - 1)}
    assert sample.members(room_id) == ["anna", "web0", "web1", "web2"]
    assert sample.call("enter_room", userID="berta", roomID=room_id)["code"] == 5001
    sample.done("enter_room", userID="web0", roomID=room_id)  # It has its seat.
    del roomgate.rosters[int(room_id)]["web1"]
    sample.done("enter_room", userID="berta", roomID=room_id)


def test_the_roster_does_not_bring_back_who_has_left(
    sample: Sample, roomgate: FakeRoomgate, clock: Clock
) -> None:
    """It may learn of a leave later than this backend; a new stay counts."""
    room_id = sample.create()
    sample.done("enter_room", userID="berta", roomID=room_id)
    roomgate.rosters[int(room_id)]["berta"] = int(clock.now * 1000) - 5000
    sample.done("quit_room", userID="berta", roomID=room_id)
    assert sample.members(room_id) == ["anna"]
    roomgate.rosters[int(room_id)]["berta"] = int(clock.now * 1000) + 5000
    assert sample.members(room_id) == ["anna", "berta"]


def test_room_numbers_are_not_guessable(sample: Sample) -> None:
    """They neither count nor follow the clock: 40 of them are spread over all 32 bits."""
    numbers = [int(sample.create()) for _ in range(40)]
    assert len(set(numbers)) == 40
    assert all(1 <= number < 2**32 for number in numbers)
    steps = [abs(b - a) for a, b in pairwise(numbers)]
    assert sum(step > 2**26 for step in steps) > 30  # By chance one in 10^20 fails.


def test_a_room_that_others_are_in_is_not_taken_over(
    sample: Sample, roomgate: FakeRoomgate
) -> None:
    """A number is drawn again where the roster has somebody."""
    contents = iter([{"web": 1}, {"web": 1}])
    roomgate.rosters = defaultdict(lambda: next(contents, {}))
    room_id = sample.create()
    taken = [number for number, users in roomgate.rosters.items() if users]
    assert len(taken) == 2
    assert int(room_id) not in taken


def test_a_dead_room_is_forgotten(sample: Sample, roomgate: FakeRoomgate, clock: Clock) -> None:
    """After a minute without a heartbeat, unless somebody is in it by the roster."""
    dead, alive = sample.create("anna"), sample.create("berta")
    roomgate.rosters[int(alive)]["web"] = now_ms()
    clock.now += ROOM_KEPT - 1
    assert sorted(sample.listed()) == sorted([dead, alive])
    clock.now += 2
    assert sample.listed() == [alive]
    assert sample.call("heartbeat", userID="anna", roomID=dead)["code"] == 3
    assert sample.members(alive) == ["web"]
    del roomgate.rosters[int(alive)]["web"]
    clock.now += ROOM_KEPT + 1
    assert sample.listed() == []
    assert sample.call("get_room_members", roomID=alive)["code"] == 3


def test_a_dead_room_waits_while_roomgate_is_away(
    sample: Sample, roomgate: FakeRoomgate, clock: Clock
) -> None:
    """It can't be known whether somebody is in it; the list is answered without it."""
    room_id = sample.create()
    roomgate.rosters[int(room_id)]["web"] = now_ms()
    clock.now += ROOM_KEPT + 1
    roomgate.trouble = Trouble(503, problem(503, "store-unavailable"))
    assert sample.listed() == []
    roomgate.trouble = None
    assert sample.listed() == [room_id]


def test_a_short_loss_of_the_network_does_not_end_a_room(sample: Sample, clock: Clock) -> None:
    """Its only member comes back after half a minute, to the same room."""
    room_id = sample.create()
    clock.now += 30
    assert sample.members(room_id) == []
    assert sample.listed() == [room_id]
    sample.done("heartbeat", userID="anna", roomID=room_id)
    assert sample.members(room_id) == ["anna"]


def test_a_restart_loses_nothing(sample: Sample, on: Settings, clock: Clock) -> None:
    """Rooms, nicknames and heartbeats are in the file."""
    room_id = sample.create(nickName="Anna", roomType="t")
    clock.now += BEAT
    again = Sample(Client(application(on, clock)))
    again.done("heartbeat", userID="anna", roomID=room_id)
    assert again.done("get_room_members", roomID=room_id)["members"] == [
        {"userID": "anna", "nickName": "Anna"}
    ]
    assert again.listed() == [room_id]


def test_the_list_comes_in_pages_and_by_type(sample: Sample, clock: Clock) -> None:
    """The newest first; index skips as many as it says."""
    rooms = []
    for kind in ("a", "b", "a"):
        clock.now += 1
        rooms.append(sample.create(roomType=kind))
    newest = rooms[::-1]

    def page(index: int, count: int, **more: Any) -> list[str]:
        answer = sample.done("get_room_list", index=index, count=count, **more)
        return [room["roomID"] for room in answer["rooms"]]

    assert (page(0, 2), page(2, 2), page(3, 2)) == (newest[:2], newest[2:], [])
    assert page(0, 9, roomType="a") == [rooms[2], rooms[0]]
    assert page(0, 0) == []
