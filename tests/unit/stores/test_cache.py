from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.stores.cache import (
    MISSING_SECONDS,
    OVERDUE_SECONDS,
    REFRESH_SECONDS,
    RENEW_SECONDS,
    RETRY_SECONDS,
    STALE_SECONDS,
    RefreshingCache,
)
from chalicelib.stores.store import NotInStore, PerhapsNotInStore, StoreDown, StoreError
from tests.support.stores import Clock, MemoryStore
from tests.support.waiting import until

NAME = "/roomgate/apps/1"


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.parameters[NAME] = "first"
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failures() -> list[StoreError]:
    return []


@pytest.fixture
def cache(store: MemoryStore, clock: Clock, failures: list[StoreError]) -> RefreshingCache[str]:
    return RefreshingCache(
        store.parameter, on_failure=failures.append, clock=clock, jitter=lambda: 0.0, wait=5.0
    )


def test_a_value_is_read_once_within_its_interval(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock
) -> None:
    """Calls between two refreshes cost no call to the store."""
    cache.get(NAME)
    clock.now += REFRESH_SECONDS - 0.1
    assert cache.get(NAME) == "first"
    assert store.asked[NAME] == 1


def test_a_new_value_is_seen_after_one_interval(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock
) -> None:
    """The call that finds the value due returns the new one."""
    cache.get(NAME)
    store.parameters[NAME] = "second"
    clock.now += REFRESH_SECONDS
    assert cache.get(NAME) == "second"


def test_jitter_only_shortens_the_interval(store: MemoryStore, clock: Clock) -> None:
    """The stated bound holds for every environment, whatever chance says."""
    cache = RefreshingCache(store.parameter, clock=clock, jitter=lambda: 1.0, wait=5.0)
    cache.get(NAME)
    store.parameters[NAME] = "second"
    clock.now += REFRESH_SECONDS * 0.8
    assert cache.get(NAME) == "second"


def test_a_slow_store_holds_a_refresh_up_no_longer_than_the_wait(
    store: MemoryStore, clock: Clock
) -> None:
    """With the store hanging, the old value serves; the new one is there once the store answers."""
    cache = RefreshingCache(store.parameter, clock=clock, wait=0.01)
    cache.get(NAME)
    store.parameters[NAME] = "second"
    clock.now += REFRESH_SECONDS
    store.open.clear()
    assert cache.get(NAME) == "first"
    store.open.set()
    until(lambda: cache.get(NAME) == "second")


def test_calls_wait_once_for_a_hanging_store(store: MemoryStore, clock: Clock) -> None:
    """Once a refresh has held calls up for its wait, those after it get the old value at once."""
    cache = RefreshingCache(store.parameter, clock=clock, wait=0.05)
    cache.get(NAME)
    clock.now += REFRESH_SECONDS
    store.open.clear()
    cache.get(NAME)
    began = time.monotonic()
    assert {cache.get(NAME) for _ in range(200)} == {"first"}
    assert time.monotonic() - began < 200 * 0.05 / 4
    store.open.set()
    until(lambda: cache._entries[NAME].flight is None)


@pytest.mark.parametrize("fell_still", ["between two refreshes", "in the middle of one"])
def test_a_value_that_nobody_asked_for_in_long_is_waited_for(
    store: MemoryStore, clock: Clock, fell_still: str
) -> None:
    """An environment that stood still does not go by what was true hours ago."""
    cache = RefreshingCache(store.parameter, clock=clock, wait=0.01, overdue_wait=30.0)
    cache.get(NAME)
    store.open.clear()
    if fell_still == "in the middle of one":
        clock.now += REFRESH_SECONDS
        assert cache.get(NAME) == "first"
    clock.now += OVERDUE_SECONDS + 1
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(cache.get, NAME)
        until(lambda: cache._entries[NAME].asked_at == clock.now)
        store.parameters[NAME] = "second"
        store.open.set()
        assert call.result() == "second"
    assert store.asked[NAME] == 2


