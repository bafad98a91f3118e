from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from chalicelib.tickets import (
    SigningKey,
    StringRoomNeedsHmac,
    Unsignable,
    issue_private_map_key,
    issue_user_sig,
)
from chalicelib.tickets.envelope import unseal
from chalicelib.trtc import BadIdentifier, BadPrivileges
from chalicelib.trtc.identifiers import parse_room
from tests.support.ticket_material import (
    KEYS,
    NOW,
    ORDER,
    P256,
    ROOM_ORDER,
    SECRET,
    SIGNED_V1,
    SIGNED_V2,
    TTL,
    V1,
    V2,
    content,
    userbuf,
)


def members_of(ticket: str) -> dict[str, Any]:
    """The JSON inside a ticket."""
    members = json.loads(unseal(ticket))
    assert isinstance(members, dict)
    return members


@pytest.mark.parametrize("name", ["P-256", "secp256k1"])
def test_a_v1_ticket_holds_strings(name: str) -> None:
    """Names and values are to the letter those of the wire facts, section 1 and 2."""
    user_sig = members_of(issue_user_sig(KEYS[name], **ORDER))
    private_map_key = members_of(issue_private_map_key(KEYS[name], **ROOM_ORDER))
    assert {**user_sig, "TLS.sig": ""} == {**V1, "TLS.sig": ""}
    assert {**private_map_key, "TLS.sig": ""} == {**V1, "TLS.userbuf": userbuf(), "TLS.sig": ""}


@pytest.mark.parametrize("room", [1234, "1234", "a lobby!"])
def test_a_v2_ticket_holds_numbers(room: int | str) -> None:
    """Names and values are to the letter those of the wire facts, section 3."""
    user_sig = members_of(issue_user_sig(SECRET, **ORDER))
    order = {**ROOM_ORDER, "room": room}
    private_map_key = members_of(issue_private_map_key(SECRET, **order))
    expected = {**V2, "TLS.userbuf": userbuf(room=parse_room(room)), "TLS.sig": ""}
    assert {**user_sig, "TLS.sig": ""} == {**V2, "TLS.sig": ""}
    assert {**private_map_key, "TLS.sig": ""} == expected
    assert all(type(user_sig[name]) is type(V2[name]) for name in V2)


def test_the_signature_covers_the_lines(key: SigningKey) -> None:
    """The content is made here from the JSON alone, line by line."""
    names = SIGNED_V1 if key in {KEYS["P-256"], KEYS["secp256k1"]} else SIGNED_V2
    for ticket in (issue_user_sig(key, **ORDER), issue_private_map_key(key, **ROOM_ORDER)):
        members = members_of(ticket)
        key.verify(content(members, names), base64.b64decode(members["TLS.sig"], validate=True))


def test_two_hmac_tickets_are_alike_and_two_ecdsa_ones_are_not() -> None:
    """Only ECDSA draws a random number; nothing else here does."""
    assert issue_user_sig(SECRET, **ORDER) == issue_user_sig(SECRET, **ORDER)
    assert issue_user_sig(P256, **ORDER) != issue_user_sig(P256, **ORDER)


@pytest.mark.parametrize(
    "user_id",
    ["", "x" * 33, "a b", "zz\nTLS.identifier:victim", "zz\n", "é", 'a"b', "a\\b", "a:b", None, 7],
)
def test_a_userid_that_could_forge_is_never_signed(key: SigningKey, user_id: Any) -> None:
    """Newline injection: a line break in the userid would sign a ticket for someone else."""
    with pytest.raises(BadIdentifier) as refused:
        issue_user_sig(key, **{**ORDER, "user_id": user_id})
    assert refused.value.field == "userId"
    with pytest.raises(BadIdentifier):
        issue_private_map_key(key, **{**ROOM_ORDER, "user_id": user_id})


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"room": 0}, "roomId"),
        ({"room": 2**32}, "roomId"),
        ({"room": True}, "roomId"),
        ({"room": ""}, "strRoomId"),
        ({"room": "a\n"}, "strRoomId"),
        ({"sdk_app_id": 0}, "sdkAppId"),
        ({"sdk_app_id": 2**32}, "sdkAppId"),
        ({"sdk_app_id": "1400037025"}, "sdkAppId"),
    ],
)
def test_bad_identifiers_are_never_signed(
    key: SigningKey, changed: dict[str, Any], field: str
) -> None:
    """A room of 2**32 would be room 0 in four bytes; a string is no number."""
    with pytest.raises(BadIdentifier) as refused:
        issue_private_map_key(key, **{**ROOM_ORDER, **changed})
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("now", "ttl"), [(-1, 300), (NOW, 0), (NOW, -1), (NOW, 2**32), (2**32 - 300, 300)]
)
def test_a_lifetime_out_of_bounds_is_never_signed(key: SigningKey, now: int, ttl: int) -> None:
    """dwExpTime has four bytes; beyond them a ticket would have ended long ago."""
    with pytest.raises(Unsignable) as refused:
        issue_user_sig(key, **{**ORDER, "now": now, "ttl": ttl})
    assert refused.value.field == "ttl"
    assert isinstance(refused.value, ValueError)


def test_the_last_second_of_four_bytes_can_be_signed(key: SigningKey) -> None:
    """The bound is exact."""
    assert issue_private_map_key(key, **{**ROOM_ORDER, "now": 2**32 - 1 - TTL})


@pytest.mark.parametrize("privileges", [0, 256, -1, True, "enter", None])
def test_privileges_that_do_not_exist_are_never_signed(key: SigningKey, privileges: Any) -> None:
    """There are eight bits."""
    with pytest.raises(BadPrivileges):
        issue_private_map_key(key, **{**ROOM_ORDER, "privileges": privileges})


@pytest.mark.parametrize("name", ["P-256", "secp256k1"])
def test_a_string_room_needs_hmac(name: str) -> None:
    """String rooms exist in version 2 only."""
    with pytest.raises(StringRoomNeedsHmac) as refused:
        issue_private_map_key(KEYS[name], **{**ROOM_ORDER, "room": "lobby"})
    assert refused.value.field == "strRoomId"
