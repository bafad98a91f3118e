"""A relay: a backend that passes reports on, and the secrets with which it signs them.

Standard Webhooks: a secret is ``whsec_`` and base64; two may be valid at once, while the backend
changes over. Unlike an API key it must be stored as it is, since its HMAC is computed anew.
"""

from __future__ import annotations

import base64
from typing import Final, NamedTuple

from chalicelib.schema import Array, Collection, Field, Integer, Record, Text
from chalicelib.stores.stored import Stored
from chalicelib.trtc.identifiers import SDK_APP_ID_MAX

SECRET_BYTES: Final = 32
MOST_SECRETS: Final = 2  # The old one and the new one, while a backend changes over.
_PREFIX: Final = "whsec_"
# The last character of 32 bytes carries four bits only; any other one there is not canonical.
_SECRET: Final = _PREFIX + r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="


class Relay(NamedTuple):
    """The value of the secret ``<stack>/relay/<id>``; its repr does not show the secrets.

    Attributes:
        secrets: with which it may sign, newest first; one or two, as secret_of writes them.
        applications: sdkAppIds of which it may report, or empty for every one of the stack.
    """

    secrets: tuple[str, ...]
    applications: frozenset[int] = frozenset()

    def __repr__(self) -> str:
        applications = sorted(self.applications)
        return f"Relay(<{len(self.secrets)} secrets>, applications={applications!r})"

    def to_json(self) -> str:
        """The secret's value."""
        return _STORED.write(self)

    @classmethod
    def from_json(cls, text: str) -> Relay:
        """Read the secret's value.

        Raises:
            BadStoredValue: it is not what to_json writes; the text of the error holds none of it.
        """
        return _STORED.read(text)

    def rotated(self, secret: str) -> Relay:
        """The relay with a new secret first and its last one second."""
        return self._replace(secrets=(secret, *self.secrets[: MOST_SECRETS - 1]))

    def without_older(self) -> Relay:
        """The relay with its newest secret only."""
        return self._replace(secrets=self.secrets[:1])


def secret_of(raw: bytes) -> str:
    """A secret as Standard Webhooks writes it.

    Args:
        raw: SECRET_BYTES random bytes.
    """
    return _PREFIX + base64.b64encode(raw).decode()


_STORED = Stored(
    "a relay",
    Record(
        Relay,
        Field(
            "secrets",
            Collection(Array(Text(50, pattern=_SECRET), MOST_SECRETS, least=1, unique=True), tuple),
            "secrets",
        ),
        Field(
            "applications",
            Collection(Array(Integer(1, SDK_APP_ID_MAX), 1000, unique=True), frozenset, sorted),
            "applications",
        ),
    ),
    secret=True,
)
