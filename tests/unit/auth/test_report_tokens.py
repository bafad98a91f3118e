from __future__ import annotations

import base64
import json
import os
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.report_grants import authenticate_report, check_report_token
from chalicelib.auth.report_tokens import (
    AUDIENCE,
    Claims,
    ReportTokenKeys,
    TokenKey,
    mint,
    parse_keys,
)
from chalicelib.errors import ApiError
from chalicelib.stores.cache import RENEW_SECONDS
from chalicelib.stores.names import Names
from chalicelib.stores.store import Secret
from chalicelib.trtc.identifiers import parse_room
from tests.support.stores import Clock, MemoryStore

NOW = 1_600_000_000.0
CLAIMS = Claims(1400000000, "alice", parse_room(1234), epoch=1_600_000_000_123, ends=int(NOW) + 60)
PAYLOAD = {
    "aud": AUDIENCE,
    "app": 1400000000,
    "sub": "alice",
    "room": "1234",
    "epoch": 1_600_000_000_123,
    "exp": int(NOW) + 60,
}
NAMES = Names("roomgate")
NEW = TokenKey("k2", os.urandom(32), None)
OLD = TokenKey("k1", os.urandom(32), int(NOW) + 30)


def refused(token: str, now: float = NOW) -> str:
    with pytest.raises(ApiError) as caught:
        check_report_token(token, [NEW, OLD], now)
    assert not token or token not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("room", [1, 2**32 - 1, "lobby", "a b!#"])
@pytest.mark.parametrize("key", [NEW, OLD])
def test_a_minted_token_is_accepted(key: TokenKey, room: int | str) -> None:
    """What the issuer mints with hmac, webhook checks with PyJWT: claims come back the same."""
    claims = CLAIMS._replace(room=parse_room(room))
    assert check_report_token(mint(key, claims), [NEW, OLD], NOW) == claims


def test_a_key_that_the_issuer_knows_first_is_read_at_once() -> None:
    """An unknown kid has the keys read anew: once an interval, whoever sends whatever."""
    store, clock = MemoryStore(), Clock(NOW)
    store.secrets[NAMES.report_token, "AWSCURRENT"] = Secret(stored(OLD), "v1")
    keys = ReportTokenKeys(store, NAMES)
    keys._keys._clock = clock
    authenticate_report(f"Bearer {mint(OLD, CLAIMS)}", keys, NOW)
    store.secrets[NAMES.report_token, "AWSCURRENT"] = Secret(stored(NEW, OLD), "v2")
    clock.now += RENEW_SECONDS
    bearer = f"Bearer {mint(NEW, CLAIMS)}"
    assert authenticate_report(bearer, keys, NOW) == CLAIMS
    strange = f"Bearer {mint(TokenKey('k9', os.urandom(32), None), CLAIMS)}"
    for authorization in (strange, "Bearer x", "Bearer a.b.c") * 20:
        with pytest.raises(ApiError, match="report-token-invalid"):
            authenticate_report(authorization, keys, NOW)
    assert store.asked[NAMES.report_token] == 2


@pytest.mark.parametrize(
    "token",
    [
        "\ud800",
        "\ud800.e30.AA",
        "é.é.é",
        base64.urlsafe_b64encode(b"[" * 9000).decode() + ".e30.AA",
    ],
)
def test_an_unreadable_token_is_refused_before_its_key_is_looked_for(token: str) -> None:
    """Half a character, or a header that nests too deeply, is no fault of ours."""
    store = MemoryStore()
    store.secrets[NAMES.report_token, "AWSCURRENT"] = Secret(stored(NEW), "v1")
    with pytest.raises(ApiError, match="report-token-invalid"):
        authenticate_report(f"Bearer {token}", ReportTokenKeys(store, NAMES), NOW)


def stored(*keys: TokenKey) -> str:
    def text(key: TokenKey) -> str:
        return base64.urlsafe_b64encode(key.key).decode().rstrip("=")

    listed = [{"kid": key.kid, "key": text(key), "notAfter": key.not_after} for key in keys]
    return json.dumps({"keys": listed})


def test_a_token_ends_at_its_second() -> None:
    """At its end, not after it, a token is refused, as expired and not as invalid."""
    token = mint(NEW, CLAIMS)
    check_report_token(token, [NEW], NOW + 59.9)
    assert refused(token, NOW + 60) == "report-token-expired"


def test_an_old_key_stops_at_its_time() -> None:
    """A key's notAfter refuses its tokens whatever they say of themselves."""
    assert refused(mint(OLD, CLAIMS), NOW + 30) == "report-token-invalid"


