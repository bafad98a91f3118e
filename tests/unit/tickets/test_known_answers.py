"""Wire facts, section 11, "Known answers": gathered from Tencent's own issuers and documents."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from chalicelib.tickets import (
    HMAC,
    issue_private_map_key,
    issue_user_sig,
    load_key,
)
from chalicelib.tickets.userbuf import Userbuf, pack_userbuf, parse_userbuf
from chalicelib.tickets.verify import open_ticket
from chalicelib.trtc.identifiers import parse_room
from tests.support.ticket_material import ORDER, P256, ROOM_ORDER, b64

# The secret of Tencent's published sample, which opens nothing.
SAMPLE = load_key(HMAC, "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e")


@pytest.mark.parametrize(
    ("user_id", "app", "room", "ends", "expected"),
    [
        (
            "webrtc98",
            1400037025,
            1234,
            1600000300,
            "00000877656272746339385372dea1000004d25f5e112c000000ff00000000",
        ),
        (
            "xiaojun",
            1400000000,
            4294967295,
            2147483648,
            "0000077869616f6a756e53724e00ffffffff80000000000000ff00000000",
        ),
        (
            "xiaojun",
            1400000000,
            "adbjkl",
            1600086400,
            "0100077869616f6a756e53724e00000000005f5f6180000000ff0000000000066164626a6b6c",
        ),
    ],
)
def test_the_userbuf_is_known(
    user_id: str, app: int, room: int | str, ends: int, expected: str
) -> None:
    """Provenance: wire facts, section 11, the three userbufs, all with privileges 255."""
    userbuf = Userbuf(user_id, app, parse_room(room), ends, 255)
    assert pack_userbuf(userbuf).hex() == expected
    assert parse_userbuf(bytes.fromhex(expected)) == userbuf


def content_of(ticket: str) -> bytes:
    """What the ticket's issuer signed."""
    return open_ticket(ticket).content


def test_the_content_of_a_v1_user_sig_is_known() -> None:
    """Provenance: wire facts, section 11, v1 content for webrtc98, 128 bytes."""
    signed = content_of(issue_user_sig(P256, **ORDER))
    assert len(signed) == 128
    assert hashlib.sha256(signed).hexdigest() == (
        "1ba4476086fb6a213dc2b36b6d5d7024369f646a9c725ac48bc067c405024729"
    )


def test_the_content_of_a_v1_private_map_key_is_known() -> None:
    """Provenance: wire facts, section 11, its privateMapKey content for room 1234, 185 bytes."""
    signed = content_of(issue_private_map_key(P256, **ROOM_ORDER))
    assert len(signed) == 185
    assert hashlib.sha256(signed).hexdigest() == (
        "70c46e02212e314fe3c904c08d010463945da7e76928d3ed7868818c8a1d4a23"
    )


def test_the_signatures_of_v2_are_known() -> None:
    """Provenance: wire facts, section 11, v2, userSig and privateMapKey for room 10000, 255."""
    order: dict[str, Any] = {
        "sdk_app_id": 1400000000,
        "user_id": "xiaojun",
        "now": 1600000000,
        "ttl": 86400,
    }
    user_sig = issue_user_sig(SAMPLE, **order)
    private_map_key = issue_private_map_key(SAMPLE, **order, room=parse_room(10000), privileges=255)
    assert b64(open_ticket(user_sig).signature) == "F7rhX8gUOlwhSaoxU1nT9fNB9LShQdL1ReCJfHY1Ffo="
    assert b64(open_ticket(private_map_key).signature) == (
        "GVxdX6HX/PNx92IikjjWQcuRzCjDrOaVjh1tpORIrgk="
    )
