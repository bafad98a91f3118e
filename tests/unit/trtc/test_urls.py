from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.trtc import (
    ROOM_ID_MAX,
    STR_ROOM_PATTERN,
    USER_ID_PATTERN,
    BadRoomUrl,
    Room,
    parse_room_url,
    room_url,
    roomsig_of,
    rtc_url,
)
from chalicelib.trtc.identifiers import SdkAppId, UserId, parse_number_room, parse_room

WHO: dict[str, Any] = {"sdk_app_id": 1400037025, "user_id": "webrtc98"}
START = "room://cloud.tencent.com?sdkappid=1400037025&roomid=1234&userid=webrtc98&roomsig="
TICKETS: dict[str, Any] = {"user_sig": "eJx*-_", "private_map_key": "eJy*-_"}

APPS = st.integers(1, 2**32 - 1).map(SdkAppId)
USERS = st.from_regex(USER_ID_PATTERN, fullmatch=True).map(UserId)
NUMBERS = st.none() | st.integers(0, ROOM_ID_MAX)
NAMES = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
BODIES = st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.floats(), min_size=1)


def test_the_roomsig_url_is_as_tencent_describes_it() -> None:
    """The roomsig is encoded as encodeURIComponent does."""
    assert room_url(**WHO, room=parse_number_room(1234), roomsig='{"a":"é+*"}') == (
        START + "%7B%22a%22%3A%22%C3%A9%2B*%22%7D"
    )


@pytest.mark.parametrize(
    ("options", "bizbuf"),
    [
        ({"pure_audio": 1}, '{"Str_uc_params":{"pure_audio_push_mod":1}}'),
        ({"record_id": 0}, '{"Str_uc_params":{"record_id":0}}'),
        (
            {"pure_audio": 2, "record_id": 7},
            '{"Str_uc_params":{"pure_audio_push_mod":2,"record_id":7}}',
        ),
    ],
)
def test_bizbuf_holds_what_is_set(options: dict[str, Any], bizbuf: str) -> None:
    """Members that are not set are left out, and without any there is no bizbuf."""
    url = room_url(**WHO, room=parse_number_room(1234), roomsig='{"a":1}', **options)
    assert unquote(url) == START + '{"a":1}&bizbuf=' + bizbuf


@pytest.mark.parametrize(
    "options",
    [
        {"roomsig": ""},
        {"roomsig": "{}"},
        {"roomsig": "[1]"},
        {"roomsig": "nonsense"},
        {"roomsig": "[" * 100_000},
        {"pure_audio": 0},
        {"pure_audio": 3},
        {"record_id": -1},
    ],
    ids=lambda options: str(options)[:30],
)
def test_an_unusable_part_makes_no_roomsig_url(options: dict[str, Any]) -> None:
    """A URL that no client could use is never made."""
    with pytest.raises(BadRoomUrl):
        room_url(**{**WHO, "room": 1234, "roomsig": '{"a":1}', **options})


def test_a_string_room_has_no_roomsig_url() -> None:
    """The roomsig protocol knows numbers only; mypy refuses to make such a URL."""
    with pytest.raises(BadRoomUrl, match="strRoomId has no roomsig"):
        parse_room_url("room://cloud.tencent.com?sdkappid=1&strroomid=a&userid=b&roomsig=%7B%7D")


def test_the_rtc_url_is_as_tencent_describes_it() -> None:
    """Parameters stand in Tencent's order; those that are not set are left out."""
    assert rtc_url(**WHO, **TICKETS, room=parse_room(1234)) == (
        "room://cloud.tencent.com/rtc?sdkappid=1400037025&roomid=1234&userid=webrtc98"
        "&usersig=eJx*-_&appscene=videocall&encsmall=0&cloudenv=PRO&enableBlackStream=0"
        "&privatemapkey=eJy*-_"
    )


def test_the_rtc_url_takes_every_option() -> None:
    """Values that are not safe in a URL are encoded."""
    url = rtc_url(
        **WHO,
        **TICKETS,
        room=parse_room("a b&c"),
        scene="live",
        encode_small=True,
        black_stream=True,
        stream_id="s/1",
        record_id="r=1",
        pure_audio_mode=1,
        receive_mode=4,
    )
    assert url == (
        "room://cloud.tencent.com/rtc?sdkappid=1400037025&strroomid=a%20b%26c&userid=webrtc98"
        "&usersig=eJx*-_&appscene=live&encsmall=1&cloudenv=PRO&enableBlackStream=1"
        "&streamid=s%2F1&userdefinerecordid=r%3D1&privatemapkey=eJy*-_&pureaudiomode=1&recvmode=4"
    )


@pytest.mark.parametrize(
    "options",
    [{"scene": "party"}, {"receive_mode": -1}, {"pure_audio_mode": 2**32}, {"stream_id": "\ud800"}],
)
def test_an_unusable_option_makes_no_rtc_url(options: dict[str, Any]) -> None:
    """A URL that no client could use is never made."""
    with pytest.raises(BadRoomUrl):
        rtc_url(**{**WHO, **TICKETS, "room": parse_room(1), **options})