def test_while_the_store_hangs_only_the_first_call_waits_for_what_is_overdue(
    store: MemoryStore, clock: Clock
) -> None:
    """Those after it go on with the last good value, as ever."""
    cache = RefreshingCache(store.parameter, clock=clock, wait=0.01, overdue_wait=0.2)
    cache.get(NAME)
    clock.now += OVERDUE_SECONDS + 1
    store.open.clear()
    began = time.monotonic()
    assert cache.get(NAME) == "first"
    first = time.monotonic() - began
    assert {cache.get(NAME) for _ in range(100)} == {"first"}
    assert first >= 0.2
    assert time.monotonic() - began - first < 100 * 0.2 / 4
    store.open.set()
    until(lambda: cache._entries[NAME].flight is None)


def test_only_one_refresh_is_under_way(store: MemoryStore, clock: Clock) -> None:
    """Twenty calls that find a value due ask the store once."""
    cache = RefreshingCache(store.parameter, clock=clock, wait=5.0)
    cache.get(NAME)
    clock.now += REFRESH_SECONDS
    store.open.clear()
    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(cache.get, NAME) for _ in range(20)]
        store.open.set()
        assert {call.result() for call in calls} == {"first"}
    assert store.asked[NAME] == 2


def test_the_last_good_value_serves_while_the_store_is_down(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock, failures: list[StoreError]
) -> None:
    """A failed refresh is told, and tried again only after its pause."""
    cache.get(NAME)
    store.down = True
    clock.now += REFRESH_SECONDS
    assert cache.get(NAME) == "first"
    assert cache.get(NAME) == "first"
    assert [type(failure) for failure in failures] == [StoreDown]
    clock.now += RETRY_SECONDS
    cache.get(NAME)
    assert len(failures) == 2


def test_the_last_good_value_has_an_end(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock
) -> None:
    """A value older than the stale bound is refused, not served."""
    cache.get(NAME)
    store.down = True
    clock.now += STALE_SECONDS + 1
    with pytest.raises(StoreDown):
        cache.get(NAME)
    assert not cache.loaded(NAME)


def test_what_the_store_lacks_is_remembered_for_a_while(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock
) -> None:
    """Asking for an unknown name again costs no call; it is found soon after it is made."""
    for _ in range(3):
        with pytest.raises(NotInStore):
            cache.get("/roomgate/apps/2")
    assert store.asked["/roomgate/apps/2"] == 1
    store.parameters["/roomgate/apps/2"] = "made"
    clock.now += MISSING_SECONDS
    assert cache.get("/roomgate/apps/2") == "made"


def test_what_was_deleted_stops(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock
) -> None:
    """A deleted value does not live on as the last good one."""
    cache.get(NAME)
    del store.parameters[NAME]
    clock.now += REFRESH_SECONDS
    with pytest.raises(NotInStore):
        cache.get(NAME)


def test_a_failure_says_how_old_the_value_is_that_serves(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock, failures: list[StoreError]
) -> None:
    """Its age, in seconds, or None where nothing was ever read."""
    cache.get(NAME)
    store.down = True
    clock.now += REFRESH_SECONDS + 7
    cache.get(NAME)
    with pytest.raises(StoreDown):
        cache.get("/roomgate/apps/2")
    assert [failure.age for failure in failures] == [REFRESH_SECONDS + 7, None]


def test_what_no_load_foresaw_is_a_store_that_is_down(
    clock: Clock, failures: list[StoreError]
) -> None:
    """An odd failure is told by its type, never by its text, and takes no value away."""
    told = ["first"]

    def load(_name: str) -> str:
        if not told:
            raise ZeroDivisionError("plainly a secret")
        return told.pop()

    cache = RefreshingCache(load, on_failure=failures.append, clock=clock, wait=5.0)
    cache.get(NAME)
    clock.now += REFRESH_SECONDS
    assert cache.get(NAME) == "first"
    assert [(type(each), each.reason) for each in failures] == [(StoreDown, "ZeroDivisionError")]


