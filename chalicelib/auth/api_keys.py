"""Proving who calls: an API key in the Authorization header, against the stored callers."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from chalicelib.auth.caller import API_KEY, Caller, hash_of
from chalicelib.auth.rate import RateLimits, UnknownIdLimit
from chalicelib.errors import ApiError
from chalicelib.stores.cache import FIRST_WAIT_SECONDS, RefreshingCache
from chalicelib.stores.store import NotInStore, StoreDown, StoreError
from chalicelib.stores.stored import BadStoredValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.stores.names import Names
    from chalicelib.stores.store import Store

RETRY_SECONDS = 5
MOST_PRELOADED = 50


class Callers:
    """The callers of one stack, read on first use and kept fresh.

    A revoked key stops within cache.REFRESH_SECONDS plus cache.WAIT_SECONDS while the store
    answers. In an environment that stood still the first call waits for the store longer, up to
    cache.FIRST_WAIT_SECONDS: it must not be let in by what was true hours ago.

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
        self._names = names
        self._on_failure = on_failure
        self._callers = RefreshingCache(
            self._load, on_failure=on_failure, overdue_wait=FIRST_WAIT_SECONDS
        )
        self._answered = False
        self._rates = RateLimits()
        self._strangers = UnknownIdLimit("callers")

    def authenticate(self, authorization: str | None, now: float) -> Caller:
        """The caller whose API key stands in an Authorization header (``Bearer rg_…``).

        Args:
            authorization: the header's value.
            now: unix time in seconds.

        Raises:
            ApiError: ``api-key-missing``, ``-invalid`` or ``-ended``; ``rate-limited``;
                ``store-unavailable``.
        """
        key = bearer(authorization, "api-key-missing", "an API key (rg_…)")
        match = API_KEY.fullmatch(key)
        if not match:
            raise ApiError("api-key-invalid", "An API key has the form rg_<id>_<random>.")
        caller = self._known(match[1], now)
        # Every stored hash is compared, so that the time taken says nothing about which one fits.
        wanted = hash_of(key)
        fits = [hmac.compare_digest(wanted, known) for known in caller.hashes] if caller else []
        if caller is None or not any(fits):
            raise ApiError("api-key-invalid", "No caller has this API key.")
        if caller.ends is not None and now >= caller.ends:
            raise ApiError("api-key-ended", f"This caller ended at {caller.ends} (unix seconds).")
        self._rates.take(caller, now)
        return caller

    def preload(self) -> None:
        """Read the callers that the store lists, so that INIT pays and not the first call.

        Stops at the first failure, which is told; the first call tries again.
        """
        try:
            listed = self._store.parameter_names(self._names.callers)
            self._answered = True
            for name in listed[:MOST_PRELOADED]:
                self._callers.get(name.rpartition("/")[2])
        except StoreError as error:
            self._on_failure(error)

    def loaded(self) -> bool:
        """Whether the store has answered, if only that there is no such caller; asks no store."""
        return self._answered

    def _known(self, caller_id: str, now: float) -> Caller | None:
        if not self._callers.loaded(caller_id):
            self._strangers.ask(now)
        try:
            caller = self._callers.get(caller_id)
        except NotInStore:
            caller = None
        except StoreDown:
            detail = "The callers can't be read at the moment; try again."
            raise ApiError("store-unavailable", detail, retry_after=RETRY_SECONDS) from None
        self._answered = True
        return caller

    def _load(self, caller_id: str) -> Caller:
        name = self._names.caller(caller_id)
        try:
            return Caller.from_json(self._store.parameter(name))
        except BadStoredValue as error:
            raise StoreDown(name, str(error)) from None


def bearer(authorization: str | None, missing: str, what: str) -> str:
    """The token of an ``Authorization: Bearer`` header (RFC 6750).

    Raises:
        ApiError: with the code ``missing``.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ApiError(missing, f"Send Authorization: Bearer with {what}.")
    return token.strip()