@given(APPS, USERS, st.integers(1, ROOM_ID_MAX), BODIES, st.sampled_from([None, 1, 2]), NUMBERS)
@settings(deadline=None, max_examples=100)
def test_roomsig_urls_come_back_as_their_parts(
    app: SdkAppId,
    user: UserId,
    room: int,
    body: dict[str, Any],
    audio: int | None,
    record: int | None,
) -> None:
    """parse_room_url undoes room_url, for every answer of Tencent's."""
    roomsig = roomsig_of({"RspHead": {"ErrorCode": 0}, "RspBody": body})
    url = room_url(
        sdk_app_id=app,
        user_id=user,
        room=parse_number_room(room),
        roomsig=roomsig,
        pure_audio=audio,
        record_id=record,
    )
    parts = parse_room_url(url)
    assert parts[:3] == (app, user, room)
    assert (parts.roomsig, parts.pure_audio, parts.record_id) == (roomsig, audio, record)
    assert (parts.user_sig, parts.private_map_key, parts.options) == (None, None, {})


@given(
    APPS,
    USERS,
    (st.integers(1, ROOM_ID_MAX) | st.from_regex(STR_ROOM_PATTERN, fullmatch=True)).map(parse_room),
)
@settings(deadline=None, max_examples=100)
def test_rtc_urls_come_back_as_their_parts(app: SdkAppId, user: UserId, room: Room) -> None:
    """parse_room_url undoes rtc_url, and keeps numeric and string rooms apart."""
    parts = parse_room_url(rtc_url(sdk_app_id=app, user_id=user, room=room, **TICKETS))
    assert (type(parts.room), *parts[:3]) == (type(room), app, user, room)
    assert (parts.user_sig, parts.private_map_key) == ("eJx*-_", "eJy*-_")


@given(NAMES, NAMES, NUMBERS)
@settings(deadline=None, max_examples=100)
def test_rtc_options_come_back(stream: str | None, record: str | None, mode: int | None) -> None:
    """Options keep their names in the URL and their values."""
    url = rtc_url(
        **WHO, **TICKETS, room=parse_room(1), stream_id=stream, record_id=record, receive_mode=mode
    )
    options = parse_room_url(url).options
    assert options.get("streamid") == stream
    assert options.get("userdefinerecordid") == record
    assert options.get("recvmode") == (None if mode is None else str(mode))


def test_parts_show_no_ticket() -> None:
    """Their repr may be logged."""
    assert "eJ" not in repr(parse_room_url(rtc_url(**WHO, **TICKETS, room=parse_room(1))))


RTC = "room://cloud.tencent.com/rtc?sdkappid=1&roomid=2&userid=u&usersig=s"
ROOMSIG = "room://cloud.tencent.com?sdkappid=1&roomid=2&userid=u&roomsig=%7B%22a%22%3A1%7D"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "room://cloud.tencent.com",
        "rtmp" + RTC[4:],
        RTC.replace("tencent", "tencent.evil"),
        RTC.replace("/rtc", "/RTC"),
        RTC + "&roomid=3",
        RTC + "&strroomid=3",
        RTC + "&",
        RTC + "&a",
        RTC + "&%72oomid=3",
        RTC + "#fragment",
        RTC + " ",
        RTC + "%",
        RTC + "%zz",
        RTC + "%ff",
        RTC + "\ud800",
        RTC.replace("roomid=2", "roomid=02"),
        RTC.replace("roomid=2", "roomid=4294967296"),
        RTC.replace("roomid=2", "roomid=%32%0a"),
        RTC.replace("roomid=2", "strroomid="),
        RTC.replace("sdkappid=1", "sdkappid=x"),
        RTC.replace("userid=u", "userid=a%0Ab"),
        RTC.replace("&usersig=s", ""),
        RTC.replace("usersig=s", "usersig="),
        ROOMSIG.replace("roomid", "strroomid"),
        ROOMSIG.replace("%7B%22a%22%3A1%7D", "%7B%7D"),
        ROOMSIG.replace("&roomsig=%7B%22a%22%3A1%7D", ""),
        ROOMSIG + "&bizbuf=%7B%7D",
        ROOMSIG + "&bizbuf=1",
        ROOMSIG + '&bizbuf={"Str_uc_params":{"record_id":1.5}}',
        ROOMSIG + '&bizbuf={"Str_uc_params":{"record_id":true}}',
        ROOMSIG + '&bizbuf={"Str_uc_params":{"record_id":"1"}}',
        ROOMSIG + '&bizbuf={"Str_uc_params":{"record_id":-1}}',
        ROOMSIG + '&bizbuf={"Str_uc_params":{"pure_audio_push_mod":3}}',
        ROOMSIG + '&bizbuf={"Str_uc_params":null}',
    ],
)
def test_other_texts_are_no_room_urls(url: str) -> None:
    """A URL that names no one room, user and application for sure is refused."""
    with pytest.raises(BadRoomUrl) as refused:
        parse_room_url(url)
    assert refused.value.reason.isprintable()


def test_a_plus_is_a_plus() -> None:
    """Values are decoded as decodeURIComponent does, not as a form."""
    assert parse_room_url(RTC + "&x=a+b%2B").options == {"x": "a+b+"}


@given(st.text() | st.text().map(lambda text: RTC + "&" + text) | st.text().map(ROOMSIG.__add__))
@settings(deadline=None, max_examples=150)
def test_parsing_raises_nothing_else(url: str) -> None:
    """Whatever the text, it has parts that can be shown as JSON, or is refused."""
    try:
        parts = parse_room_url(url)
    except BadRoomUrl:
        return
    assert json.dumps(parts._replace(options=dict(parts.options)))
