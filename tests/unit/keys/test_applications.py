from __future__ import annotations

import json

import pytest

from chalicelib.entries.applications import application_of
from chalicelib.keys.applications import Applications, UnusableKey
from chalicelib.keys.names import Names
from chalicelib.keys.settings import Bounds, Settings
from chalicelib.keys.store import NotInStore, Secret, StoreDown, StoreError
from chalicelib.refusal import Refusal
from tests.support.keys import new_secret, pem_of_new_key
from tests.support.stores import MemoryStore

APP = 1400000001
NAMES = Names("roomgate")


def put_key(store: MemoryStore, text: str, stage: str = "AWSCURRENT", **changes: str) -> None:
    value = {"algorithm": "HMAC-SHA256", "key": text} | changes
    store.secrets[NAMES.key(APP), stage] = Secret(json.dumps(value), stage)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.parameters[NAMES.settings(APP)] = Settings().to_json()
    put_key(store, new_secret())
    return store


@pytest.fixture
def applications(store: MemoryStore) -> Applications:
    return Applications(store, NAMES)


def test_an_application_has_settings_and_a_key(applications: Applications) -> None:
    """Both come from their stores, once."""
    application = applications.get(APP)
    assert application.settings == Settings()
    assert application.key.algorithm == "HMAC-SHA256"


def test_settings_survive_their_parameter() -> None:
    """What an operator writes is what the functions read."""
    settings = Settings(("HMAC-SHA256",), Bounds(1, 2, 3), Bounds(4, 5, 6), 7)
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize("changed", [{"least": 0}, {"least": 9}, {"default": 9}, {"most": "x"}])
def test_bounds_that_make_no_sense_are_refused(changed: dict[str, object]) -> None:
    """least <= default <= most, all of them seconds."""
    value = json.loads(Settings().to_json())
    value["userSigTtl"] = {"least": 1, "default": 2, "most": 3} | changed
    with pytest.raises(ValueError, match=r"bounds|invalid literal"):
        Settings.from_json(json.dumps(value))


def test_the_previous_key_still_verifies(applications: Applications, store: MemoryStore) -> None:
    """Current first, then previous; without a previous one, the current alone."""
    assert applications.previous_key(APP) is None
    put_key(store, pem_of_new_key(), "AWSPREVIOUS", algorithm="ECDSA-SHA256")
    assert [k.algorithm for k in Applications(store, NAMES).verifying_keys(APP)] == [
        "HMAC-SHA256",
        "ECDSA-SHA256",
    ]


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("too short", {}),
        (new_secret(), {"algorithm": "ECDSA-SHA256"}),
        (new_secret(), {"algorithm": "none"}),
        (pem_of_new_key(), {}),
    ],
)
def test_a_key_that_cannot_be_used_is_told_apart(
    applications: Applications, store: MemoryStore, text: str, changes: dict[str, str]
) -> None:
    """A broken key is a 503 of its own, and its text shows nowhere."""
    put_key(store, text, **changes)
    with pytest.raises(UnusableKey) as caught:
        applications.get(APP)
    assert text not in str(caught.value)
    with pytest.raises(Refusal) as refused:
        application_of(applications, APP)
    assert (refused.value.code, refused.value.retry_after) == ("no-signing-key", 5)


def test_a_secret_that_is_no_json_is_told_apart(
    applications: Applications, store: MemoryStore
) -> None:
    """Garbage where a key should be is no key."""
    for value in ("", "[]", "7", '{"key": "x"}'):
        store.secrets[NAMES.key(APP), "AWSCURRENT"] = Secret(value, "v")
        with pytest.raises(UnusableKey):
            Applications(store, NAMES).get(APP)
    assert applications


def test_the_settings_decide_which_algorithms_sign(store: MemoryStore) -> None:
    """A key of an algorithm that the settings don't allow does not sign."""
    store.parameters[NAMES.settings(APP)] = Settings(("ECDSA-SHA256",)).to_json()
    with pytest.raises(UnusableKey, match="not allowed"):
        Applications(store, NAMES).get(APP)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"algorithms": []}'])
def test_broken_settings_are_told_apart(store: MemoryStore, text: str) -> None:
    """Garbage settings never become defaults."""
    store.parameters[NAMES.settings(APP)] = text
    with pytest.raises(UnusableKey, match="settings"):
        Applications(store, NAMES).get(APP)


def test_what_is_missing_is_said(applications: Applications, store: MemoryStore) -> None:
    """An unknown application is a 404, one without a key a 503, a store that is down another."""
    with pytest.raises(NotInStore):
        applications.get(7)
    codes = []
    for app in (7, APP):
        del store.secrets[NAMES.key(APP), "AWSCURRENT"]
        with pytest.raises(Refusal) as caught:
            application_of(Applications(store, NAMES), app)
        codes.append(caught.value.code)
        put_key(store, new_secret())
    store.down = True
    with pytest.raises(Refusal) as caught:
        application_of(Applications(store, NAMES), APP)
    assert [*codes, caught.value.code] == [
        "unknown-application",
        "no-signing-key",
        "store-unavailable",
    ]


def test_preloading_reads_what_is_listed(store: MemoryStore) -> None:
    """After INIT the first call asks the store for nothing; one without a key is left to it."""
    store.parameters[NAMES.settings(APP + 1)] = Settings().to_json()
    applications = Applications(store, NAMES)
    applications.preload()
    asked = store.asked.total()
    applications.get(APP)
    assert store.asked.total() == asked
    with pytest.raises(NotInStore):
        applications.get(APP + 1)


def test_preloading_gives_up_where_the_store_is_down(store: MemoryStore) -> None:
    """INIT has ten seconds: one failure is told, and the rest is left to the first call."""
    told: list[StoreError] = []
    store.down = True
    Applications(store, NAMES, told.append).preload()
    assert [type(error) for error in told] == [StoreDown]
