from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.relay import MOST_SECRETS, SECRET_BYTES, Relay, secret_of

RAW = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)
RELAYS = st.builds(
    Relay,
    st.lists(RAW.map(secret_of), min_size=1, max_size=MOST_SECRETS, unique=True).map(tuple),
    st.frozensets(st.integers(1, 2**32 - 1)),
)
NEW, OLD, OLDEST = (secret_of(bytes([n]) * SECRET_BYTES) for n in (3, 2, 1))
# The same 32 bytes to a lax decoder: four bits too many at the end, or the other alphabet.
ODD = NEW.removesuffix(NEW[-2:]) + "N="
URL_SAFE = "whsec_" + "-" * 42 + "A="
NO_APPLICATIONS: tuple[Any, ...] = (None, {}, "7", [0], [2**32], ["7"], [True], [1.0])


@given(RELAYS)
def test_a_relay_survives_its_secret(relay: Relay) -> None:
    """What an operator writes is what will be read."""
    assert Relay.from_json(relay.to_json()) == relay


@given(RAW)
def test_a_secret_is_as_standard_webhooks_writes_it(raw: bytes) -> None:
    """Its libraries take off the prefix and decode the rest as base64."""
    prefix, _, rest = secret_of(raw).partition("_")
    assert prefix == "whsec"
    assert base64.b64decode(rest, validate=True) == raw


@given(RELAYS)
def test_a_repr_shows_no_secret(relay: Relay) -> None:
    """Nor does anything that is made of it; applications are no secret."""
    shown = f"{relay!r} {relay} {[relay]}"
    assert not any(secret.removeprefix("whsec_") in shown for secret in relay.secrets)
    assert str(sorted(relay.applications)) in shown


def test_the_secrets_are_newest_first_and_two_at_most() -> None:
    """A new one goes first and the last one second; the older one is dropped alone."""
    relay = Relay((OLDEST,), frozenset({7}))
    twice = relay.rotated(OLD)
    assert twice == Relay((OLD, OLDEST), frozenset({7}))
    assert twice.rotated(NEW) == Relay((NEW, OLD), frozenset({7}))
    assert twice.without_older() == Relay((OLD,), frozenset({7}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "1",
        "{}",
        "[" * 100_000,
        json.dumps({"secrets": [NEW]}),
        json.dumps({"secrets": [NEW], "applications": [], "more": 1}),
        *(
            json.dumps({"secrets": secrets, "applications": []})
            for secrets in (
                [],
                NEW,
                [1],
                [None],
                [[NEW]],
                [NEW, NEW],
                [NEW, OLD, OLDEST],
                [NEW.removeprefix("whsec_")],
                [NEW + "\n"],
                [ODD],
                [URL_SAFE],
                [secret_of(bytes(31))],
                [secret_of(bytes(33))],
            )
        ),
        *(
            json.dumps({"secrets": [NEW], "applications": applications})
            for applications in NO_APPLICATIONS
        ),
    ],
    ids=lambda text: text[:60],
)
def test_a_secret_that_is_no_relay_is_refused(text: str) -> None:
    """Garbage in the store is an error that names none of it, never a relay for everything."""
    with pytest.raises(ValueError, match=r"^not a relay: ") as caught:
        Relay.from_json(text)
    assert all(secret not in str(caught.value) for secret in (NEW, OLD, OLDEST, ODD, URL_SAFE))


@given(st.text())
def test_no_text_does_harm(text: str) -> None:
    """Whatever is stored, the refusal is a ValueError of ours."""
    with pytest.raises(ValueError, match=r"^not a relay: "):
        Relay.from_json(text)
