from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.callback_keys import KEY_CHARACTERS, CallbackKeys, is_key, new_key
from chalicelib.auth.callback_signatures import (
    EARLY_MS,
    LATE_MS,
    authenticate_callback,
    check_time,
    is_signed,
)
from chalicelib.auth.signers import Signers
from chalicelib.errors import ApiError
from chalicelib.stores.names import Names
from chalicelib.stores.store import Secret
from tests.support.signing import KNOWN_BODY, KNOWN_KEY, KNOWN_SIGN, sign
from tests.support.stores import MemoryStore

APP = 1400000001
NAMES = Names("testing")
NOW_MS = 1_600_000_000_000
BODY = b'{"EventGroupId": 1}'
OLD, NEW = new_key(), new_key()
KEYS = CallbackKeys((NEW, OLD))


@pytest.fixture
def store() -> MemoryStore:
    return filled()


def filled() -> MemoryStore:
    store = MemoryStore()
    store.secrets[NAMES.callback(APP), "AWSCURRENT"] = Secret(KEYS.to_json(), "1")
    return store


def signers(store: MemoryStore) -> Signers[CallbackKeys]:
    return Signers(store, NAMES.callback_prefix, CallbackKeys.from_json, "callbacks")


def headers(signature: str, app: object = APP) -> dict[str, str]:
    return {"sdkappid": str(app), "sign": signature}


def refused(store: MemoryStore, given_headers: dict[str, str], raw: bytes = BODY) -> ApiError:
    with pytest.raises(ApiError) as caught:
        authenticate_callback(given_headers, raw, signers(store))
    return caught.value


def test_the_known_answer_fits() -> None:
    """Tencent's published example, to the byte; one byte less does not."""
    keys = CallbackKeys((KNOWN_KEY,))
    assert is_signed(keys, KNOWN_BODY, KNOWN_SIGN)
    assert not is_signed(keys, KNOWN_BODY.replace(b"\t", b"", 1), KNOWN_SIGN)


@pytest.mark.parametrize("key", KEYS.keys, ids=["newer", "older"])
def test_either_key_counts(store: MemoryStore, key: str) -> None:
    """So the console's key can change without a gap."""
    assert authenticate_callback(headers(sign(key, BODY)), BODY, signers(store)) == APP


