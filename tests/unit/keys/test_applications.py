from __future__ import annotations

import json

import pytest

from chalicelib.entries.applications import application_of
from chalicelib.errors import ApiError
from chalicelib.keys import versions
from chalicelib.keys.applications import OTHERS, Application, Applications
from chalicelib.stores import cache as caches
from chalicelib.stores.cache import REFRESH_SECONDS, RENEW_SECONDS
from chalicelib.stores.names import Names
from chalicelib.stores.settings import Bounds, Settings
from chalicelib.stores.store import NotInStore, Secret, StoreDown, StoreError, UnusableKey
from tests.support.keys import new_secret, pem_of_new_key
from tests.support.stores import Clock, MemoryStore

APP = 1400000001
NAMES = Names("roomgate")


def put_key(store: MemoryStore, text: str, stage: str = "AWSCURRENT", **changes: str) -> str:
    value = {"algorithm": "HMAC-SHA256", "key": text} | changes
    made = len(store.secrets)
    store.secrets[NAMES.key(APP), stage] = Secret(json.dumps(value), stage, made)
    return text


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
    with pytest.raises(ValueError, match=r"not an application's settings: /userSigTtl"):
        Settings.from_json(json.dumps(value))


def test_the_previous_key_still_verifies(applications: Applications, store: MemoryStore) -> None:
    """Current first, then previous; without a previous one, the current alone."""
    assert len(applications.verifying_keys(APP)) == 1
    put_key(store, pem_of_new_key(), "AWSPREVIOUS", algorithm="ECDSA-SHA256")
    assert [k.algorithm for k in Applications(store, NAMES).verifying_keys(APP)] == [
        "HMAC-SHA256",
        "ECDSA-SHA256",
    ]


def test_each_key_is_shown_with_its_state_and_since_when(store: MemoryStore) -> None:
    """Current, previous, pending, candidate; the time is that of the version."""
    for state in reversed(OTHERS):
        put_key(store, new_secret(), OTHERS[state])
    stated = Applications(store, NAMES).stated_keys(APP)
    assert [(each.state, each.since) for each in stated] == [
        ("current", 0),
        ("previous", 3),
        ("pending", 2),
        ("candidate", 1),
    ]


def test_the_labels_are_those_that_rotation_moves() -> None:
    """What is shown here and what is moved there can't drift apart."""
    assert {"current": "AWSCURRENT", **OTHERS} == versions.STATES


def test_a_key_is_shown_once(store: MemoryStore) -> None:
    """In mid-rotation candidate and pending hold the same key, and after it the current one too."""
    text = put_key(store, new_secret(), "NEXT")
    put_key(store, text, "AWSPENDING")
    states = [each.state for each in Applications(store, NAMES).stated_keys(APP)]
    assert states == ["current", "pending"]
    put_key(store, text)
    states = [each.state for each in Applications(store, NAMES).stated_keys(APP)]
    assert states == ["current"]


def test_a_broken_candidate_hides_no_other_key(store: MemoryStore) -> None:
    """It is told, and left out: it has no keyId that could be shown."""
    told: list[StoreError] = []
    put_key(store, "too short", "NEXT")
    stated = Applications(store, NAMES, told.append).stated_keys(APP)
    assert [each.state for each in stated] == ["current"]
    assert [type(error) for error in told] == [UnusableKey]


def test_a_rotation_reaches_those_who_verify_at_once(store: MemoryStore) -> None:
    """A ticket of an unknown key has the keys read anew: the new one, and what was the old one."""
    applications = Applications(store, NAMES)
    clock = Clock()
    applications._current._clock = applications._others._clock = clock
    (before,) = applications.verifying_keys(APP)
    moved = store.secrets[NAMES.key(APP), "AWSCURRENT"]
    store.secrets[NAMES.key(APP), "AWSPREVIOUS"] = moved
    put_key(store, new_secret())
    assert not applications.renew(APP)
    clock.now += RENEW_SECONDS
    assert applications.renew(APP)
    current, previous = applications.verifying_keys(APP)
    assert (current.key_id != before.key_id, previous.key_id) == (True, before.key_id)
    assert not applications.renew(APP)


def test_another_algorithm_is_a_rotation_like_any_other(store: MemoryStore) -> None:
    """From ECDSA to HMAC and back: one refresh later the new key signs, the old one verifies."""
    put_key(store, pem_of_new_key(), algorithm="ECDSA-SHA256")
    applications = Applications(store, NAMES)
    clock = Clock()
    applications._current._clock = applications._others._clock = clock
    assert applications.get(APP).key.algorithm == "ECDSA-SHA256"
    moved = store.secrets[NAMES.key(APP), "AWSCURRENT"]
    store.secrets[NAMES.key(APP), "AWSPREVIOUS"] = moved
    put_key(store, new_secret())
    clock.now += REFRESH_SECONDS
    algorithms = [key.algorithm for key in applications.verifying_keys(APP)]
    assert algorithms == ["HMAC-SHA256", "ECDSA-SHA256"]


def test_each_key_that_is_read_is_told(store: MemoryStore) -> None:
    """For the metric of its age; a warm call tells nothing."""
    told: list[tuple[int, Application]] = []
    applications = Applications(store, NAMES, on_load=lambda *loaded: told.append(loaded))
    for _ in range(3):
        applications.get(APP)
    assert [(app, each.since) for app, each in told] == [(APP, 0)]


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
    with pytest.raises(ApiError) as refused:
        application_of(applications, APP)
    assert (refused.value.code, refused.value.retry_after) == ("no-signing-key", 5)


def test_a_secret_that_is_no_json_is_told_apart(
    applications: Applications, store: MemoryStore
) -> None:
    """Garbage where a key should be is no key."""
    kind = '"algorithm": "ECDSA-SHA256"'
    garbage = ["", "[]", "7", '{"key": "x"}', "[" * 30_000, f'{{{kind}, "key": 7}}']
    garbage += (f"{{{kind}}}", f'{{{kind}, "key": null}}', '{"algorithm": [], "key": "x"}')
    for value in garbage:
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


def test_the_key_before_is_known_as_soon_as_the_new_one_is(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though there was none a moment ago, which is remembered for a while."""
    monkeypatch.setattr(caches, "REFRESH_SECONDS", 0.0)
    applications = Applications(store, NAMES)
    old = applications.get(APP).key.key_id
    assert [key.key_id for key in applications.verifying_keys(APP)] == [old]
    store.secrets[NAMES.key(APP), "AWSPREVIOUS"] = store.secrets[NAMES.key(APP), "AWSCURRENT"]
    put_key(store, new_secret())
    new = applications.get(APP).key.key_id
    assert [key.key_id for key in applications.verifying_keys(APP)] == [new, old]


def test_what_is_missing_is_said(applications: Applications, store: MemoryStore) -> None:
    """An unknown application is a 404, one without a key a 503, a store that is down another."""
    with pytest.raises(NotInStore):
        applications.get(7)
    codes = []
    for app in (7, APP):
        del store.secrets[NAMES.key(APP), "AWSCURRENT"]
        with pytest.raises(ApiError) as caught:
            application_of(Applications(store, NAMES), app)
        codes.append(caught.value.code)
        put_key(store, new_secret())
    store.down = True
    with pytest.raises(ApiError) as caught:
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
