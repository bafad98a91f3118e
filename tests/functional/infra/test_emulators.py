from __future__ import annotations

from typing import Any

import pytest

from chalicelib.tickets import EcdsaKey, issue_private_map_key, issue_user_sig, load_key
from chalicelib.trtc.identifiers import SdkAppId, UserId, parse_room
from chalicelib.trtc.roomsig import roomsig_request
from infra.emulators.miniprogram import ask_for_roomsig, userlist_event
from infra.emulators.tencent import TencentEmulator
from infra.smoke.tenant import new_key

APP, USER, ROOM, NOW = 1400000001, "alice", 7, 1_700_000_000
KEY = load_key("ECDSA-SHA256", new_key())
OTHER_KEY = load_key("ECDSA-SHA256", new_key())


def _request(**changed: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"key": KEY, "user": USER, "room": ROOM, "now": NOW} | changed
    key, user, now = made["key"], made["user"], made["now"]
    user_sig = made.get(
        "user_sig", issue_user_sig(key, sdk_app_id=APP, user_id=user, now=now, ttl=60)
    )
    private_map_key = made.get(
        "private_map_key",
        issue_private_map_key(
            key,
            sdk_app_id=APP,
            user_id=user,
            room=parse_room(ROOM),
            privileges=255,
            now=now,
            ttl=60,
        ),
    )
    request = roomsig_request(
        sdk_app_id=SdkAppId(APP),
        user_id=UserId(USER),
        room=made["room"],
        user_sig=user_sig,
        private_map_key=private_map_key,
        random=1,
    )
    return request._asdict()


def _answer(request: dict[str, Any]) -> Any:
    assert isinstance(KEY, EcdsaKey)
    with TencentEmulator(APP, KEY.public_pem, clock=lambda: NOW) as tencent:
        return ask_for_roomsig(request, tencent.url)


def test_good_tickets_get_a_roomsig() -> None:
    """The stand-in takes what the issuer makes."""
    answer = _answer(_request())
    assert answer["RspHead"] == {"ErrorCode": 0, "ErrorInfo": ""}
    assert answer["RspBody"]["RoomId"] == ROOM


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"key": OTHER_KEY}, 70009),
        ({"user": "bob"}, 70013),
        ({"now": NOW - 61}, 70001),
        ({"user_sig": ""}, 70002),
        ({"user_sig": "x"}, 70003),
    ],
)
def test_a_bad_user_sig_is_refused_at_top_level(changed: dict[str, Any], code: int) -> None:
    """As Tencent's gateway refuses: no RspHead at all."""
    answer = _answer(_request(**changed))
    assert answer["ActionStatus"] == "FAIL"
    assert answer["ErrorCode"] == code
    assert "RspHead" not in answer


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"room": ROOM + 1}, 87),
        ({"private_map_key": ""}, 80),
        ({"private_map_key": "x"}, 87),
    ],
)
def test_a_bad_private_map_key_is_refused_inside_rsp_head(
    changed: dict[str, Any], code: int
) -> None:
    """As the roomsig service refuses."""
    answer = _answer(_request(**changed))
    assert answer["RspHead"]["ErrorCode"] == code
    assert "RspBody" not in answer


@pytest.mark.parametrize("body", [None, [], {}, {"ReqHead": {"GroupId": "7"}, "ReqBody": {}}])
def test_a_request_of_another_form_is_refused(body: Any) -> None:
    """Code 82: a parameter is wrong."""
    answer = _answer({**_request(), "body": body})
    assert answer["RspHead"]["ErrorCode"] == 82


@pytest.mark.parametrize(
    "host",
    ["https://official.opensso.tencent-cloud.com", "http://localhost:1", "http://127.0.0.1.x:1"],
)
def test_the_stand_in_client_asks_nobody_but_a_stand_in(host: str) -> None:
    """A server that asks Tencent for a roomsig routes the call wrongly: no code here may do it."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        ask_for_roomsig(_request(), host)


def test_event_1020_is_as_live_pusher_sends_it() -> None:
    """The message is a JSON string, whose list leaves the reporter out."""
    event = userlist_event(APP, ROOM, ["bob"])
    playurl = f"room://183.3.225.15:1935/webrtc/{APP}_{ROOM}_bob"
    assert event == {
        "code": 1020,
        "message": f'{{"userlist": [{{"userid": "bob", "playurl": "{playurl}"}}]}}',
    }