def test_what_does_not_fit_is_asked_for_anew_but_not_at_will(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock
) -> None:
    """However often a value does not fit, the store is asked once an interval."""
    assert cache.renew(NAME)
    cache.get(NAME)
    store.parameters[NAME] = "second"
    assert not cache.renew(NAME)
    clock.now += RENEW_SECONDS
    assert cache.renew(NAME)
    assert cache.get(NAME) == "second"
    for _ in range(100):
        clock.now += RENEW_SECONDS / 100.1
        cache.renew(NAME)
        cache.get(NAME)
    assert store.asked[NAME] == 2


def test_what_is_missing_is_asked_for_anew_too(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock
) -> None:
    """There may be a previous key by now."""
    with pytest.raises(NotInStore):
        cache.get("/roomgate/apps/2")
    store.parameters["/roomgate/apps/2"] = "made"
    clock.now += RENEW_SECONDS
    assert cache.renew("/roomgate/apps/2")
    assert cache.get("/roomgate/apps/2") == "made"


def test_a_cold_cache_says_that_the_store_is_down(
    cache: RefreshingCache[str], store: MemoryStore
) -> None:
    """Without a last good value there is an error, and none is made up."""
    store.down = True
    with pytest.raises(StoreDown):
        cache.get(NAME)


def test_what_is_known_to_have_changed_is_read_anew(
    cache: RefreshingCache[str], store: MemoryStore
) -> None:
    """However young it is; and also where the store had nothing a moment ago."""
    for name in (NAME, "/roomgate/apps/2"):
        with contextlib.suppress(NotInStore):
            cache.get(name)
        store.parameters[name] = "changed"
        cache.expire(name)
        assert cache.get(name) == "changed"
    cache.expire("/roomgate/apps/3")
    assert cache.age("/roomgate/apps/3") is None


def test_loaded_and_age_ask_no_store(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock
) -> None:
    """Readiness and metrics read memory only."""
    assert (cache.loaded(NAME), cache.age(NAME)) == (False, None)
    assert store.asked.total() == 0
    cache.get(NAME)
    clock.now += 7
    assert (cache.loaded(NAME), cache.age(NAME)) == (True, 7)


def test_what_is_known_says_whether_a_get_would_ask_for_a_stranger(
    cache: RefreshingCache[str], store: MemoryStore, clock: Clock
) -> None:
    """A value is known even when it is due, a no for as long as it is remembered."""
    assert not cache.knows(NAME)
    cache.get(NAME)
    with pytest.raises(NotInStore):
        cache.get("missing")
    assert cache.knows(NAME)
    assert cache.knows("missing")
    clock.now += max(REFRESH_SECONDS, MISSING_SECONDS)
    assert cache.knows(NAME)
    assert not cache.knows("missing")
    assert store.asked.total() == 2


def test_a_no_without_a_reason_does_not_take_a_value_away(
    store: MemoryStore, clock: Clock, failures: list[StoreError]
) -> None:
    """The extension says the same of a missing parameter and of a throttled store."""
    answers = iter(["first"])

    def load(name: str) -> str:
        for value in answers:
            return value
        raise PerhapsNotInStore(name, "no")

    cache = RefreshingCache(load, on_failure=failures.append, clock=clock, wait=5.0)
    assert cache.get(NAME) == "first"
    clock.now += REFRESH_SECONDS
    assert cache.get(NAME) == "first"
    assert [type(failure) for failure in failures] == [StoreDown]
    with pytest.raises(NotInStore):
        cache.get("/roomgate/apps/2")
    assert store.asked.total() == 0


def test_names_made_up_do_not_push_out_a_value_that_serves(
    store: MemoryStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the cache full, what the store does not have goes first."""
    monkeypatch.setattr("chalicelib.stores.cache.MOST", 3)
    cache = RefreshingCache(store.parameter, clock=clock, wait=5.0)
    cache.get(NAME)
    for number in range(10):
        with pytest.raises(NotInStore):
            cache.get(f"/made/up/{number}")
    assert cache.loaded(NAME)
    assert len(cache._entries) == 3
