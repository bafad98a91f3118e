from __future__ import annotations

import json

import pytest

from chalicelib.auth.api_keys import Callers
from chalicelib.auth.caller import Caller, hash_of
from chalicelib.auth.rate import RateLimits, UnknownIdLimit
from chalicelib.errors import ApiError
from chalicelib.stores.cache import REFRESH_SECONDS
from chalicelib.stores.names import Names
from tests.support.stores import Clock, MemoryStore

OLD = "rg_backend_" + "a" * 43
NEW = "rg_backend_" + "b" * 43
NOW = 1_600_000_000.0
CALLER = Caller("backend", (hash_of(OLD), hash_of(NEW)), ends=int(NOW) + 10, rate=2, burst=3)
NAMES = Names("roomgate")


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.parameters[NAMES.caller("backend")] = CALLER.to_json()
    return store


@pytest.fixture
def callers(store: MemoryStore) -> Callers:
    return Callers(store, NAMES)


def refused(callers: Callers, authorization: str | None, now: float = NOW) -> ApiError:
    with pytest.raises(ApiError) as caught:
        callers.authenticate(authorization, now)
    return caught.value


@pytest.mark.parametrize("key", [OLD, NEW])
def test_both_keys_of_a_change_over_count(callers: Callers, key: str) -> None:
    """A backend can change over without a moment in which neither key works."""
    assert callers.authenticate(f"Bearer {key}", NOW) == CALLER
    assert callers.authenticate(f"bearer  {key} ", NOW) == CALLER


def test_a_revoked_key_stops_within_the_stated_bound(callers: Callers, store: MemoryStore) -> None:
    """One key of two, then the caller: each for a refresh at most, as the README says."""
    clock = Clock(NOW)
    callers._callers._clock = clock
    callers.authenticate(f"Bearer {OLD}", NOW)
    store.parameters[NAMES.caller("backend")] = CALLER._replace(hashes=(hash_of(NEW),)).to_json()
    clock.now += REFRESH_SECONDS
    assert refused(callers, f"Bearer {OLD}").code == "api-key-invalid"
    callers.authenticate(f"Bearer {NEW}", NOW)
    del store.parameters[NAMES.caller("backend")]
    clock.now += REFRESH_SECONDS
    assert refused(callers, f"Bearer {NEW}").code == "api-key-invalid"


@pytest.mark.parametrize(
    "changes",
    [{"hashes": [7]}, {"users": 7}, {"rate": 0}, {"hashes": None}, {"more": 1}, {"rooms": None}],
)
def test_a_garbled_caller_is_a_store_that_is_down(
    callers: Callers, store: MemoryStore, changes: dict[str, object]
) -> None:
    """It opens no door, and is no fault of the one who calls."""
    name = NAMES.caller("backend")
    store.parameters[name] = json.dumps(json.loads(store.parameters[name]) | changes)
    assert refused(callers, f"Bearer {OLD}").code == "store-unavailable"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic abc", OLD])
def test_no_key_is_said_to_be_missing(callers: Callers, authorization: str | None) -> None:
    """Another scheme, or none, is told what to send."""
    assert refused(callers, authorization).code == "api-key-missing"


@pytest.mark.parametrize(
    "key",
    [
        "rg_backend_" + "c" * 43,
        "rg_nobody_" + "a" * 43,
        "rg_backend_" + "a" * 42,
        "rg_backend_" + "a" * 44,
        "rg__" + "a" * 43,
        "rg_../secret_" + "a" * 43,
        "x",
        "é" * 9,
    ],
)
def test_a_wrong_key_is_refused_without_saying_what_is_wrong_with_it(
    callers: Callers, key: str
) -> None:
    """An unknown caller and a wrong key look alike."""
    refusal = refused(callers, f"Bearer {key}")
    assert refusal.code == "api-key-invalid"
    assert key not in str(refusal)


def test_unknown_callers_with_well_formed_keys_look_like_wrong_keys(callers: Callers) -> None:
    """The text of both refusals is the same, so ids can't be guessed."""
    nobody = refused(callers, "Bearer rg_nobody_" + "a" * 43)
    wrong = refused(callers, "Bearer rg_backend_" + "c" * 43)
    assert nobody.detail == wrong.detail


def test_a_caller_ends_at_its_second(callers: Callers) -> None:
    """At its end, not after it, a caller is refused."""
    callers.authenticate(f"Bearer {OLD}", NOW + 9)
    assert refused(callers, f"Bearer {OLD}", NOW + 10).code == "api-key-ended"


def test_a_store_that_is_down_is_a_503_and_not_a_401(callers: Callers, store: MemoryStore) -> None:
    """A backend must not throw its key away because a store is down."""
    store.down = True
    refusal = refused(callers, f"Bearer {OLD}")
    assert (refusal.code, refusal.retry_after) == ("store-unavailable", 5)


def test_a_broken_record_lets_nobody_in(callers: Callers, store: MemoryStore) -> None:
    """Garbage in the store is no caller."""
    store.parameters[NAMES.caller("backend")] = '{"id": "backend"}'
    assert refused(callers, f"Bearer {OLD}").code == "store-unavailable"


def test_each_caller_has_its_rate(callers: Callers) -> None:
    """The burst goes at once, then the rate; the refusal says when to come back."""
    for _ in range(3):
        callers.authenticate(f"Bearer {OLD}", NOW)
    refusal = refused(callers, f"Bearer {OLD}")
    assert (refusal.code, refusal.retry_after) == ("rate-limited", 1)
    callers.authenticate(f"Bearer {OLD}", NOW + 0.5)
    assert refused(callers, f"Bearer {OLD}", NOW + 0.5).code == "rate-limited"


def test_a_wrong_key_costs_its_caller_nothing(callers: Callers) -> None:
    """Nobody can use up another's rate."""
    for _ in range(9):
        refused(callers, "Bearer rg_backend_" + "c" * 43)
    assert callers.authenticate(f"Bearer {OLD}", NOW) == CALLER


def test_a_clock_that_steps_back_gives_no_tokens(callers: Callers) -> None:
    """Time running backwards neither fills a bucket nor breaks it."""
    for step in range(3):
        callers.authenticate(f"Bearer {OLD}", NOW - step)
    assert refused(callers, f"Bearer {OLD}", NOW - 9).code == "rate-limited"


def test_made_up_callers_cost_few_reads(callers: Callers, store: MemoryStore) -> None:
    """Forged keys of ever new ids can't use the store's quota up; known callers don't notice."""
    callers.authenticate(f"Bearer {OLD}", NOW)
    codes = {refused(callers, f"Bearer rg_q{number}_" + "c" * 43).code for number in range(100)}
    assert codes == {"api-key-invalid", "rate-limited"}
    assert store.asked.total() <= UnknownIdLimit.BURST + 1
    assert callers.authenticate(f"Bearer {OLD}", NOW) == CALLER
    assert refused(callers, "Bearer rg_later_" + "c" * 43, NOW + 1).code == "api-key-invalid"


def test_a_refusal_by_rate_names_the_caller_to_the_log(callers: Callers) -> None:
    """An operator sees who is too fast; the answer does not say it."""
    for _ in range(3):
        callers.authenticate(f"Bearer {OLD}", NOW)
    assert refused(callers, f"Bearer {OLD}").facts == {"caller": "backend"}


def test_a_changed_rate_counts_at_once() -> None:
    """A caller whose rate an operator raises gets a new bucket."""
    rates = RateLimits()
    slow = CALLER._replace(rate=1, burst=1)
    rates.take(slow, NOW)
    with pytest.raises(ApiError):
        rates.take(slow, NOW)
    rates.take(CALLER, NOW)