def signed(payload: dict[str, Any], key: bytes = NEW.key, **header: Any) -> str:
    return jwt.encode(payload, key, algorithm="HS256", headers={"kid": "k2", **header})


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "somebody/else"},
        {"app": "1400000000"},
        {"app": 0},
        {"sub": "zz\nvictim"},
        {"sub": ""},
        {"room": "0"},
        {"room": "s:"},
        {"room": 1234},
        {"epoch": "soon"},
        {"exp": "never"},
    ],
)
def test_a_token_with_wrong_claims_is_refused(changed: dict[str, Any]) -> None:
    """Even with our signature, a claim that is none of ours counts for nothing."""
    assert refused(signed({**PAYLOAD, **changed})) == "report-token-invalid"


@pytest.mark.parametrize("claim", PAYLOAD)
def test_a_token_without_one_of_the_claims_is_refused(claim: str) -> None:
    """Every claim is needed."""
    payload = {name: value for name, value in PAYLOAD.items() if name != claim}
    assert refused(signed(payload)) == "report-token-invalid"


def test_tokens_of_other_makers_are_refused() -> None:
    """An unknown kid, another key under our kid, and no signature at all are all invalid."""
    none = jwt.encode(PAYLOAD, "", algorithm="none", headers={"kid": "k2"})
    stranger = TokenKey("k9", os.urandom(32), None)
    forged = TokenKey("k2", os.urandom(32), None)
    longer = jwt.encode(PAYLOAD, NEW.key + bytes(32), algorithm="HS512", headers={"kid": "k2"})
    tokens = [none, mint(stranger, CLAIMS), mint(forged, CLAIMS), longer, "", "a.b", "a.b.c"]
    assert {refused(token) for token in tokens} == {"report-token-invalid"}


@given(st.text(max_size=100) | st.binary(max_size=100).map(lambda b: b.decode("latin-1")))
def test_no_text_whatever_raises_anything_but_a_refusal(text: str) -> None:
    """Nonsense is refused, never a fault of ours."""
    assert refused("x" + text) == "report-token-invalid"


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_token_is_refused(place: int, change: int) -> None:
    """No byte of a token can be changed."""
    token = bytearray(mint(NEW, CLAIMS).encode())
    token[place % len(token)] ^= change
    text = token.decode("latin-1")
    original = mint(NEW, CLAIMS)
    if _decoded(text) != _decoded(original):
        assert refused(text) == "report-token-invalid"


def _decoded(token: str) -> list[bytes] | None:
    """The parts' bytes: base64's padding bits carry nothing, so two texts can be one token."""
    try:
        return [
            base64.b64decode(part + "==", altchars=b"-_", validate=True)
            for part in token.split(".")
        ]
    except ValueError:
        return None


def test_a_key_does_not_show_itself() -> None:
    """Neither repr nor str holds the key."""
    shown = repr(NEW) + str(NEW)
    assert NEW.key.hex() not in shown
    assert base64.b64encode(NEW.key).decode() not in shown
    assert "k2" in shown


def test_the_keys_come_newest_first_from_one_secret() -> None:
    """The secret's order is kept: the first one signs."""
    encoded = base64.urlsafe_b64encode(NEW.key).rstrip(b"=").decode()
    text = json.dumps({"keys": [{"kid": "b", "key": encoded, "notAfter": None}] * 2})
    assert [key.kid for key in parse_keys(text)] == ["b", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys":[]}',
        '{"keys":[{"kid":"a","key":"c2hvcnQ","notAfter":null}]}',
        '{"keys":[{"kid":"a","key":7,"notAfter":null}]}',
        '{"keys":[{"kid":"a"}]}',
        '{"keys":7}',
    ],
)
def test_a_secret_that_is_no_list_of_keys_is_refused(text: str) -> None:
    """Garbage, an empty list and a short key are errors, never a weak key in use."""
    with pytest.raises(ValueError, match=r"key|Expecting"):
        parse_keys(text)


def test_a_store_that_is_down_is_a_503() -> None:
    """Members try again later; their tokens are not called invalid."""
    store = MemoryStore()
    keys = ReportTokenKeys(store, Names("roomgate"))
    with pytest.raises(ApiError) as caught:
        authenticate_report("Bearer x", keys, NOW)
    assert caught.value.code == "store-unavailable"
    assert not keys.loaded()


def test_keys_loaded_once_say_that_they_are() -> None:
    """Readiness follows the first successful read."""
    store = MemoryStore()
    encoded = base64.urlsafe_b64encode(NEW.key).decode().rstrip("=")
    value = json.dumps({"keys": [{"kid": "k2", "key": encoded, "notAfter": None}]})
    store.secrets["roomgate/report-token", "AWSCURRENT"] = Secret(value, "v1")
    keys = ReportTokenKeys(store, Names("roomgate"))
    keys.preload()
    assert keys.loaded()
    assert authenticate_report(f"Bearer {mint(NEW, CLAIMS)}", keys, NOW) == CLAIMS
