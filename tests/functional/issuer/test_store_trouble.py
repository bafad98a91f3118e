"""The store refusing, slow, answering with garbage: what the issuer makes of it."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from chalicelib.auth.caller import Caller, hash_of
from chalicelib.auth.report_tokens import TokenKey, write_keys
from chalicelib.stores import cache as caches
from chalicelib.stores import store as stores
from chalicelib.stores.names import Names
from chalicelib.stores.settings import Settings
from chalicelib.tickets import issue_user_sig, load_key
from tests.support.apps import load_app
from tests.support.extension import WITH_REASON, WITHOUT_REASON, FakeExtension
from tests.support.keys import new_secret
from tests.support.reports import STACK, Answer, Function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.extension import Answer as Misdone

APP = 1400000001
API_KEY = "rg_backend_" + "b" * 43
NAMES = Names(STACK)
BODY = json.dumps({"sdkAppId": APP, "userId": "alice", "roomId": 1234}).encode()
NOW = 1_600_000_000.0


def babble(text: str) -> Callable[[str], tuple[int, str]]:
    return lambda _path: (200, text)


def secret_of(value: str) -> Callable[[str], tuple[int, str] | None]:
    """An answer in the right form whose secret is garbage; parameters are answered rightly."""
    text = json.dumps({"SecretString": value, "VersionId": "v"})
    return lambda path: (200, text) if "secrets" in path else None


MISDEEDS: dict[str, Callable[[str], tuple[int, str] | None]] = {
    "refuses": lambda _path: (500, "AccessDeniedException"),
    "throttles": lambda _path: (400, "operation error: ThrottlingException"),
    "not ready": lambda _path: (400, "not ready to serve traffic, please wait"),
    "no JSON": babble("<html>plainly no JSON</html>"),
    "JSON of another kind": babble("[1, 2]"),
    "no value": babble('{"Parameter": {}, "VersionId": "v"}'),
    "a number for a value": babble('{"SecretString": 7, "Parameter": {"Value": 7}}'),
    "nothing": babble(""),
    "deep": babble("[" * 50_000),
}
BROKEN_SECRETS = ["", "{}", '{"algorithm": "HMAC-SHA256", "key": "short"}', "[" * 50_000]


class Issuer(NamedTuple):
    function: Function
    extension: FakeExtension

    def post(self, api_key: str = API_KEY) -> Answer:
        """Ask for an entry."""
        headers = {"Authorization": f"Bearer {api_key}"}
        return self.function.call("POST", "/v1/entries", body=BODY, headers=headers)

    def states(self) -> list[str]:
        """The states of the keys that the API shows."""
        headers = {"Authorization": f"Bearer {API_KEY}"}
        path = {"app": str(APP)}
        answer = self.function.call("GET", "/v1/apps/{app}/keys", path=path, headers=headers)
        return [key["state"] for key in answer.body["keys"]]

    def grow_old(self, seconds: float = caches.REFRESH_SECONDS) -> None:
        """Let everything that is cached be that much older."""
        module = self.function.module
        for cache in (
            module.applications._current,
            module.applications._others,
            module.callers._callers,
            module.report_keys._keys,
        ):
            for entry in cache._entries.values():
                entry.due -= seconds
                entry.loaded_at -= seconds
                entry.asked_at -= seconds


@pytest.fixture
def extension() -> Iterator[FakeExtension]:
    with FakeExtension() as fake:
        put_key(fake)
        token_keys = write_keys([TokenKey("1", b"k" * 32, None)])
        fake.secrets[NAMES.report_token, "AWSCURRENT"] = token_keys
        fake.parameters[NAMES.settings(APP)] = Settings().to_json()
        actions = frozenset({"issue", "inspect"})
        caller = Caller("backend", (hash_of(API_KEY),), actions=actions, rate=1e6, burst=10**6)
        fake.parameters[NAMES.caller("backend")] = caller.to_json()
        yield fake


@pytest.fixture
def issuer(extension: FakeExtension, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """A cold issuer, which reads by way of the extension."""
    monkeypatch.setenv("ROOMGATE_STACK", STACK)
    monkeypatch.setenv("ROOMGATE_WEBHOOK_URL", "https://webhook.example.test")
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", str(extension.port))
    monkeypatch.setattr(stores, "TIMEOUT_SECONDS", 0.3)
    return Issuer(Function(load_app("issuer")), extension)


def put_key(extension: FakeExtension, stage: str = "AWSCURRENT") -> None:
    value = {"algorithm": "HMAC-SHA256", "key": new_secret()}
    extension.secrets[NAMES.key(APP), stage] = json.dumps(value)


def metrics(printed: str) -> list[dict[str, Any]]:
    """The lines that carry metrics."""
    return [line for line in map(json.loads, printed.splitlines()) if "_aws" in line]


@pytest.mark.parametrize("misdeed", [*MISDEEDS, "says no, and not why"])
def test_issuing_goes_on_with_the_last_good_key_and_says_so(
    issuer: Issuer, capsys: pytest.CaptureFixture[str], misdeed: str
) -> None:
    """The same keyId as before, at once, and a metric for the failure and the value's age."""
    good = issuer.post()
    issuer.grow_old()
    issuer.extension.misdeed = MISDEEDS.get(misdeed, lambda _path: WITHOUT_REASON)
    capsys.readouterr()
    answer = issuer.post()
    assert (answer.status, answer.body["keyId"]) == (200, good.body["keyId"])
    *failures, _issued = metrics(capsys.readouterr().out)
    names = {failure["name"] for failure in failures}
    assert names == {NAMES.caller("backend"), NAMES.settings(APP), NAMES.report_token}
    assert {failure["StoreFailures"] for failure in failures} == {1}
    assert min(failure["CacheAge"] for failure in failures) >= caches.REFRESH_SECONDS


