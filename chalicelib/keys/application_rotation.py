"""Rotating an application's signing key: an operator imports the new one, and it is tried here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.keys.rotation import BadCandidate, NothingToRotateTo
from chalicelib.stores.store import UnusableKey
from chalicelib.tickets import TicketRefused, issue_user_sig, load_public_key, verify_user_sig

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.keys.material import KeyReader
    from chalicelib.stores.settings import Settings
    from chalicelib.tickets import SigningKey, VerifyingKey

_USER = "roomgate-test"
_NOW, _TTL = 1_600_000_000, 60  # Any times do: the ticket is checked here, and thrown away.


class ApplicationKey:
    """The ``rotation.Kind`` of one application's secret.

    Args:
        name: of the secret.
        sdk_app_id: the application.
        settings: reads the application's settings; raises NotInStore, StoreDown or ValueError.
        reader: of the secret's values.
    """

    def __init__(
        self, name: str, sdk_app_id: int, settings: Callable[[], Settings], reader: KeyReader
    ) -> None:
        self._name = name
        self._sdk_app_id = sdk_app_id
        self._settings = settings
        self._reader = reader

    def create(self, current: str | None, candidate: str | None) -> str:
        """See Kind."""
        if candidate is None:
            raise NothingToRotateTo(self._name, "no candidate waits: roomgate keys import")
        if current is not None and self._same(current, candidate):
            raise BadCandidate(self._name, "the candidate is the key that signs now")
        return candidate

    def test(self, value: str) -> None:
        """See Kind: parse it, check algorithm and curve, sign and verify with it."""
        key = self.read(value)
        allowed = self._settings().algorithms
        if key.algorithm not in allowed:
            reason = f"{key.algorithm} is not among the application's: {', '.join(allowed)}"
            raise BadCandidate(self._name, reason)
        app, user = self._sdk_app_id, _USER
        ticket = issue_user_sig(key, sdk_app_id=app, user_id=user, now=_NOW, ttl=_TTL)
        for half in _verifying(key):
            try:
                verify_user_sig(ticket, [half], sdk_app_id=app, user_id=user, now=_NOW)
            except TicketRefused as refused:
                reason = f"it does not verify what it signed ({type(refused).__name__})"
                raise BadCandidate(self._name, reason) from None

    def read(self, value: str) -> SigningKey:
        """The key that a value gives; raises BadCandidate, or StoreDown where KMS is."""
        try:
            return self._reader.read(value, self._name)
        except UnusableKey as error:
            raise BadCandidate(self._name, error.reason) from None

    def _same(self, one: str, other: str) -> bool:
        try:
            return self.read(one).key_id == self.read(other).key_id
        except BadCandidate:
            return False  # testSecret says what is wrong with it.


def _verifying(key: SigningKey) -> list[VerifyingKey]:
    """The key, and its public half alone where it has one: that is all that Tencent has."""
    public_pem: str | None = getattr(key, "public_pem", None)
    return [key] if public_pem is None else [key, load_public_key(public_pem)]
