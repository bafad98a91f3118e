"""Those who sign what they send, and what their signatures are checked with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

from chalicelib.auth.api_keys import RETRY_SECONDS
from chalicelib.auth.rate import UnknownIdLimit
from chalicelib.errors import ApiError
from chalicelib.stores.cache import FIRST_WAIT_SECONDS, RefreshingCache
from chalicelib.stores.store import NotInStore, StoreDown, StoreError
from chalicelib.stores.stored import BadStoredValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.stores.store import Store

T = TypeVar("T")


class Signers(Generic[T]):
    """Secrets of signers, read on first use and kept fresh.

    The sender's id comes from the request before it is verified, so an attacker can make us look up
    any id. A missing id is remembered for cache.MISSING_SECONDS. Unknown ids are looked up at the
    rate of UnknownIdLimit. For a signature that does not fit, a known secret is read anew at most
    every cache.RENEW_SECONDS.

    One that is revoked stops as a caller does (api_keys.Callers).

    Args:
        store: where they are read from.
        prefix: of the secrets' names there; a signer's id follows.
        read: makes what the signature is checked with of a secret's value; raises
            BadStoredValue, whose text holds nothing of it.
        what: they are, in the plural.
        on_failure: told of each failed read.
        clock: unix time in seconds.
    """

    def __init__(
        self,
        store: Store,
        prefix: str,
        read: Callable[[str], T],
        what: str,
        on_failure: Callable[[StoreError], None] = lambda _error: None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._read = read
        self._what = what
        self._clock = clock
        self._signers = RefreshingCache(
            self._load, on_failure=on_failure, clock=clock, overdue_wait=FIRST_WAIT_SECONDS
        )
        self._strangers = UnknownIdLimit(what)

    def find(self, signer: str, fits: Callable[[T], bool]) -> T | None:
        """What is known of a signer, if the signature fits.

        Args:
            signer: the id that the request claims.
            fits: checks the signature with what is known of the signer.

        Returns:
            None if there is no such signer, or it did not sign this.

        Raises:
            ApiError: ``rate-limited``, ``store-unavailable``.
        """
        known = self._known(signer)
        if known is None or fits(known):
            return known
        if not self._signers.renew(signer):
            return None
        known = self._known(signer)  # It may sign with a newer secret than is known here.
        return known if known is not None and fits(known) else None

    def _known(self, signer: str) -> T | None:
        if not self._signers.knows(signer):
            self._strangers.ask(self._clock())
        try:
            return self._signers.get(signer)
        except NotInStore:
            return None
        except StoreError:
            detail = f"Signatures of {self._what} can't be checked at the moment; try again."
            raise ApiError("store-unavailable", detail, retry_after=RETRY_SECONDS) from None

    def _load(self, signer: str) -> T:
        name = self._prefix + signer
        value = self._store.secret(name).value
        try:
            return self._read(value)
        except BadStoredValue as error:
            raise StoreDown(name, str(error)) from None
