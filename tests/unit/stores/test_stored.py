"""What is stored as JSON is read as it is written, and nothing else is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.callback_keys import CallbackKeys
from chalicelib.auth.caller import ACTIONS, Caller
from chalicelib.auth.relay import Relay, secret_of
from chalicelib.auth.report_tokens import TokenKey, parse_keys, write_keys
from chalicelib.stores.settings import DAY, LARGEST_ROOM, Bounds, Probe, Settings
from chalicelib.stores.stored import BadStoredValue
from chalicelib.trtc.algorithms import ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Callable

HASH = "a" * 64
CALLER = Caller("backend", (HASH,), frozenset({1400000001}), frozenset({"read", "issue"}))
CALLER_TEXT = (
    '{"id": "backend", "hashes": ["' + HASH + '"], "applications": [1400000001],'
    ' "actions": ["issue", "read"], "most_ttl": null, "users": "*", "rooms": "*", "ends": null,'
    ' "rate": 50.0, "burst": 100}'
)
PROBE = Probe("https://example.test/check?sig={userSig}", "probe", (0, 5))
SETTINGS = Settings(largest_room=5001, probe=PROBE)
SETTINGS_TEXT = (
    '{"algorithms": ["ECDSA-SHA256", "HMAC-SHA256"],'
    ' "userSigTtl": {"least": 60, "default": 86400, "most": 604800},'
    ' "privateMapKeyTtl": {"least": 60, "default": 86400, "most": 604800}, "largestRoom": 5001,'
    ' "probe": {"url": "https://example.test/check?sig={userSig}", "userId": "probe",'
    ' "accepted": [0, 5]}}'
)
SECRET = secret_of(b"s" * 32)
RELAY_TEXT = '{"secrets": ["' + SECRET + '"], "applications": [7, 9]}'
CALLBACK_TEXT = '{"keys": ["abc123"]}'
KEYS_TEXT = (
    '{"keys": [{"kid": "1", "key": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s",'
    ' "notAfter": null}]}'
)


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (CALLER.to_json, CALLER_TEXT),
        (SETTINGS.to_json, SETTINGS_TEXT),
        (Relay((SECRET,), frozenset({9, 7})).to_json, RELAY_TEXT),
        (CallbackKeys(("abc123",)).to_json, CALLBACK_TEXT),
        (lambda: write_keys([TokenKey("1", b"k" * 32, None)]), KEYS_TEXT),
    ],
)
def test_what_is_stored_is_what_it_always_was(write: Callable[[], str], text: str) -> None:
    """Known answers: the texts of the stacks that there are, to the byte."""
    assert write() == text


BROKEN_CALLERS: list[tuple[dict[str, Any], str]] = [
    ({"applications": "12"}, "/applications must be an array"),
    ({"applications": ["12"]}, "/applications/0 must be a whole number"),
    ({"actions": "issue"}, "/actions must be an array"),
    ({"actions": ["own"]}, "/actions/0 must be one of"),
    ({"ends": "soon"}, "/ends must be a whole number"),
    ({"burst": "9"}, "/burst must be a whole number"),
    ({"rate": True}, "/rate must be a number"),
    ({"rate": 0}, "/rate must be between"),
    ({"most_ttl": 0}, "/most_ttl must be between"),
    ({"hashes": [7]}, "/hashes/0 must be a string"),
    ({"hashes": "a" * 64}, "/hashes must be an array"),
    ({"users": None}, "/users must be a string"),
    ({"id": "No"}, "/id must match"),
    ({"more": 1}, "/more is not a member"),
]
BROKEN_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"algorithms": "ECDSA-SHA256"}, "/algorithms must be an array"),
    ({"algorithms": ["RSA"]}, "/algorithms/0 must be one of"),
    ({"largestRoom": 1.9}, "/largestRoom must be a whole number"),
    ({"largestRoom": "9"}, "/largestRoom must be a whole number"),
    ({"userSigTtl": {"least": 1, "default": 9, "most": 3}}, "/userSigTtl must be ordered"),
    ({"userSigTtl": {"least": True, "default": 9, "most": 30}}, "/userSigTtl/least must be"),
    ({"privateMapKeyTtl": None}, "/privateMapKeyTtl must be an object"),
    ({"probe": {"url": "http://a.test", "userId": "a", "accepted": [0]}}, "/probe/url a probe"),
    ({"probe": {"url": PROBE.url, "userId": "a b", "accepted": [0]}}, "/probe/userId"),
    ({"probe": {"url": PROBE.url, "userId": "a", "accepted": []}}, "/probe needs at least one"),
    ({"probe": {"url": PROBE.url, "userId": "a", "accepted": [True]}}, "/probe/accepted/0"),
    ({"more": 1}, "/more is not a member"),
]


@pytest.mark.parametrize(("change", "place"), BROKEN_CALLERS, ids=str)
def test_a_caller_that_is_not_as_written_is_refused(change: dict[str, Any], place: str) -> None:
    """The error names the parameter's member, so that an operator can put it right."""
    with pytest.raises(BadStoredValue) as caught:
        Caller.from_json(json.dumps(json.loads(CALLER_TEXT) | change))
    assert str(caught.value).startswith(f"not a caller: {place}")


