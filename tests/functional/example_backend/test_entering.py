"""Entries, room URLs, who is in my room; and what a client sees when Roomgate does not serve."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from examples.backend.app import application
from infra.emulators.wechat import openid_of
from tests.functional.example_backend.conftest import Phone
from tests.functional.example_backend.fake_roomgate import API_KEY, APP, Trouble, problem

if TYPE_CHECKING:
    from pathlib import Path

    from examples.backend.settings import Settings
    from tests.functional.example_backend.fake_roomgate import FakeRoomgate

ANNA = openid_of("anna")


@pytest.fixture
def anna(phone: Phone) -> Phone:
    """A client that is logged in."""
    phone.log_in("anna.1")
    return phone


def test_an_entry_is_for_the_user_who_is_logged_in(anna: Phone, roomgate: FakeRoomgate) -> None:
    """Whatever else the body says: nobody gets an entry for another."""
    status, entry = anna.post("/enter", roomId=7, userId="berta", sdkAppId=5)
    assert (status, entry["privateMapKey"]) == (200, f"key-{ANNA}-7")
    expected = {"sdkAppId": APP, "userId": ANNA, "roomId": 7}
    assert roomgate.requests == [("/v1/entries", expected)]


def test_tencents_answer_becomes_a_room_url(anna: Phone, roomgate: FakeRoomgate) -> None:
    """The answer goes to Roomgate as the client got it."""
    answer = {"RspHead": {"ErrorCode": 0}, "RspBody": {"opaque": "é"}}
    assert anna.post("/room-url", roomId=7, answer=answer) == (
        200,
        {"roomUrl": f"room://cloud.tencent.com?userid={ANNA}"},
    )
    assert roomgate.requests[0][1]["answer"] == answer


def test_members_see_who_is_in_their_room(anna: Phone, roomgate: FakeRoomgate) -> None:
    """And Roomgate adds the playurls of the one who asks."""
    roomgate.rosters[7] = {ANNA: 1, "berta": 2}
    status, room = anna.get("/room?roomId=7")
    assert status == 200
    assert [member["userId"] for member in room["members"]] == [ANNA, "berta"]
    assert roomgate.requests == [(f"/v1/apps/{APP}/rooms/7?for={ANNA}", None)]


def test_nobody_sees_who_is_in_anothers_room(anna: Phone, roomgate: FakeRoomgate) -> None:
    """Nor learns whether anyone is."""
    roomgate.rosters[7] = {"berta": 2}
    answers = [anna.get("/room?roomId=7"), anna.get("/room?roomId=8")]
    assert [(status, body["code"]) for status, body in answers] == [(403, "not-in-room")] * 2
    assert answers[0] == answers[1]


@pytest.mark.parametrize("room", [0, 2**32, -1, 7.0, "7", None, True, [7], "x" * 9999])
def test_a_room_is_a_number(anna: Phone, roomgate: FakeRoomgate, room: Any) -> None:
    """What can't be a roomId never becomes part of a path or of a request to Roomgate."""
    assert anna.post("/enter", roomId=room)[0] == 400
    assert anna.post("/room-url", roomId=room, answer={})[0] == 400
    assert anna.get(f"/room?roomId={room if room != '7' else '7/..'}")[0] == 400
    assert roomgate.requests == []


@pytest.mark.parametrize(
    ("trouble", "status", "code"),
    [
        (Trouble(400, problem(400, "invalid-request")), 400, "invalid-request"),
        (Trouble(422, problem(422, "roomsig-refused")), 422, "roomsig-refused"),
        (Trouble(429, problem(429, "rate-limited")), 429, "rate-limited"),
        (Trouble(503, problem(503, "store-unavailable")), 503, "store-unavailable"),
        (Trouble(401, problem(401, "api-key-ended")), 502, "roomgate-refused"),
        (Trouble(403, problem(403, "room-not-allowed")), 502, "roomgate-refused"),
        (Trouble(404, problem(404, "unknown-application")), 502, "roomgate-refused"),
        (Trouble(500, problem(500, "internal-error")), 502, "roomgate-refused"),
        (Trouble(503, {"message": "a gateway's own"}), 502, "roomgate-refused"),
        (Trouble(302, {}, {"Location": "/v1/entries"}), 502, "roomgate-refused"),
        (Trouble(200, ["no object"]), 502, "roomgate-refused"),
        (Trouble(200, b"no JSON"), 502, "roomgate-unreachable"),
        (Trouble(502, b"<html>"), 502, "roomgate-unreachable"),
    ],
)
def test_roomgates_trouble_is_told_as_far_as_it_concerns_the_client(
    anna: Phone, roomgate: FakeRoomgate, trouble: Trouble, status: int, code: str
) -> None:
    """What the client caused or what passes goes on; what is wrong between servers is a 502."""
    roomgate.trouble = trouble
    answers = (
        anna.post("/enter", roomId=7),
        anna.post("/room-url", roomId=7, answer={}),
        anna.get("/room?roomId=7"),
    )
    assert [(told, body["code"]) for told, body in answers] == [(status, code)] * 3
    assert all(body["detail"] for _, body in answers)
    assert len(roomgate.requests) == 3  # No redirect was followed, nothing was tried again.


