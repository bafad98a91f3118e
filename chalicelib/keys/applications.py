"""Applications: settings from SSM, signing keys from Secrets Manager, both cached.

UnusableKey        (a StoreDown) the stored key or setting is not one that Roomgate can use
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.keys.cache import RefreshingCache
from chalicelib.keys.settings import Settings
from chalicelib.keys.store import NotInStore, StoreDown, StoreError
from chalicelib.tickets import BadKey, load_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.keys.names import Names
    from chalicelib.keys.store import Secret, Store
    from chalicelib.tickets import SigningKey


MOST_PRELOADED = 50


class UnusableKey(StoreDown):
    """The store answered with a broken key, a disallowed algorithm or broken settings."""


class Application(NamedTuple):
    """An application as issuing needs it: its settings and the key that signs now."""

    settings: Settings
    key: SigningKey


class Applications:
    """The applications of one stack, read on first use and kept fresh.

    Args:
        store: where they are read from.
        names: what they are called there.
        on_failure: told of each failed read.
    """

    def __init__(
        self,
        store: Store,
        names: Names,
        on_failure: Callable[[StoreError], None] = lambda _error: None,
    ) -> None:
        self._store = store
        self.names = names
        self._on_failure = on_failure
        self._current = RefreshingCache(self._load, on_failure=on_failure)
        self._previous = RefreshingCache(self._load_previous, on_failure=on_failure)

    def get(self, sdk_app_id: int) -> Application:
        """An application and the key that signs for it now.

        Raises:
            NotInStore: no such application, or one without a key; ``name`` says which of the two is
            missing.
            StoreDown: it can't be read now, or (UnusableKey) what is stored can't be used.
        """
        return self._current.get(str(sdk_app_id))

    def previous_key(self, sdk_app_id: int) -> SigningKey | None:
        """The key that signed before the current one (AWSPREVIOUS), or None; raises StoreDown."""
        try:
            return self._previous.get(str(sdk_app_id))
        except NotInStore:
            return None

    def verifying_keys(self, sdk_app_id: int) -> list[SigningKey]:
        """The current key, then the previous one; raises what get raises."""
        previous = self.previous_key(sdk_app_id)
        current = self.get(sdk_app_id).key
        return [current, previous] if previous else [current]

    def preload(self) -> None:
        """Read the applications that the store lists, so that INIT pays and not the first call.

        Stops at the first sign that the store is down: INIT has 10 seconds (AWS Lambda docs).
        """
        try:
            listed = self._store.parameter_names(self.names.applications)
        except StoreError as error:
            self._on_failure(error)
            return
        for name in listed[:MOST_PRELOADED]:
            try:
                self._current.get(name.rpartition("/")[2])
            except (NotInStore, UnusableKey):
                continue  # Its first call says so.
            except StoreDown:
                return

    def _load(self, sdk_app_id: str) -> Application:
        name = self.names.settings(int(sdk_app_id))
        try:
            settings = Settings.from_json(self._store.parameter(name))
        except ValueError:
            raise UnusableKey(name, "not an application's settings") from None
        secret_name = self.names.key(int(sdk_app_id))
        key = _signing_key(self._store.secret(secret_name), secret_name)
        if key.algorithm not in settings.algorithms:
            raise UnusableKey(secret_name, f"{key.algorithm} is not allowed by the settings")
        return Application(settings, key)

    def _load_previous(self, sdk_app_id: str) -> SigningKey:
        name = self.names.key(int(sdk_app_id))
        return _signing_key(self._store.secret(name, "AWSPREVIOUS"), name)


def _signing_key(secret: Secret, name: str) -> SigningKey:
    try:
        value = json.loads(secret.value)
        return load_key(value["algorithm"], value["key"])
    except BadKey as error:
        raise UnusableKey(name, f"a key that can't be used: {error}") from None
    except (ValueError, KeyError, TypeError):
        raise UnusableKey(name, "not {algorithm, key}") from None
