"""How many members the rooms of an application may have: one number of its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.stores.cache import RefreshingCache
from chalicelib.stores.settings import Settings
from chalicelib.stores.store import StoreDown, StoreError
from chalicelib.stores.stored import BadStoredValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.stores.names import Names
    from chalicelib.stores.store import Store


class RoomLimits:
    """The largest rooms of the applications of one stack, read on first use and kept fresh.

    Args:
        store: of settings.
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
        self._names = names
        self._sizes = RefreshingCache(self._load, on_failure=on_failure)

    def of(self, sdk_app_id: int) -> int:
        """Most members of a room; what applies by default where the settings can't be read.

        A report must not be lost because settings are.
        """
        try:
            return self._sizes.get(self._names.settings(sdk_app_id))
        except StoreError:
            return Settings().largest_room

    def _load(self, name: str) -> int:
        text = self._store.parameter(name)
        try:
            return Settings.from_json(text).largest_room
        except BadStoredValue as error:
            raise StoreDown(name, str(error)) from None