@pytest.mark.parametrize("value", BROKEN_SECRETS)
def test_a_broken_key_never_takes_the_place_of_a_good_one(
    issuer: Issuer, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    """What an operator broke goes on signing with the key before it, and says so."""
    good = issuer.post()
    issuer.grow_old()
    issuer.extension.misdeed = secret_of(value)
    capsys.readouterr()
    assert issuer.post().body["keyId"] == good.body["keyId"]
    assert [line["name"] for line in metrics(capsys.readouterr().out)[:-1]] == [
        NAMES.key(APP),
        NAMES.report_token,
    ]


def test_a_hanging_store_holds_nobody_up_for_long(
    issuer: Issuer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three values are due: each is waited for once, for the stated bound; then all is said."""
    good = issuer.post()
    issuer.grow_old()
    opened = threading.Event()

    def hang(_path: str) -> None:
        opened.wait(30)

    issuer.extension.misdeed = hang
    began = time.monotonic()
    assert issuer.post().body["keyId"] == good.body["keyId"]
    assert time.monotonic() - began < 3 * caches.WAIT_SECONDS + 1.0
    told = ""
    until = time.monotonic() + 10
    while told.count("StoreFailures") < 3 and time.monotonic() < until:
        told += capsys.readouterr().out
        opened.wait(0.01)
    opened.set()
    assert {line["reason"] for line in metrics(told) if "StoreFailures" in line} == {"TimeoutError"}


@pytest.mark.parametrize("misdeed", MISDEEDS)
def test_a_cold_start_without_a_store_is_a_503(issuer: Issuer, misdeed: str) -> None:
    """It says when to come back, and nothing of the cause."""
    issuer.extension.misdeed = MISDEEDS[misdeed]
    answer = issuer.post()
    assert (answer.status, answer.code) == (503, "store-unavailable")
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("misdeed", MISDEEDS)
def test_a_cold_start_without_a_key_is_a_503(issuer: Issuer, misdeed: str) -> None:
    """Callers and settings are there, the key is not."""
    bad = MISDEEDS[misdeed]
    issuer.extension.misdeed = lambda path: bad(path) if "secrets" in path else None
    answer = issuer.post()
    assert (answer.status, answer.code) == (503, "store-unavailable")
    assert answer.headers["Retry-After"] == "5"


def test_a_cold_start_whose_store_says_no_and_not_why_is_a_503(issuer: Issuer) -> None:
    """Nobody is told that his API key is wrong; once the store gave one thing, strangers are."""
    issuer.extension.misdeed = lambda _path: WITHOUT_REASON
    answer = issuer.post()
    assert (answer.status, answer.code) == (503, "store-unavailable")
    assert answer.headers["Retry-After"] == "5"
    issuer.extension.missing = WITHOUT_REASON
    issuer.extension.misdeed = lambda _path: None
    issuer.grow_old(caches.RETRY_SECONDS)
    assert issuer.post().status == 200
    assert issuer.post("rg_stranger_" + "b" * 43).code == "api-key-invalid"


@pytest.mark.parametrize("value", BROKEN_SECRETS)
def test_a_cold_start_with_a_broken_key_is_a_503(
    issuer: Issuer, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    """It is counted by its reason, which an alarm watches."""
    issuer.extension.misdeed = secret_of(value)
    answer = issuer.post()
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (
        503,
        "no-signing-key",
        "5",
    )
    refused = metrics(capsys.readouterr().out)[-1]
    assert (refused["TicketsRefused"], refused["reason"]) == (1, "no-signing-key")
    (block,) = refused["_aws"]["CloudWatchMetrics"]
    assert block["Dimensions"] == [["stack", "function"], ["stack", "function", "reason"]]


def test_a_cold_start_with_a_hanging_store_is_a_503(issuer: Issuer) -> None:
    """Within the store's own time-out, not the function's."""
    opened = threading.Event()

    def hang(_path: str) -> None:
        opened.wait(30)

    issuer.extension.misdeed = hang
    began = time.monotonic()
    assert (issuer.post().status, issuer.post().code) == (503, "store-unavailable")
    assert time.monotonic() - began < 3
    opened.set()


def test_the_last_good_key_has_an_end_that_operators_choose(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day by default; with --key-stale-hours, so many hours."""
    monkeypatch.setenv("ROOMGATE_KEY_STALE_HOURS", "2")
    bounded = Issuer(Function(load_app("issuer")), issuer.extension)
    for each, hours in ((bounded, 2), (issuer, 24)):
        assert each.post().status == 200
        # Callers serve: only the key is out of reach.
        issuer.extension.misdeed = lambda path: (500, "") if "secretsmanager" in path else None
        each.grow_old((hours - 0.1) * 3600)
        assert each.post().status == 200
        each.grow_old(0.2 * 3600)
        assert each.post().code == "store-unavailable"
        issuer.extension.misdeed = lambda _path: None


def test_it_recovers_by_itself(issuer: Issuer) -> None:
    """Once the store answers again, the pause after a failure is all there is to wait for."""
    issuer.extension.misdeed = MISDEEDS["refuses"]
    assert issuer.post().status == 503
    issuer.extension.misdeed = lambda _path: None
    issuer.grow_old(caches.RETRY_SECONDS)
    assert issuer.post().status == 200


def test_a_new_key_signs_within_the_bound(issuer: Issuer) -> None:
    """Without a deploy, and without a call that fails."""
    before = issuer.post().body["keyId"]
    put_key(issuer.extension)
    assert issuer.post().body["keyId"] == before
    issuer.grow_old()
    assert issuer.post().body["keyId"] != before


def test_a_ticket_of_an_unknown_key_has_the_keys_read_once_an_interval(issuer: Issuer) -> None:
    """One that was signed with a key newer than ours is known at once; junk costs no more reads."""
    body = {"sdkAppId": APP, "ticket": issuer.post().body["userSig"]}
    headers = {"Authorization": f"Bearer {API_KEY}"}

    def key_id(ticket: str) -> str | None:
        raw = json.dumps(body | {"ticket": ticket}).encode()
        answer = issuer.function.call("POST", "/v1/inspections", body=raw, headers=headers)
        found: str | None = answer.body["keyId"]
        return found

    assert key_id(body["ticket"])
    key = {"algorithm": "HMAC-SHA256", "key": new_secret()}
    newer = load_key(key["algorithm"], key["key"])
    ticket = issue_user_sig(newer, sdk_app_id=APP, user_id="a", now=int(time.time()), ttl=60)
    assert key_id(ticket) is None
    issuer.extension.secrets[NAMES.key(APP), "AWSCURRENT"] = json.dumps(key)
    for entry in issuer.function.module.applications._current._entries.values():
        entry.asked_at -= caches.RENEW_SECONDS
    assert key_id(ticket) == newer.key_id
    before = issuer.extension.asked.total()
    other = load_key("HMAC-SHA256", new_secret())
    for user in "bcdefghijk":
        junk = issue_user_sig(other, sdk_app_id=APP, user_id=user, now=int(time.time()), ttl=60)
        assert key_id(junk) is None
    assert issuer.extension.asked.total() == before


def test_an_application_that_is_added_is_served_at_once(issuer: Issuer) -> None:
    """No restart; only one that was asked for in vain has to wait a moment."""
    issuer.post()
    del issuer.extension.parameters[NAMES.settings(APP)]
    issuer.grow_old()
    assert issuer.post().code == "unknown-application"
    issuer.extension.parameters[NAMES.settings(APP)] = Settings().to_json()
    issuer.grow_old(caches.MISSING_SECONDS)
    assert issuer.post().status == 200


@pytest.mark.parametrize(
    ("change", "place"), [({"ends": "soon"}, "/ends must be"), ({"actions": "issue"}, "/actions")]
)
def test_a_caller_that_is_stored_wrong_is_a_503_that_says_where(
    issuer: Issuer, capsys: pytest.CaptureFixture[str], change: dict[str, str], place: str
) -> None:
    """A stored value that is not as Roomgate writes it is the operator's fault, told to them."""
    name = NAMES.caller("backend")
    stored = json.loads(issuer.extension.parameters[name])
    issuer.extension.parameters[name] = json.dumps(stored | change)
    answer = issuer.post()
    assert (answer.status, answer.code) == (503, "store-unavailable")
    (failure,) = [line for line in metrics(capsys.readouterr().out) if "StoreFailures" in line]
    assert f"not a caller: {place}" in json.dumps(failure)
    assert name in json.dumps(failure)


@pytest.mark.parametrize("missing", [WITH_REASON, WITHOUT_REASON])
def test_a_revoked_caller_stops_within_the_bound(
    issuer: Issuer, capsys: pytest.CaptureFixture[str], missing: Misdone
) -> None:
    """The bound that the README states, however the store speaks of what is not there."""
    assert issuer.post().status == 200
    issuer.extension.missing = missing
    name = NAMES.caller("backend")
    caller = Caller.from_json(issuer.extension.parameters[name])
    issuer.extension.parameters[name] = caller.revoked(int(time.time())).to_json()
    assert issuer.post().status == 200
    issuer.grow_old(caches.REFRESH_SECONDS)
    capsys.readouterr()
    answer = issuer.post()
    assert (answer.status, answer.code) == (401, "api-key-invalid")
    assert "StoreFailures" not in capsys.readouterr().out


def test_a_candidate_that_was_dropped_is_shown_no_more(
    issuer: Issuer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor does a store that does not say why it is gone set the alarm off."""
    issuer.extension.missing = WITHOUT_REASON
    put_key(issuer.extension, "NEXT")
    assert issuer.states() == ["current", "candidate"]
    del issuer.extension.secrets[NAMES.key(APP), "NEXT"]
    issuer.grow_old()
    capsys.readouterr()
    assert issuer.states() == ["current"]
    assert "StoreFailures" not in capsys.readouterr().out


def test_the_age_of_a_key_is_told_when_it_is_read(
    issuer: Issuer, capsys: pytest.CaptureFixture[str]
) -> None:
    """KeyAge, in seconds, since the version was made; warm calls tell their tickets only."""
    for _ in range(2):
        issuer.post()
    key, first, second = metrics(capsys.readouterr().out)
    assert key["event"] == "key"
    assert key["stack"] == STACK
    assert 0 <= time.time() - NOW - key["KeyAge"] < 60
    (block,) = key["_aws"]["CloudWatchMetrics"]
    assert block["Metrics"] == [{"Name": "KeyAge", "Unit": "Seconds"}]
    assert [first["TicketsIssued"], second["TicketsIssued"]] == [2, 2]
    assert key["keyId"] == first["keyId"]
