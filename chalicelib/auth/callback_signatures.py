"""Proving that a callback is Tencent's, and of just now.

Tencent signs the body's bytes, with a key that it shares with the application's owner: header
``Sign`` is base64(HMAC-SHA256(key, body)); header ``SdkAppId`` says whose key. Nothing of the body
is looked at before.
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING, Final

from chalicelib.errors import ApiError
from chalicelib.trtc import SDK_APP_ID_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.auth.callback_keys import CallbackKeys
    from chalicelib.auth.signers import Signers

LATE_MS: Final = 5 * 60_000
"""How old a callback may be. Tencent gives up after a minute (TRTC, "Timeout and Retry"), and does
not say whether CallbackTs is then that of the first try; the rest is for clocks that differ, as
much as Standard Webhooks allows. Who sends an old one again within it, sends a duplicate."""
EARLY_MS: Final = 60_000
"""How far Tencent's clock may be ahead."""

_MOST_DIGITS: Final = len(str(SDK_APP_ID_MAX))


def authenticate_callback(
    headers: Mapping[str, str], raw: bytes, keys: Signers[CallbackKeys]
) -> int:
    """The application whose callback this is.

    Args:
        headers: of the request, by lower-case name.
        raw: the body, as it came.
        keys: of the applications, by sdkAppId.

    Raises:
        ApiError: ``callback-signature-missing`` or ``-invalid``; ``rate-limited``,
            ``store-unavailable``.
    """
    claimed, sign = headers.get("sdkappid", "").strip(), headers.get("sign", "").strip()
    if not claimed or not sign:
        detail = "Tencent's callbacks come with the headers SdkAppId and Sign; set a key for them."
        raise ApiError("callback-signature-missing", detail)
    sdk_app_id = _sdk_app_id(claimed)
    if sdk_app_id and keys.find(str(sdk_app_id), lambda its: is_signed(its, raw, sign)):
        return sdk_app_id
    facts = {"sdkAppId": sdk_app_id} if sdk_app_id else {}  # So that an operator can find it.
    detail = "Sign is not that of this body by a callback key of the application in SdkAppId."
    raise ApiError("callback-signature-invalid", detail, facts=facts)


def is_signed(keys: CallbackKeys, raw: bytes, sign: str) -> bool:
    """Whether one of the keys signed these bytes; every key is tried, each in constant time."""
    given = sign.encode(errors="replace")  # What can't be encoded is no base64 either.
    fits = [hmac.compare_digest(_sign(key, raw), given) for key in keys.keys]
    return any(fits)


def check_time(sent: int, now_ms: int) -> None:
    """Check when a callback was sent, which its signature vouches for.

    Args:
        sent: unix ms, its CallbackTs.
        now_ms: unix ms at which it came in.

    Raises:
        ApiError: ``callback-out-of-time``.
    """
    if not now_ms - LATE_MS <= sent <= now_ms + EARLY_MS:
        detail = (
            f"CallbackTs is {sent}, and it is {now_ms} (unix ms): at most {LATE_MS} ms late or "
            f"{EARLY_MS} ms early is taken."
        )
        raise ApiError("callback-out-of-time", detail)


def _sign(key: str, raw: bytes) -> bytes:
    return base64.b64encode(hmac.digest(key.encode(), raw, "sha256"))


def _sdk_app_id(claimed: str) -> int | None:
    """The application that a header names; None if it names none that there can be."""
    if not (claimed.isascii() and claimed.isdecimal() and len(claimed) <= _MOST_DIGITS):
        return None
    number = int(claimed)
    return number if 1 <= number <= SDK_APP_ID_MAX else None
