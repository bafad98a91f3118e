"""Checking relays' signatures, with standardwebhooks; only webhook imports this.

Standard Webhooks: the headers ``webhook-id``, ``webhook-timestamp`` (unix seconds) and
``webhook-signature`` sign the body's bytes and the time, which may be five minutes off either way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from standardwebhooks import Webhook, WebhookVerificationError

from chalicelib.auth.caller import CALLER_ID_PATTERN
from chalicelib.errors import ApiError, FieldError, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.auth.relay import Relay
    from chalicelib.auth.signers import Signers

HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
EPOCH_EARLY_MS: Final = 5 * 60_000
"""How far an epoch may be ahead of our clock: as far as the signature's time."""

_is_id = re.compile(CALLER_ID_PATTERN).fullmatch


class RelayGrant(NamedTuple):
    """What a relay's signature allows.

    Attributes:
        relay: its id.
        applications: sdkAppIds of which it may report, or empty for every one of the stack.
    """

    relay: str
    applications: frozenset[int]

    def facts(self) -> dict[str, str]:
        """What a log line says of the relay."""
        return {"relay": self.relay}

    def may_report(self, sdk_app_id: int) -> None:
        """Check the application of a report; raises ApiError ``application-not-allowed``."""
        if self.applications and sdk_app_id not in self.applications:
            detail = f"This relay may not report of application {sdk_app_id}."
            wrong = FieldError("#/sdkAppId", detail)
            raise ApiError("application-not-allowed", detail, errors=(wrong,))


def authenticate_relay(
    relay_id: str, headers: Mapping[str, str], raw: bytes, relays: Signers[Relay]
) -> RelayGrant:
    """What the signature of a request allows.

    Args:
        relay_id: the one that the request claims to be of.
        headers: of the request, by lower-case name.
        raw: the body, as it came.
        relays: by id.

    Raises:
        ApiError: ``relay-signature-missing`` or ``-invalid``; ``rate-limited``,
            ``store-unavailable``.
    """
    signature = {name: headers.get(name, "") for name in HEADERS}
    if not all(signature.values()):
        detail = f"Sign as Standard Webhooks describes: {', '.join(HEADERS)}."
        raise ApiError("relay-signature-missing", detail)
    known = _is_id(relay_id) is not None
    relay = known and relays.find(relay_id, lambda its: is_signed(its, raw, signature))
    if relay:
        return RelayGrant(relay_id, relay.applications)
    detail = (
        "No secret of this relay signed this body, or its webhook-timestamp is over 5 minutes off."
    )
    raise ApiError("relay-signature-invalid", detail, facts={"relay": relay_id} if known else {})


def is_signed(relay: Relay, raw: bytes, headers: Mapping[str, str]) -> bool:
    """Whether one of a relay's secrets signed these bytes, at most five minutes ago or ahead."""
    fits = [_verifies(secret, raw, headers) for secret in relay.secrets]
    return any(fits)


def _verifies(secret: str, raw: bytes, headers: Mapping[str, str]) -> bool:
    try:
        Webhook(secret).verify(raw, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        # The library lets the errors of what it decodes through: base64's, UTF-8's, and of a
        # signature without its comma; all of them are ValueErrors.
        return False
    return True


def check_epoch(epoch: int, now_ms: int) -> None:
    """Refuse an epoch of the future: whatever came after it would be called stale until then.

    Args:
        epoch: unix ms.
        now_ms: unix ms.

    Raises:
        InvalidRequest: it is too far ahead.
    """
    if epoch > now_ms + EPOCH_EARLY_MS:
        raise InvalidRequest(
            (FieldError("#/epoch", f"is in the future: it is {now_ms} now (unix ms)"),)
        )