def test_how_long_to_wait_is_passed_on(anna: Phone, roomgate: FakeRoomgate) -> None:
    """A 429 or 503 with Retry-After reaches the client with it."""
    roomgate.trouble = Trouble(429, problem(429, "rate-limited"), {"Retry-After": "3"})
    headers = {"Authorization": f"Bearer {anna.token}"}
    response = anna.client.post("/enter", json={"roomId": 7}, headers=headers)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "3")


def test_a_roomgate_that_is_silent_is_a_504(settings: Settings, roomgate: FakeRoomgate) -> None:
    """The client is answered in time, and may try again."""
    impatient = Phone(Client(application(replace(settings, timeout=0.2))))
    impatient.log_in("anna.1")
    roomgate.silent = True
    status, told = impatient.post("/enter", roomId=7)
    assert (status, told["code"]) == (504, "roomgate-timeout")


def test_a_roomgate_out_of_reach_is_a_502(settings: Settings) -> None:
    """And the answer shows no address."""
    away = replace(settings, issuer="http://127.0.0.1:1")
    lost = Phone(Client(application(away)))
    lost.log_in("anna.1")
    status, told = lost.post("/enter", roomId=7)
    assert (status, told["code"]) == (502, "roomgate-unreachable")
    assert "127.0.0.1" not in str(told)


def test_the_api_key_stays_here(
    anna: Phone, roomgate: FakeRoomgate, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in answers, not in logs, not in the repr of the settings."""
    seen = [anna.post("/enter", roomId=7)]
    roomgate.trouble = Trouble(401, problem(401, "api-key-invalid"))
    seen.append(anna.post("/enter", roomId=7))
    assert API_KEY not in f"{seen}{caplog.text}"
    assert "api-key-invalid" in caplog.text


def test_every_error_is_json_with_a_code(phone: Phone) -> None:
    """Paths that are not there, wrong methods, bodies that are no JSON object or too large."""
    answers = [
        phone.client.get("/nothing"),
        phone.client.get("//login"),
        phone.client.get("/enter"),
        phone.client.post("/login", data=b"{"),
        phone.client.post("/login", data=b"[" * 60_000),
        phone.client.post("/login", data=b"[]"),
        phone.client.post("/login", data=b'{"code": NaN}'),
        phone.client.post("/login", data=b'{"code": 1e999}'),
        phone.client.post("/login", data=b'"' + b"x" * 70_000),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 405, *[400] * 5, 413]
    for answer in answers:
        assert answer.content_type == "application/json"
        assert set(answer.get_json()) == {"code", "detail"}


def test_what_nobody_expected_is_a_500_in_json(anna: Phone, roomgate: FakeRoomgate) -> None:
    """A roster without members is no roster; the client still gets a code."""
    roomgate.trouble = Trouble(200, {})
    status, told = anna.get("/room?roomId=7")
    assert (status, told["code"]) == (500, "internal-error")


def test_the_web_page_is_served_with_its_library(settings: Settings, tmp_path: Path) -> None:
    """The page at /, its library at /member, and nothing above them."""
    for name in ("web/index.html", "member/member.js", "secret.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    client = Client(application(replace(settings, web=tmp_path / "web")))
    assert client.get("/", follow_redirects=True, buffered=True).text == "web/index.html"
    assert client.get("/member/member.js", buffered=True).text == "member/member.js"
    for above in ("/../secret.txt", "/%2e%2e/secret.txt", "/member/../../secret.txt"):
        assert client.get(above).status_code == 404
    assert client.get("/healthz").get_json() == {"status": "ok"}
