from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.auth.api_keys import Callers
from chalicelib.auth.caller import Caller
from chalicelib.errors import ApiError
from chalicelib.stores.names import Names
from tests.support.stores import MemoryStore

if TYPE_CHECKING:
    from chalicelib.stores.store import StoreError

NAMES = Names("roomgate")
UNKNOWN = "Bearer rg_nobody_" + "x" * 43


@pytest.fixture
def store() -> MemoryStore:
    """A store with one caller."""
    store = MemoryStore()
    store.parameters[NAMES.caller("backend")] = Caller("backend", ()).to_json()
    return store


def test_preloading_reads_each_caller_once(store: MemoryStore) -> None:
    """The callers that INIT read are not read again by their first calls."""
    callers = Callers(store, NAMES)
    callers.preload()
    with pytest.raises(ApiError):
        callers.authenticate("Bearer rg_backend_" + "x" * 43, 0)
    assert store.asked == {NAMES.callers: 1, NAMES.caller("backend"): 1}


def test_callers_are_loaded_once_the_store_has_answered(store: MemoryStore) -> None:
    """It is an answer, too, that there is no such caller."""
    callers = Callers(store, NAMES)
    assert not callers.loaded()
    with pytest.raises(ApiError, match="api-key-invalid"):
        callers.authenticate(UNKNOWN, 0)
    assert callers.loaded()


def test_a_store_that_is_down_leaves_them_unloaded(store: MemoryStore) -> None:
    """INIT goes on without the store, and tells of it; nothing says ready."""
    store.down = True
    told: list[StoreError] = []
    callers = Callers(store, NAMES, told.append)
    callers.preload()
    with pytest.raises(ApiError, match="store-unavailable"):
        callers.authenticate(UNKNOWN, 0)
    assert not callers.loaded()
    assert [error.name for error in told] == [NAMES.callers, NAMES.caller("nobody")]
