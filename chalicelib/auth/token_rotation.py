"""Rotating the keys of report tokens: no person takes part, since nobody else has to know them.

The new key goes first, and signs from then on. The older ones go on verifying for as long as a
token that they signed may live, and for a day more, since an issuer whose store is down goes on
with the list that it has. Then they are dropped, by the next rotation.
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Final

from chalicelib.auth.report_tokens import Claims, TokenKey, mint, parse_keys, write_keys
from chalicelib.keys.rotation import BadCandidate
from chalicelib.stores.cache import FIRST_WAIT_SECONDS, REFRESH_SECONDS, STALE_SECONDS
from chalicelib.stores.stored import BadStoredValue
from chalicelib.trtc.identifiers import NumberRoom

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_BYTES: Final = 32
STILL_SIGNS: Final = int(STALE_SECONDS + REFRESH_SECONDS + FIRST_WAIT_SECONDS)
"""Seconds for which an issuer may go on signing with the list that it read last."""

_CLAIMS: Final = Claims(1, "roomgate-test", NumberRoom(1), 0, 0)


class TokenKeys:
    """The ``rotation.Kind`` of the report-token secret.

    Args:
        name: of the secret.
        longest_ttl: tells how long a report token may live, in seconds: the longest ttl of a
            privateMapKey in any application.
        clock: unix time in seconds.
    """

    def __init__(
        self, name: str, longest_ttl: Callable[[], int], clock: Callable[[], float]
    ) -> None:
        self._name = name
        self._longest_ttl = longest_ttl
        self._clock = clock

    def create(self, current: str | None, candidate: str | None) -> str:  # noqa: ARG002 (none is imported)
        """See Kind: a new key, then those that may still have tokens out."""
        now = int(self._clock())
        ends = now + self._longest_ttl() + STILL_SIGNS
        older = self._keys(current) if current is not None else ()
        kept = [
            TokenKey(key.kid, key.key, ends if key.not_after is None else key.not_after)
            for key in older
            if key.not_after is None or now < key.not_after
        ]
        return write_keys([new_token_key(), *kept])

    def test(self, value: str) -> None:
        """See Kind: parse it, sign with the first key and verify."""
        first, *older = self._keys(value)
        if first.not_after is not None or any(key.not_after is None for key in older):
            raise BadCandidate(self._name, "the first key, and no other, signs without an end")
        if len({key.kid for key in (first, *older)}) != len(older) + 1:
            raise BadCandidate(self._name, "two keys have the same kid")
        signed, _, mac = mint(first, _CLAIMS).rpartition(".")
        again = base64.urlsafe_b64encode(first.mac(signed.encode())).rstrip(b"=").decode()
        if not secrets.compare_digest(mac, again):
            raise BadCandidate(self._name, "the first key does not verify what it signed")

    def _keys(self, value: str) -> tuple[TokenKey, ...]:
        try:
            return parse_keys(value)
        except BadStoredValue as error:
            raise BadCandidate(self._name, str(error)) from None


def new_token_key() -> TokenKey:
    """A new key of report tokens."""
    return TokenKey(secrets.token_hex(4), secrets.token_bytes(KEY_BYTES), None)
