from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.trtc import (
    ROOM_ID_MAX,
    SDK_APP_ID_MAX,
    STR_ROOM_PATTERN,
    USER_ID_PATTERN,
    BadIdentifier,
    Room,
    check_sdk_app_id,
    check_user_id,
    parse_room,
    parse_room_key,
)

# Tencent (wire facts, limits): what a string room may hold besides letters and digits.
STR_ROOM_SIGNS = " !#$%&()+-:;<=.>?@[]^_{}|~,"

ROOMS = (st.integers(1, ROOM_ID_MAX) | st.from_regex(STR_ROOM_PATTERN, fullmatch=True)).map(
    parse_room
)


@pytest.mark.parametrize("user_id", ["a", "oABC-1234567890abcdefghijklmn", "_-9", "x" * 32])
def test_userids_within_the_limits_pass(user_id: str) -> None:
    """A userid of 1 to 32 letters, digits, _ and - is returned as it is."""
    assert check_user_id(user_id) == user_id


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "must not be empty"),
        ("x" * 33, "is 33 characters long; at most 32 are allowed"),
        ("zz\nTLS.identifier:victim", "has U+000A as character 3"),
        ("abc\n", "has U+000A as character 4"),
        ("a b", "has U+0020 as character 2"),
        ("\u0430dmin", "has U+0430 as character 1"),
        ("\u0663", "has U+0663 as character 1"),
        ("\ud800", "has U+D800 as character 1"),
        (123, "must be a string"),
        (None, "must be a string"),
        (b"abc", "must be a string"),
    ],
)
def test_userids_beyond_the_limits_are_refused(value: object, reason: str) -> None:
    """The refusal names the field and says what to change, and never repeats raw characters."""
    with pytest.raises(BadIdentifier, match=re.escape(reason)) as refused:
        check_user_id(value)
    assert refused.value.field == "userId"
    assert refused.value.reason.isprintable()


@pytest.mark.parametrize("value", [1, 123, ROOM_ID_MAX])
def test_numeric_rooms_within_the_limits_pass(value: int) -> None:
    """A room is a number from 1 to 2**32-1."""
    assert parse_room(value) == value


@pytest.mark.parametrize("value", [0, -1, ROOM_ID_MAX + 1, 2**64, True, 1.5, 1.0, None, [1]])
def test_numeric_rooms_beyond_the_limits_are_refused(value: object) -> None:
    """Not 0, not a number that would wrap to 0 in four bytes, not a bool, not a float."""
    with pytest.raises(BadIdentifier) as refused:
        parse_room(value)
    assert refused.value.field == "roomId"


@pytest.mark.parametrize("value", ["a", "123", "x" * 64, *STR_ROOM_SIGNS])
def test_string_rooms_within_the_limits_pass(value: str) -> None:
    """A string room is 1 to 64 of the characters that Tencent lists."""
    assert parse_room(value) == value


@pytest.mark.parametrize("value", ["", "x" * 65, "a\n", "é", "a/b", "a*b", "a'b", 'a"b', "a\\b"])
def test_string_rooms_beyond_the_limits_are_refused(value: str) -> None:
    """Nothing else may name a room."""
    with pytest.raises(BadIdentifier) as refused:
        parse_room(value)
    assert refused.value.field == "strRoomId"


@pytest.mark.parametrize("value", [0, -1, SDK_APP_ID_MAX + 1, True, "1400000000", 1.0, None])
def test_sdk_app_ids_beyond_the_limits_are_refused(value: object) -> None:
    """An sdkAppId is a number of four bytes, and not 0."""
    with pytest.raises(BadIdentifier) as refused:
        check_sdk_app_id(value)
    assert refused.value.field == "sdkAppId"


@pytest.mark.parametrize("value", [1, 1400000000, SDK_APP_ID_MAX])
def test_sdk_app_ids_within_the_limits_pass(value: int) -> None:
    """An sdkAppId is returned as it is."""
    assert check_sdk_app_id(value) == value


@given(st.text())
@settings(deadline=None)
def test_a_userid_passes_exactly_where_the_pattern_matches(text: str) -> None:
    """The published pattern is the rule, for every text there is."""
    if re.fullmatch(USER_ID_PATTERN, text):
        assert check_user_id(text) == text
        return
    with pytest.raises(BadIdentifier) as refused:
        check_user_id(text)
    assert refused.value.reason.isprintable()


@pytest.mark.parametrize(("room", "key"), [(123, "123"), ("123", "s:MTIz"), ("~?>", "s:fj8-")])
def test_room_keys_are_known(room: int | str, key: str) -> None:
    """A numeric and a string room never share a key."""
    assert parse_room(room).key == key
    assert parse_room_key(key) == room


@given(ROOMS)
@settings(deadline=None)
def test_room_keys_come_back_as_their_rooms(room: Room) -> None:
    """parse_room_key undoes Room.key, and keeps the type."""
    back = parse_room_key(room.key)
    assert (type(back), back) == (type(room), room)


@given(st.text() | st.from_regex(r"s:[A-Za-z0-9_=+/-]*", fullmatch=True))
@settings(deadline=None)
def test_a_room_has_one_key_only(text: str) -> None:
    """Whatever parse_room_key reads, room_key writes again to the letter."""
    try:
        room = parse_room_key(text)
    except BadIdentifier:
        return
    assert room.key == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0123",
        "+1",
        "1.0",
        "\u0661",
        "4294967296",
        "s:",
        "s:MTIz=",
        "s:MTJ",
        "MTIz",
        "s:w6k",
        "s:M TIz",
        "S:MTIz",
    ],
)
def test_other_texts_are_no_room_keys(text: str) -> None:
    """No leading zeros, no signs, no padding, no spare bits, no room that could not exist."""
    with pytest.raises(BadIdentifier):
        parse_room_key(text)