@pytest.mark.parametrize(("change", "place"), BROKEN_SETTINGS, ids=str)
def test_settings_that_are_not_as_written_are_refused(change: dict[str, Any], place: str) -> None:
    """The error names the parameter's member, so that an operator can put it right."""
    with pytest.raises(BadStoredValue) as caught:
        Settings.from_json(json.dumps(json.loads(SETTINGS_TEXT) | change))
    assert str(caught.value).startswith(f"not an application's settings: {place}")


@pytest.mark.parametrize("text", [CALLER_TEXT, SETTINGS_TEXT, RELAY_TEXT, CALLBACK_TEXT, KEYS_TEXT])
@pytest.mark.parametrize("read", [Caller.from_json, Settings.from_json, Relay.from_json])
def test_a_text_of_another_kind_is_refused(read: Callable[[str], Any], text: str) -> None:
    """Whoever writes one thing where another belongs gets an error, never a default."""
    try:
        value = read(text)
    except BadStoredValue:
        return
    assert value.to_json() == text


@pytest.mark.parametrize(
    "broken",
    [
        '{"keys": [{"kid": "1", "key": "%s", "notAfter": "soon"}]}',
        '{"keys": [{"kid": "1", "key": "%s="}]}',
        '{"keys": [{"kid": "1", "key": "%s"}, {"kid": 2, "key": "%s", "notAfter": null}]}',
        '{"keys": [{"kid": "1", "key": "%s", "notAfter": null, "%s": 1}]}',
        '{"keys": [{"kid": "1", "key": "%s", "key": "%s", "notAfter": null}]}',
    ],
)
def test_a_broken_list_of_keys_is_refused_and_not_shown(broken: str) -> None:
    """The error says where the fault is, and holds no key."""
    key = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"
    with pytest.raises(BadStoredValue) as caught:
        parse_keys(broken.replace("%s", key))
    assert key not in str(caught.value)
    assert str(caught.value).startswith("not a list of report-token keys: ")


SECONDS = st.integers(1, 10 * DAY)
BOUNDS = st.tuples(SECONDS, SECONDS, SECONDS).map(lambda three: Bounds(*sorted(three)))
CALLERS = st.builds(
    Caller,
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True),
    st.lists(st.from_regex("[0-9a-f]{64}", fullmatch=True), max_size=2).map(tuple),
    st.frozensets(st.integers(1, 2**32 - 1), max_size=5),
    st.frozensets(st.sampled_from(sorted(ACTIONS))),
    st.none() | SECONDS,
    st.text(min_size=1, max_size=9),
    st.text(min_size=1, max_size=9),
    st.none() | st.integers(0, 2**40),
    st.floats(0.001, 1e9),
    st.integers(1, 1000),
)


SETTINGS_DRAWN = st.builds(
    Settings,
    st.lists(st.sampled_from(ALGORITHMS), unique=True).map(tuple),
    BOUNDS,
    BOUNDS,
    st.integers(1, LARGEST_ROOM),
    st.sampled_from([None, PROBE]),
)


@given(CALLERS)
def test_callers_survive_their_parameter(caller: Caller) -> None:
    """What an operator writes is what the functions read."""
    assert Caller.from_json(caller.to_json()) == caller


@given(SETTINGS_DRAWN)
def test_settings_survive_their_parameter(settings: Settings) -> None:
    """What an operator writes is what the functions read."""
    assert Settings.from_json(settings.to_json()) == settings


@given(st.text())
def test_no_text_does_harm(text: str) -> None:
    """Whatever stands in a store, the refusal is ours and holds nothing of it."""
    for read in (Caller.from_json, Settings.from_json, CallbackKeys.from_json, parse_keys):
        with pytest.raises(BadStoredValue, match=r"^not "):
            read(text)
