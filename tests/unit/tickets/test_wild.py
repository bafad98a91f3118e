"""Wire facts, "A verifier in the wild must cope with": tickets of issuers unlike ours."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from chalicelib.tickets import SigningKey, verify_private_map_key, verify_user_sig
from chalicelib.trtc.identifiers import parse_room
from tests.support.ticket_material import (
    KEYS,
    NOW,
    P256,
    ROOM,
    WHO,
    b64,
    foreign,
    signed,
    ticket,
    userbuf,
)

V1_KEYS = [KEYS["P-256"], KEYS["secp256k1"]]


def holds(made: str, key: SigningKey) -> bool:
    """Whether a userSig of the usual user verifies."""
    return verify_user_sig(made, [key], **WHO, now=NOW).key_id == key.key_id


@pytest.mark.parametrize("level", range(10))
def test_any_level_of_compression_is_read(key: SigningKey, level: int) -> None:
    """Some issuers compress at level 1, some not at all."""
    assert holds(foreign(key, level=level), key)


def test_plain_base64_is_read(key: SigningKey) -> None:
    """One official issuer emits the plain alphabet."""
    assert holds(b64(zlib.compress(json.dumps(signed(key)).encode())), key)


@pytest.mark.parametrize("v1", V1_KEYS)
@pytest.mark.parametrize(
    "changed",
    [
        {"appid_at_3rd": None},
        {"appid_at_3rd": ""},
        {"appid_at_3rd": "wx1234567890abcdef"},
        {"account_type": "107"},
        {"account_type": ""},
        {"version": "201803230000"},
        {"version": 2},
        {"version": None},
        {"more": ["anything", {"at": None}], "name": "\ud83d\ude00"},
        {"sdkappid": 1, "expire": 1},
    ],
    ids=str,
)
def test_members_as_other_issuers_write_them_are_read(
    v1: SigningKey, changed: dict[str, Any]
) -> None:
    """Third-party and account type as they come, any version or none, members of their own."""
    assert holds(foreign(v1, **changed), v1)


def test_unknown_members_of_v2_are_ignored() -> None:
    """Members that are not signed mean nothing."""
    key = KEYS["HMAC"]
    assert holds(foreign(key, more=1.5, sdk_appid="1", identifier2="victim"), key)


@pytest.mark.parametrize("lines", [76, 64, 1])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_breaks_in_the_signature_are_ignored(key: SigningKey, lines: int, end: str) -> None:
    """MIME encoders break lines and end the last one."""
    members = signed(key)
    text = members["TLS.sig"]
    broken = "".join(text[at : at + lines] + end for at in range(0, len(text), lines))
    assert holds(ticket({**members, "TLS.sig": broken}), key)


def test_members_are_read_in_any_order(key: SigningKey) -> None:
    """Order carries nothing."""
    members = signed(key)
    assert holds(ticket(dict(sorted(members.items(), reverse=True))), key)


def test_escaped_json_is_read(key: SigningKey) -> None:
    """PHP escapes slashes, others everything."""
    text = json.dumps(signed(key)).replace("/", "\\/").replace("TLS", "\\u0054LS")
    assert holds(ticket(text), key)


def test_an_old_account_type_in_the_userbuf_is_read() -> None:
    """Old applications have account types other than 0."""
    made = foreign(P256, userbuf=userbuf(account_type=107), account_type="107")
    assert (
        verify_private_map_key(made, [P256], **WHO, room=parse_room(ROOM), now=NOW).privileges
        == 255
    )


def test_privileges_beyond_eight_bits_are_read() -> None:
    """Issuers that set every bit of four bytes mean all privileges."""
    made = foreign(P256, userbuf=userbuf(privileges=2**32 - 1))
    verified = verify_private_map_key(made, [P256], **WHO, room=parse_room(ROOM), now=NOW)
    assert verified.privileges == 2**32 - 1
