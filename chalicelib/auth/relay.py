"""A relay: a backend that passes reports on, and the secrets with which it signs them.

Standard Webhooks: a secret is ``whsec_`` and base64; two may be valid at once, while the backend
changes over. Unlike an API key it must be stored as it is, since its HMAC is computed anew.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Final, NamedTuple

from chalicelib.trtc import check_sdk_app_id

SECRET_BYTES: Final = 32
MOST_SECRETS: Final = 2  # The old one and the new one, while a backend changes over.
_PREFIX: Final = "whsec_"
# The last character of 32 bytes carries four bits only; any other one there is not canonical.
_SECRET: Final = re.compile(_PREFIX + r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


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
        applications = sorted(self.applications)
        return json.dumps({"secrets": list(self.secrets), "applications": applications})

    @classmethod
    def from_json(cls, text: str) -> Relay:
        """Read the secret's value.

        Raises:
            ValueError: it is not what to_json writes; the text of the error holds none of it.
        """
        try:
            value = json.loads(text)
            if set(value) == {"secrets", "applications"}:
                return _relay(value["secrets"], value["applications"])
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"not a relay: {type(error).__name__}") from None
        raise ValueError("not a relay: its members are secrets and applications")

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


def _relay(secrets: object, applications: object) -> Relay:
    if not isinstance(secrets, list) or not isinstance(applications, list):
        raise TypeError("secrets and applications are lists")
    if not 1 <= len(secrets) <= MOST_SECRETS or len(set(secrets)) < len(secrets):
        raise ValueError("one secret, or two that differ")
    if not all(_SECRET.fullmatch(secret) for secret in secrets):
        raise ValueError("a secret that is none")
    return Relay(tuple(secrets), frozenset(map(check_sdk_app_id, applications)))
