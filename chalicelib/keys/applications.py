"""Applications: settings from SSM, signing keys from Secrets Manager, both cached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.keys.material import KeyReader
from chalicelib.stores.cache import STALE_SECONDS, RefreshingCache
from chalicelib.stores.settings import Settings
from chalicelib.stores.store import (
    NotInStore,
    PerhapsNotInStore,
    StoreDown,
    StoreError,
    UnusableKey,
)
from chalicelib.stores.stored import BadStoredValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.stores.names import Names
    from chalicelib.stores.store import Store
    from chalicelib.tickets import SigningKey

__all__ = ["Application", "Applications", "StatedKey", "UnusableKey"]

MOST_PRELOADED = 50
# What else than the current key there may be, as it is shown, by the label that says so. In this
# order: of versions that hold the same key only the first is shown, since a rotation copies its
# candidate to a pending version, and makes that the current one.
OTHERS: Final = {"previous": "AWSPREVIOUS", "pending": "AWSPENDING", "candidate": "NEXT"}


class Application(NamedTuple):
    """An application as issuing needs it: its settings and the key that signs now.

    Attributes:
        settings: what an operator decided.
        key: signs.
        since: unix time in seconds at which this version of its secret was made, or None.
    """

    settings: Settings
    key: SigningKey
    since: int | None = None


class StatedKey(NamedTuple):
    """A key of an application.

    Attributes:
        state: ``current`` (signs), ``previous`` (verifies), ``pending`` (in rotation) or
            ``candidate`` (waits for one).
        key: itself; it shows nothing but its id.
        since: unix time in seconds at which this version of the secret was made, or None. A
            rollback makes no new version, so it does not change this.
    """

    state: str
    key: SigningKey
    since: int | None

    @property
    def key_id(self) -> str:
        """Names the key."""
        return self.key.key_id

    @property
    def algorithm(self) -> str:
        """The key's algorithm."""
        return self.key.algorithm

    @property
    def public_key(self) -> str | None:
        """The public half as PEM; None for a key that has none (HMAC)."""
        return getattr(self.key, "public_pem", None)


class Applications:
    """The applications of one stack, read on first use and kept fresh.

    Args:
        store: where they are read from.
        names: what they are called there.
        on_failure: told of each failed read.
        on_load: told of each current key that was read, by its sdkAppId.
        stale: seconds that a key goes on signing after it was last read, with the store down.
    """

    def __init__(
        self,
        store: Store,
        names: Names,
        on_failure: Callable[[StoreError], None] = lambda _error: None,
        on_load: Callable[[int, Application], None] = lambda _app, _application: None,
        stale: float = STALE_SECONDS,
    ) -> None:
        self._store = store
        self.names = names
        self._on_failure = on_failure
        self._on_load = on_load
        self._reader = KeyReader()
        self._current = RefreshingCache(self._load, on_failure=on_failure, stale=stale)
        self._others = RefreshingCache(self._load_other, on_failure=on_failure, stale=stale)
        self._signed: dict[str, str] = {}

    def get(self, sdk_app_id: int) -> Application:
        """An application and the key that signs for it now.

        Raises:
            NotInStore: no such application, or one without a key; ``name`` says which of the two is
            missing.
            StoreDown: it can't be read now, or (UnusableKey) what is stored can't be used.
        """
        return self._current.get(str(sdk_app_id))

    def verifying_keys(self, sdk_app_id: int) -> list[SigningKey]:
        """The current key, then the previous one; raises what get raises."""
        current = self.get(sdk_app_id).key
        previous = self._other(sdk_app_id, "previous")
        return [current, previous.key] if previous else [current]

    def stated_keys(self, sdk_app_id: int) -> list[StatedKey]:
        """Every key of an application that can be used, the current one first.

        Raises:
            NotInStore: as for get.
            StoreDown: likewise.
        """
        application = self.get(sdk_app_id)
        current = StatedKey("current", application.key, application.since)
        others = [self._other(sdk_app_id, state) for state in OTHERS]
        keys: dict[str, StatedKey] = {}
        for each in (current, *filter(None, others)):
            keys.setdefault(each.key.key_id, each)
        return list(keys.values())

    def renew(self, sdk_app_id: int) -> bool:
        """Have the next call read the verifying keys anew, where none of them fits a ticket.

        Returns:
            Whether it will: at most every cache.RENEW_SECONDS.
        """
        current = self._current.renew(str(sdk_app_id))
        return self._others.renew(_other_name(sdk_app_id, "previous")) or current

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

    def _other(self, sdk_app_id: int, state: str) -> StatedKey | None:
        try:
            return self._others.get(_other_name(sdk_app_id, state))
        except (NotInStore, UnusableKey):
            return None  # A broken key was logged; it must not hide the keys that can be used.

    def _load(self, sdk_app_id: str) -> Application:
        name = self.names.settings(int(sdk_app_id))
        try:
            settings = Settings.from_json(self._store.parameter(name))
        except BadStoredValue as error:
            raise UnusableKey(name, str(error)) from None
        secret_name = self.names.key(int(sdk_app_id))
        secret = self._store.secret(secret_name)
        key = self._reader.read(secret.value, secret_name)
        if key.algorithm not in settings.algorithms:
            raise UnusableKey(secret_name, f"{key.algorithm} is not allowed by the settings")
        if self._signed.get(sdk_app_id, key.key_id) != key.key_id:
            # Rotated, or rolled back: what was previous, or a candidate, is something else now.
            for state in OTHERS:
                self._others.expire(_other_name(int(sdk_app_id), state))
        self._signed[sdk_app_id] = key.key_id
        application = Application(settings, key, secret.created)
        self._on_load(int(sdk_app_id), application)
        return application

    def _load_other(self, other: str) -> StatedKey:
        sdk_app_id, state = other.split("/")
        name = self.names.key(int(sdk_app_id))
        try:
            secret = self._store.secret(name, OTHERS[state])
        except PerhapsNotInStore as error:
            if state == "previous":
                raise  # Once there is one, there always is.
            # A candidate comes and goes, and nothing signs or verifies with it: one that is gone
            # must not be shown for a day.
            raise NotInStore(error.name, error.reason) from None
        return StatedKey(state, self._reader.read(secret.value, name), secret.created)


def _other_name(sdk_app_id: int, state: str) -> str:
    return f"{sdk_app_id}/{state}"
