from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.trtc import parse_room_url
from tests.functional.issuer.conftest import ECDSA_APP, Issuer

ROOM_URLS = "/v1/room-urls"
GOOD = {"RspHead": {"ErrorCode": 0, "ErrorInfo": ""}, "RspBody": {"sig": "é/+", "n": 1}}
REQUEST: dict[str, Any] = {"sdkAppId": ECDSA_APP, "userId": "alice", "roomId": 1234}


@pytest.mark.parametrize("answer", [GOOD, json.dumps(GOOD)])
def test_a_good_answer_becomes_a_url(issuer: Issuer, answer: object) -> None:
    """As an object or as text, the roomsig in the URL is JSON.stringify of RspBody."""
    made = issuer.post(ROOM_URLS, REQUEST | {"answer": answer})
    assert made.status == 200
    url = parse_room_url(made.body["roomUrl"])
    assert (url.sdk_app_id, url.user_id, url.room) == (ECDSA_APP, "alice", 1234)
    assert url.roomsig == '{"sig":"é/+","n":1}'


def test_bizbuf_stands_in_the_url(issuer: Issuer) -> None:
    """pureAudioPushMod and recordId become bizbuf."""
    options = {"pureAudioPushMod": 2, "recordId": 9}
    made = issuer.post(ROOM_URLS, REQUEST | {"answer": GOOD} | options)
    url = parse_room_url(made.body["roomUrl"])
    assert (url.pure_audio, url.record_id) == (2, 9)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"RspHead": {"ErrorCode": 86, "ErrorInfo": "x"}}, "86"),
        ({"ActionStatus": "FAIL", "ErrorCode": 70009, "ErrorInfo": "bad\nsig"}, "70009"),
        ({"RspHead": {"ErrorCode": 87}, "RspBody": {"sig": "x"}}, "87"),
    ],
)
def test_a_failed_answer_is_explained_and_never_a_url(
    issuer: Issuer, answer: object, code: str
) -> None:
    """Both shapes of a failure become a problem that names Tencent's code."""
    made = issuer.post(ROOM_URLS, REQUEST | {"answer": answer})
    assert (made.status, made.code, made.places) == (422, "roomsig-refused", ["#/answer"])
    assert code in made.body["detail"]
    assert str(made.body["tencentCode"]) in code


@pytest.mark.parametrize(
    "answer",
    [
        {},
        "",
        "null",
        "[]",
        "<html>",
        "[" * 30_000,
        {"RspHead": {"ErrorCode": 0}},
        {"RspHead": {"ErrorCode": 0}, "RspBody": {}},
        {"RspHead": {"ErrorCode": 0}, "RspBody": "sig"},
        {"RspHead": {"ErrorCode": "0"}, "RspBody": {"sig": "x"}},
        {"RspHead": {"ErrorCode": 10**300}},
        {"RspBody": {"sig": "x"}},
    ],
)
def test_an_answer_without_a_roomsig_is_refused(issuer: Issuer, answer: object) -> None:
    """Nothing usable in it: a problem, never a URL."""
    made = issuer.post(ROOM_URLS, REQUEST | {"answer": answer})
    assert (made.status, made.code) == (422, "roomsig-unusable")


def test_half_a_character_does_not_break_the_url(issuer: Issuer) -> None:
    r"""A lone surrogate in the answer is escaped as JSON.stringify does, and is no fault."""
    body = json.dumps(
        REQUEST | {"answer": {"RspHead": {"ErrorCode": 0}, "RspBody": {"a": "\ud800"}}}
    )
    made = issuer.post(ROOM_URLS, body.encode())
    assert made.status == 200
    assert parse_room_url(made.body["roomUrl"]).roomsig == r'{"a":"\ud800"}'


def test_the_largest_answer_makes_a_url_that_the_document_knows(issuer: Issuer) -> None:
    """Every answer is held to the API document, the longest URL too."""
    answer = {"RspHead": {"ErrorCode": 0}, "RspBody": {"a": '"' * 32_600}}
    body = json.dumps(REQUEST | {"answer": answer}).encode()
    assert 65_000 < len(body) <= 65_536
    assert issuer.post(ROOM_URLS, body).status == 200


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"strRoomId": "a"}, "#/strRoomId"),
        ({"answer": None}, "#/answer"),
        ({"answer": [GOOD]}, "#/answer"),
        ({"pureAudioPushMod": 3}, "#/pureAudioPushMod"),
        ({"recordId": -1}, "#/recordId"),
        ({"recordId": 2**32}, "#/recordId"),
    ],
)
def test_a_wrong_member_is_pointed_at(issuer: Issuer, changed: dict[str, Any], place: str) -> None:
    """Our own members are checked as everywhere."""
    made = issuer.post(ROOM_URLS, REQUEST | {"answer": GOOD} | changed)
    assert (made.status, made.code) == (400, "invalid-request")
    assert place in made.places
