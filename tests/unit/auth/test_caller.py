from __future__ import annotations

import pytest

from chalicelib.auth.caller import API_KEY, Caller, hash_of
from chalicelib.errors import ApiError
from chalicelib.trtc.identifiers import parse_room

CALLER = Caller(
    "backend",
    ("0" * 64,),
    applications=frozenset({1400000000}),
    actions=frozenset({"issue"}),
    most_ttl=3600,
    users="tenant1-*",
    rooms="12?",
    ends=1_700_000_000,
)


def test_a_caller_survives_its_parameter() -> None:
    """What an operator writes is what the functions read."""
    assert Caller.from_json(CALLER.to_json()) == CALLER


def test_string_rooms_are_named_apart() -> None:
    """A pattern for string rooms says so, and lets no numeric room in."""
    caller = CALLER._replace(rooms="s:lobby-*")
    caller.may("issue", 1400000000, room=parse_room("lobby-1"))
    with pytest.raises(ApiError):
        caller.may("issue", 1400000000, room=parse_room(1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"id":"a"}',
        '{"id":"a","more":1}',
        CALLER.to_json().replace('"0', "0"),
    ],
)
def test_a_parameter_that_is_no_caller_is_refused(text: str) -> None:
    """Garbage in the store is an error, never a caller with default rights."""
    with pytest.raises(ValueError, match=r"not a caller|Expecting"):
        Caller.from_json(text)


def test_a_caller_may_what_it_may() -> None:
    """Rights that fit raise nothing."""
    CALLER.may("issue", 1400000000, user_id="tenant1-ann", room=parse_room(123))
    CALLER.may_last(3600, "ttl")


@pytest.mark.parametrize(
    ("action", "app", "user", "room", "code", "place"),
    [
        ("inspect", 1400000000, None, None, "action-not-allowed", None),
        ("issue", 1400000001, None, None, "application-not-allowed", "#/sdkAppId"),
        ("issue", 1400000000, "tenant2-ann", None, "user-not-allowed", "#/userId"),
        ("issue", 1400000000, "Tenant1-ann", None, "user-not-allowed", "#/userId"),
        ("issue", 1400000000, "tenant1-ann", 13, "room-not-allowed", "#/roomId"),
        ("issue", 1400000000, "tenant1-ann", "lobby", "room-not-allowed", "#/strRoomId"),
        ("issue", 1400000000, "tenant1-ann", "123", "room-not-allowed", "#/strRoomId"),
    ],
)
def test_what_a_caller_may_not_is_refused_by_its_own_code(
    action: str, app: int, user: str | None, room: int | str | None, code: str, place: str | None
) -> None:
    """Each right has its code, and points at the member that breaks it."""
    with pytest.raises(ApiError) as caught:
        CALLER.may(action, app, user_id=user, room=None if room is None else parse_room(room))
    assert caught.value.code == code
    assert [wrong.place for wrong in caught.value.errors] == ([place] if place else [])


def test_a_ttl_over_the_callers_bound_is_refused() -> None:
    """The bound itself is allowed, one second more is not."""
    with pytest.raises(ApiError) as caught:
        CALLER.may_last(3601, "userSigTtl")
    assert caught.value.code == "ttl-not-allowed"
    assert caught.value.errors[0].place == "#/userSigTtl"


def test_a_caller_without_bounds_is_bound_by_nothing() -> None:
    """No applications, patterns or ttl named: all of the stack's."""
    free = Caller("free", ())
    free.may("issue", 7, user_id="anyone", room=parse_room("any room"))
    free.may_last(2**31 - 1, "ttl")


def test_an_api_key_names_its_caller() -> None:
    """The id stands between the first two underscores; the random part may hold more of them."""
    key = "rg_my-backend_" + "_" * 43
    match = API_KEY.fullmatch(key)
    assert match
    assert match[1] == "my-backend"
    assert hash_of(key) != hash_of(key + "x")
