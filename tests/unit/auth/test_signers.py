from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING

import pytest

from chalicelib.auth.rate import UnknownIdLimit
from chalicelib.auth.signers import Signers
from chalicelib.errors import ApiError
from chalicelib.stores import cache
from chalicelib.stores.store import Secret
from chalicelib.stores.stored import BadStoredValue
from tests.support.stores import Clock, MemoryStore

if TYPE_CHECKING:
    from chalicelib.stores.store import StoreError

CURRENT = "AWSCURRENT"


@pytest.fixture
def store() -> MemoryStore:
    """A store with the secret of one signer."""
    store = MemoryStore()
    store.secrets["s/a", CURRENT] = Secret("old", "1")
    return store


@pytest.fixture
def clock() -> Clock:
    """Their clock."""
    return Clock()


def read(value: str) -> str:
    if value == "garbage":
        raise BadStoredValue("not a signer: /x is wrong")
    return value


@pytest.fixture
def signers(store: MemoryStore, clock: Clock) -> Signers[str]:
    return Signers(store, "s/", read, "signers", clock=clock)


def find(signers: Signers[str], signer: str, signature: str) -> str | None:
    return signers.find(signer, lambda secret: secret == signature)


def test_who_signed_is_found(signers: Signers[str], store: MemoryStore) -> None:
    """The secret is read once, not with every request."""
    assert [find(signers, "a", "old") for _ in range(3)] == ["old"] * 3
    assert store.asked == {"s/a": 1}


def test_a_signature_by_a_newer_secret_has_it_read(
    signers: Signers[str], store: MemoryStore, clock: Clock
) -> None:
    """A signer that changes over is not refused until the next refresh."""
    assert find(signers, "a", "old") == "old"
    store.secrets["s/a", CURRENT] = Secret("new", "2")
    clock.now += cache.RENEW_SECONDS
    assert find(signers, "a", "new") == "new"


def test_forged_signatures_of_a_known_signer_cost_few_reads(
    signers: Signers[str], store: MemoryStore, clock: Clock
) -> None:
    """One at most every RENEW_SECONDS, however many there are."""
    for _ in range(100):
        assert find(signers, "a", "forged") is None
        clock.now += cache.RENEW_SECONDS / 50
    assert store.asked["s/a"] <= 3
    assert find(signers, "a", "old") == "old"


def test_made_up_signers_cost_few_reads(signers: Signers[str], store: MemoryStore) -> None:
    """Each is a read; so at the rate of strangers, and a known one is served all the same."""
    assert find(signers, "a", "old") == "old"
    for number in range(1, UnknownIdLimit.BURST):
        assert find(signers, f"made-up-{number}", "x") is None
    for number in range(1000):
        with pytest.raises(ApiError, match="rate-limited") as caught:
            find(signers, f"another-{number}", "x")
        assert caught.value.retry_after == 1
    assert store.asked.total() == UnknownIdLimit.BURST
    assert find(signers, "a", "old") == "old"


def test_a_signer_that_is_not_there_is_remembered(
    signers: Signers[str], store: MemoryStore, clock: Clock
) -> None:
    """One that nobody set up uses up no other's reads, and is looked up again after a while."""
    for _ in range(1000):
        assert find(signers, "b", "x") is None
    assert store.asked == {"s/b": 1}
    store.secrets["s/b", CURRENT] = Secret("x", "1")
    clock.now += cache.MISSING_SECONDS
    assert find(signers, "b", "x") == "x"


def test_a_revoked_signer_stops(signers: Signers[str], store: MemoryStore, clock: Clock) -> None:
    """With the refresh that finds it gone."""
    assert find(signers, "a", "old") == "old"
    del store.secrets["s/a", CURRENT]
    clock.now += cache.REFRESH_SECONDS
    assert find(signers, "a", "old") is None


def test_an_environment_that_stood_still_waits_to_hear_of_a_revocation(
    signers: Signers[str], store: MemoryStore, clock: Clock
) -> None:
    """Longer than a refresh may hold a call up: else what was true hours ago would let it in."""
    assert find(signers, "a", "old") == "old"
    del store.secrets["s/a", CURRENT]
    store.open.clear()
    clock.now += cache.OVERDUE_SECONDS + 1
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(find, signers, "a", "old")
        asked = next(filter(None, (store.asked["s/a"] == 2 for _ in count())))
        patience = signers._signers._entries["a"].patience - time.monotonic()
        store.open.set()
        assert asked
        assert patience > cache.WAIT_SECONDS
        assert call.result() is None


def test_a_store_that_is_down_is_said_to_be(
    signers: Signers[str], store: MemoryStore, clock: Clock
) -> None:
    """A 503 for who is not known yet; a known one is served with the secret that was read."""
    assert find(signers, "a", "old") == "old"
    store.down = True
    clock.now += 2 * cache.REFRESH_SECONDS
    assert find(signers, "a", "old") == "old"
    assert find(signers, "a", "forged") is None
    with pytest.raises(ApiError, match="store-unavailable") as caught:
        find(signers, "b", "x")
    assert caught.value.retry_after


def test_garbage_in_the_store_is_told_and_not_shown(store: MemoryStore, clock: Clock) -> None:
    """It is a failed read, by the secret's name; its text stands nowhere."""
    store.secrets["s/a", CURRENT] = Secret("garbage", "1")
    told: list[StoreError] = []
    signers = Signers(store, "s/", read, "signers", told.append, clock=clock)
    with pytest.raises(ApiError, match="store-unavailable"):
        find(signers, "a", "x")
    assert [str(error) for error in told] == ["s/a: not a signer: /x is wrong"]
