from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.api.issuer import PUBLIC_KEY
from chalicelib.auth.caller import Caller
from chalicelib.entries import InspectionRequest, Inspector
from chalicelib.errors import ApiError
from chalicelib.keys.applications import Applications
from chalicelib.stores.names import Names
from chalicelib.stores.settings import Settings
from chalicelib.stores.store import Secret
from tests.support.keys import new_secret
from tests.support.stores import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

APP = 1400000001
NAMES = Names("roomgate")
CALLER = Caller("backend", (), actions=frozenset({"inspect"}))
ASKED: dict[str, Callable[[Inspector], Any]] = {
    "inspect": lambda inspector: inspector.inspect(CALLER, InspectionRequest("x", APP), 0),
    "keys": lambda inspector: inspector.keys(CALLER, APP),
}


@pytest.mark.parametrize("asked", ASKED)
def test_where_the_other_keys_can_not_be_read_there_is_no_half_answer(asked: str) -> None:
    """With the store down, a verdict by the current key alone could be wrong."""
    store = MemoryStore()
    store.parameters[NAMES.settings(APP)] = Settings().to_json()
    value = json.dumps({"algorithm": "HMAC-SHA256", "key": new_secret()})
    store.secrets[NAMES.key(APP), "AWSCURRENT"] = Secret(value, "v")
    applications = Applications(store, NAMES)
    applications.get(APP)
    store.down = True
    with pytest.raises(ApiError) as caught:
        ASKED[asked](Inspector(applications))
    assert (caught.value.code, caught.value.retry_after) == ("store-unavailable", 5)


def test_a_time_that_no_store_tells_is_left_out() -> None:
    """No ``since`` is made up."""
    store = MemoryStore()
    store.parameters[NAMES.settings(APP)] = Settings().to_json()
    value = json.dumps({"algorithm": "HMAC-SHA256", "key": new_secret()})
    store.secrets[NAMES.key(APP), "AWSCURRENT"] = Secret(value, "v")
    (key,) = Inspector(Applications(store, NAMES)).keys(CALLER, APP)
    assert sorted(PUBLIC_KEY.encode(key)) == ["algorithm", "keyId", "state"]


def test_a_request_never_shows_its_ticket() -> None:
    """Its repr leaves it out."""
    assert "eJyrVg" not in repr(InspectionRequest("eJyrVg", APP))
