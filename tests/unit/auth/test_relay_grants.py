from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.relay import Relay
from chalicelib.auth.relay_grants import (
    EPOCH_EARLY_MS,
    HEADERS,
    RelayGrant,
    authenticate_relay,
    check_epoch,
)
from chalicelib.auth.signers import Signers
from chalicelib.errors import ApiError, InvalidRequest
from chalicelib.stores.names import Names
from chalicelib.stores.store import Secret
from tests.support.signing import NEW, OLD, OTHER, relay_headers
from tests.support.stores import MemoryStore

NAMES = Names("testing")
BODY = '{"seq": 1, "é": "ü"}'.encode()
RELAY = Relay((NEW, OLD), frozenset({7}))
MINUTE = 60


def filled() -> MemoryStore:
    store = MemoryStore()
    store.secrets[NAMES.relay("relay"), "AWSCURRENT"] = Secret(RELAY.to_json(), "1")
    store.secrets[NAMES.relay("other"), "AWSCURRENT"] = Secret(Relay((OTHER,)).to_json(), "1")
    return store


@pytest.fixture
def store() -> MemoryStore:
    return filled()


def granted(
    store: MemoryStore, headers: dict[str, str], raw: bytes = BODY, relay_id: str = "relay"
) -> RelayGrant:
    signers = Signers(store, NAMES.relay_prefix, Relay.from_json, "relays")
    return authenticate_relay(relay_id, headers, raw, signers)


def refused(
    store: MemoryStore, headers: dict[str, str], raw: bytes = BODY, relay_id: str = "relay"
) -> ApiError:
    with pytest.raises(ApiError) as caught:
        granted(store, headers, raw, relay_id)
    return caught.value


@pytest.mark.parametrize("secret", RELAY.secrets, ids=["newer", "older"])
def test_either_secret_counts(store: MemoryStore, secret: str) -> None:
    """So a backend can change over without a gap; the grant says what it may report of."""
    assert granted(store, relay_headers(BODY, secret)) == RelayGrant("relay", RELAY.applications)


def test_one_fitting_signature_among_several_is_enough(store: MemoryStore) -> None:
    """As Standard Webhooks has it, for senders that sign with two secrets, or in two versions."""
    headers = relay_headers(BODY)
    other = relay_headers(BODY, OTHER)["webhook-signature"]
    headers["webhook-signature"] = f"v2,abc {other} {headers['webhook-signature']}"
    assert granted(store, headers).relay == "relay"


@pytest.mark.parametrize("minutes", [-6, -4, 4, 6])
def test_the_time_may_be_five_minutes_off(store: MemoryStore, minutes: int) -> None:
    """Either way, and no more: what was overheard is of no use later."""
    headers = relay_headers(BODY, now=time.time() + minutes * MINUTE)
    if abs(minutes) < 5:
        assert granted(store, headers).relay == "relay"
    else:
        assert refused(store, headers).code == "relay-signature-invalid"


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("value", [None, ""])
def test_all_three_headers_are_needed(store: MemoryStore, name: str, value: str | None) -> None:
    """What comes without them is told which, and costs no read."""
    given_headers = relay_headers(BODY) | {name: value}
    sent = {name: each for name, each in given_headers.items() if each is not None}
    assert refused(store, sent).code == "relay-signature-missing"
    assert not store.asked


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "another"),
        ("webhook-id", "\ud800"),
        ("webhook-timestamp", "yesterday"),
        ("webhook-timestamp", "nan"),
        ("webhook-timestamp", "1e400"),
        ("webhook-timestamp", "9" * 5000),
        ("webhook-timestamp", "0"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,a"),
        ("webhook-signature", "v1,é"),
        ("webhook-signature", "v1,a,b"),
        ("webhook-signature", "v1a,AAAA"),
        ("webhook-signature", " "),
        ("webhook-signature", "\ud800,"),
    ],
)
def test_a_header_that_says_something_else_is_refused(
    store: MemoryStore, name: str, value: str
) -> None:
    """Malformed in whatever way, it is a wrong signature; the refusal repeats none of it."""
    refusal = refused(store, relay_headers(BODY) | {name: value})
    assert refusal.code == "relay-signature-invalid"
    assert refusal.facts == {"relay": "relay"}


@pytest.mark.parametrize("raw", [BODY + b" ", b"", b"\xff\xfe", BODY[:-1]])
def test_another_body_is_refused(store: MemoryStore, raw: bytes) -> None:
    """To the byte, and also what is no text."""
    assert refused(store, relay_headers(BODY), raw).code == "relay-signature-invalid"


def test_one_relay_does_not_sign_for_another(store: MemoryStore) -> None:
    """The path says whose secrets are tried; a relay that there is not is refused alike."""
    for relay_id in ("other", "nobody"):
        refusal = refused(store, relay_headers(BODY), relay_id=relay_id)
        assert refusal.code == "relay-signature-invalid"


@pytest.mark.parametrize("relay_id", ["", "A", "../app/1", "-a", "a" * 33, "a\n", "é", "%61"])
def test_what_is_no_id_costs_no_read(store: MemoryStore, relay_id: str) -> None:
    """It names no secret, of this kind or another, and is not logged."""
    refusal = refused(store, relay_headers(BODY), relay_id=relay_id)
    assert (refusal.code, refusal.facts) == ("relay-signature-invalid", {})
    assert not store.asked


def test_a_relay_reports_of_its_applications_only() -> None:
    """Or of every one, where none is named."""
    RelayGrant("relay", frozenset({7, 8})).may_report(8)
    RelayGrant("relay", frozenset()).may_report(9)
    with pytest.raises(ApiError, match="application-not-allowed") as caught:
        RelayGrant("relay", frozenset({7, 8})).may_report(9)
    assert [wrong.place for wrong in caught.value.errors] == ["#/sdkAppId"]


def test_an_epoch_is_not_of_the_future() -> None:
    """All that came until then would be called stale; a clock may be a little ahead."""
    check_epoch(10**12 + EPOCH_EARLY_MS, 10**12)
    with pytest.raises(InvalidRequest) as caught:
        check_epoch(10**12 + EPOCH_EARLY_MS + 1, 10**12)
    assert [wrong.place for wrong in caught.value.errors] == ["#/epoch"]


values = st.text(max_size=40) | st.sampled_from(
    ["v1,", "v1,AAAA", "v1,=", "v1,AAAA v1", str(int(time.time())), "msg_1"]
)
signed_now = st.just({"webhook-timestamp": str(int(time.time())), "webhook-id": "m"})


@given(
    st.dictionaries(st.sampled_from(HEADERS), values),
    st.just({}) | signed_now,
    st.binary(),
    st.sampled_from(["relay", "nobody", "../x"]) | st.text(max_size=10),
)
def test_whatever_the_headers_and_bytes_they_fit_or_are_refused(
    headers: dict[str, str], good: dict[str, str], raw: bytes, relay_id: str
) -> None:
    """No other exception; and nobody gets in without a secret."""
    code = refused(filled(), headers | good, raw, relay_id).code
    assert code in {"relay-signature-missing", "relay-signature-invalid"}
