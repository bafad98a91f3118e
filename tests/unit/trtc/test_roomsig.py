from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.trtc import (
    RoomsigRefused,
    RoomsigRequest,
    RoomsigUnusable,
    roomsig_of,
    roomsig_request,
)

OK = {"RspHead": {"ErrorCode": 0, "ErrorInfo": ""}, "RspBody": {"b": 1.0, "a": "é"}}
DEEP = '{"RspHead":{"ErrorCode":0},"RspBody":' + '{"a":' * 100_000 + "1" + "}" * 100_001


URL = (
    "https://official.opensso.tencent-cloud.com/v4/openim/jsonvideoapp"
    "?sdkappid=1400037025&identifier=webrtc98&usersig=eJx*-_&random=9999&contenttype=json"
)


def request(**changed: Any) -> RoomsigRequest:
    """A request with made-up tickets."""
    given = {
        "sdk_app_id": 1400037025,
        "user_id": "webrtc98",
        "room": 1234,
        "user_sig": "eJx*-_",
        "private_map_key": "eJy*-_",
        "random": 9999,
    }
    return roomsig_request(**{**given, **changed})


def test_the_request_is_as_tencent_describes_it() -> None:
    """Method, URL, headers and body are to the letter those of the wire facts, section 4."""
    assert tuple(request()) == (
        "POST",
        URL,
        {"Content-Type": "application/json"},
        {
            "ReqHead": {"Cmd": 1, "SeqNo": 1, "BusType": 7, "GroupId": 1234},
            "ReqBody": {
                "PrivMapEncrypt": "eJy*-_",
                "TerminalType": 1,
                "FromType": 3,
                "SdkVersion": 26280566,
            },
        },
    )


def test_the_terminal_can_be_chosen() -> None:
    """Phones name themselves."""
    changed = request(terminal_type=4)
    assert changed.body["ReqBody"]["TerminalType"] == 4


def test_a_ticket_in_plain_base64_survives_the_query() -> None:
    """A ticket that needs encoding is encoded, so that its + stays a plus."""
    query = dict(parse_qsl(urlsplit(request(user_sig="a+b/c=").url).query))
    assert query["usersig"] == "a+b/c="


def test_a_request_shows_no_ticket() -> None:
    """Its repr may be logged."""
    assert "eJ" not in repr(request())


def test_a_roomsig_is_the_body_as_javascript_writes_it() -> None:
    """Compact, in order, non-ASCII raw, numbers as JavaScript's, from text or parsed."""
    assert roomsig_of(OK) == '{"b":1,"a":"é"}'
    assert roomsig_of(json.dumps(OK)) == '{"b":1,"a":"é"}'


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"RspHead": {"ErrorCode": 86, "ErrorInfo": "expired"}, "RspBody": {"a": 1}}, 86),
        ({"RspHead": {"ErrorCode": 80, "ErrorInfo": ""}}, 80),
        ({"ActionStatus": "FAIL", "ErrorCode": 70009, "ErrorInfo": "expired"}, 70009),
        ({**OK, "ActionStatus": "FAIL", "ErrorCode": 70001}, 70001),
        ({"ErrorCode": -3.0}, -3),
    ],
)
def test_both_shapes_of_refusal_are_explained(answer: dict[str, Any], code: int) -> None:
    """An error in RspHead or at top level is Tencent's no, whatever stands beside it."""
    for given_answer in (answer, json.dumps(answer)):
        with pytest.raises(RoomsigRefused) as refused:
            roomsig_of(given_answer)
        assert refused.value.code == code
        assert refused.value.explanation.endswith(".")
        assert str(code) in str(refused.value)


def test_tencents_words_are_cleaned() -> None:
    """They come from outside: without control characters, and short."""
    with pytest.raises(RoomsigRefused) as refused:
        roomsig_of({"ErrorCode": 87, "ErrorInfo": "a\n\x1b[31m\ud800" + "b" * 300})
    assert refused.value.info == "a[31m" + "b" * 195


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "[]",
        "{}",
        "NaN",
        "{",
        DEEP,
        None,
        7,
        {"RspBody": {"a": 1}},
        {"RspHead": None, "RspBody": {"a": 1}},
        {"RspHead": {}, "RspBody": {"a": 1}},
        {"RspHead": {"ErrorCode": "0"}, "RspBody": {"a": 1}},
        {"RspHead": {"ErrorCode": False}, "RspBody": {"a": 1}},
        {"RspHead": {"ErrorCode": 0}},
        {"RspHead": {"ErrorCode": 0}, "RspBody": None},
        {"RspHead": {"ErrorCode": 0}, "RspBody": {}},
        {"RspHead": {"ErrorCode": 0}, "RspBody": []},
        {"RspHead": {"ErrorCode": 0}, "RspBody": "{}"},
        {"RspHead": {"ErrorCode": 0}, "RspBody": {"a": object()}},
        {"RspHead": {"ErrorCode": 0}, "RspBody": {1: 2}},
        {**OK, "ActionStatus": "FAIL"},
    ],
    ids=lambda answer: str(answer)[:40],
)
def test_an_answer_without_a_usable_body_is_no_roomsig(answer: Any) -> None:
    """Nothing else ever becomes a URL."""
    with pytest.raises(RoomsigUnusable) as unusable:
        roomsig_of(answer)
    assert unusable.value.reason.endswith(".")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["RspHead", "RspBody", "ErrorCode", "ErrorInfo", "x"]), inner
        )
    ),
    max_leaves=10,
)


@given(JSON | st.text())
@settings(deadline=None, max_examples=150)
def test_an_answer_is_a_roomsig_or_refused(answer: Any) -> None:
    """Whatever comes, there is a roomsig that is a JSON object, or one of the two refusals."""
    try:
        roomsig = roomsig_of(answer)
    except (RoomsigRefused, RoomsigUnusable):
        return
    assert json.loads(roomsig)