@pytest.mark.parametrize("name", ["sdkappid", "sign"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_both_headers_are_needed(store: MemoryStore, name: str, value: str | None) -> None:
    """What comes without them is told which, and costs no read."""
    given_headers = headers(sign(NEW, BODY)) | {name: value}
    sent = {name: each for name, each in given_headers.items() if each is not None}
    assert refused(store, sent).code == "callback-signature-missing"
    assert not store.asked


@pytest.mark.parametrize(
    "signature",
    [
        sign(new_key(), BODY),
        sign(NEW, BODY + b" "),
        sign(NEW, BODY).rstrip("="),
        sign(NEW, BODY).swapcase(),
        "é",
        "\ud800",
        "x" * 10_000,
    ],
    ids=["key", "body", "padding", "case", "accent", "surrogate", "long"],
)
def test_a_sign_of_something_else_is_refused(store: MemoryStore, signature: str) -> None:
    """Whatever it is; and the refusal repeats none of it."""
    refusal = refused(store, headers(signature))
    assert refusal.code == "callback-signature-invalid"
    assert refusal.facts == {"sdkAppId": APP}
    assert signature not in f"{refusal} {refusal.facts}"


@pytest.mark.parametrize("app", [0, -1, 2**32, "1e3", "x", "é", "²", "1 4", "9" * 5000])
def test_what_is_no_application_costs_no_read(store: MemoryStore, app: object) -> None:
    """It is refused as a wrong signature is."""
    assert refused(store, headers(sign(NEW, BODY), app)).code == "callback-signature-invalid"
    assert not store.asked


def test_one_application_does_not_sign_for_another(store: MemoryStore) -> None:
    """The header decides whose key is tried; an application without one is refused alike."""
    other = NAMES.callback(7)
    store.secrets[other, "AWSCURRENT"] = Secret(CallbackKeys((new_key(),)).to_json(), "1")
    for app in (7, 8):
        assert refused(store, headers(sign(NEW, BODY), app)).code == "callback-signature-invalid"


@pytest.mark.parametrize("late", [0, LATE_MS, -EARLY_MS])
def test_a_callback_counts_for_a_while(late: int) -> None:
    """So long as Tencent may send it, and clocks may differ."""
    check_time(NOW_MS - late, NOW_MS)


@pytest.mark.parametrize("late", [LATE_MS + 1, -EARLY_MS - 1, 10**12, -(10**12)])
def test_a_callback_of_another_time_is_refused(late: int) -> None:
    """Neither one of long ago counts nor one of the future, whoever signed it."""
    with pytest.raises(ApiError, match="callback-out-of-time"):
        check_time(NOW_MS - late, NOW_MS)


header_values = st.text(max_size=50) | st.sampled_from([str(APP), sign(NEW, BODY), sign(OLD, b"")])


@given(st.dictionaries(st.sampled_from(["sdkappid", "sign"]), header_values), st.binary())
def test_whatever_the_headers_and_bytes_they_fit_or_are_refused(
    given_headers: dict[str, str], raw: bytes
) -> None:
    """No other exception; and nobody gets in without a key."""
    code = refused(filled(), given_headers, raw or b"x").code
    assert code in {"callback-signature-missing", "callback-signature-invalid"}


@given(st.binary(), st.sampled_from(KEYS.keys))
def test_any_bytes_can_be_signed(raw: bytes, key: str) -> None:
    """The signature is over the bytes, whatever they are."""
    assert is_signed(KEYS, raw, sign(key, raw))
    assert not is_signed(KEYS, raw + b"\x00", sign(key, raw))


def test_keys_survive_their_secret_and_their_repr_shows_none() -> None:
    """What an operator writes is what is read; nothing that prints it leaks it."""
    assert CallbackKeys.from_json(KEYS.to_json()) == KEYS
    assert not any(key in f"{KEYS!r} {KEYS} {[KEYS]}" for key in KEYS.keys)


def test_keys_are_newest_first_and_two_at_most() -> None:
    """A new one goes first and the last one second; the older one is dropped alone."""
    keys = CallbackKeys(("a",)).rotated("b")
    assert keys == CallbackKeys(("b", "a"))
    assert keys.rotated("c") == CallbackKeys(("c", "b"))
    assert keys.without_older() == CallbackKeys(("b",))


def test_a_new_key_is_as_the_console_takes_it() -> None:
    """32 letters and digits, never the same."""
    made = {new_key() for _ in range(20)}
    assert len(made) == 20
    assert all(len(key) == KEY_CHARACTERS and is_key(key) for key in made)


NO_KEYS: tuple[Any, ...] = (
    *(None, "abc", {}, [], [1], [None], [["a"]], ["a", "a"], ["a", "b", "c"], [""]),
    *(["x" * 33], ["a b"], ["é"], ["a\n"]),
)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "1", "{}", "[" * 100_000, json.dumps({"keys": ["a"], "more": 1})]
    + [json.dumps({"keys": keys}) for keys in NO_KEYS],
    ids=lambda text: text[:40],
)
def test_a_secret_that_holds_no_keys_is_refused(text: str) -> None:
    """Garbage in the store is an error of one sort."""
    with pytest.raises(ValueError, match=r"^not callback keys: "):
        CallbackKeys.from_json(text)


@given(st.text())
def test_no_text_does_harm(text: str) -> None:
    """Whatever is stored, the refusal is a ValueError of ours."""
    with pytest.raises(ValueError, match=r"^not callback keys: "):
        CallbackKeys.from_json(text)
