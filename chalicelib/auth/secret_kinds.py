"""Which secrets of a stack rotate, and how each kind of them does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.auth.token_rotation import TokenKeys
from chalicelib.keys.application_rotation import ApplicationKey
from chalicelib.keys.rotation import NotRotatable
from chalicelib.stores.settings import Settings
from chalicelib.stores.store import UnusableKey
from chalicelib.stores.stored import BadStoredValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.keys.material import KeyReader
    from chalicelib.keys.rotation import SecretKind
    from chalicelib.stores.names import Names
    from chalicelib.stores.store import Store


class SecretKinds:
    """The kinds of a stack's secrets.

    Args:
        store: of settings.
        names: of the stack.
        reader: of keys.
        clock: unix time in seconds.
    """

    def __init__(
        self, store: Store, names: Names, reader: KeyReader, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._names = names
        self._reader = reader
        self._clock = clock

    def of(self, name: str) -> SecretKind:
        """The kind of a secret, by its name; raises NotRotatable for one that is not ours."""
        if name == self._names.report_token:
            return TokenKeys(name, self.longest_ttl, self._clock)
        application = name.removeprefix(self._names.key_prefix)
        if application == name or not (application.isascii() and application.isdecimal()):
            raise NotRotatable(name, "not a secret of this stack that rotates")
        sdk_app_id = int(application)
        return ApplicationKey(name, sdk_app_id, lambda: self.settings(sdk_app_id), self._reader)

    def settings(self, sdk_app_id: int) -> Settings:
        """An application's settings; raises StoreError."""
        name = self._names.settings(sdk_app_id)
        try:
            return Settings.from_json(self._store.parameter(name))
        except BadStoredValue as error:
            raise UnusableKey(name, str(error)) from None

    def longest_ttl(self) -> int:
        """How long a report token may live, in seconds: as long as any privateMapKey.

        Raises:
            StoreError: the settings can't be read; what is broken in there issues nothing.
        """
        longest = Settings().private_map_key_ttl.most
        for parameter in self._store.parameter_names(self._names.applications):
            sdk_app_id = parameter.rpartition("/")[2]
            try:
                found = self.settings(int(sdk_app_id)).private_map_key_ttl.most
            except (UnusableKey, ValueError):
                continue
            longest = max(longest, found)
        return longest
