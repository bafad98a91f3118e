"""Checking report tokens, with PyJWT; only webhook imports this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt

from chalicelib.auth.api_keys import RETRY_SECONDS, bearer
from chalicelib.auth.report_tokens import AUDIENCE, Claims, ReportTokenKeys, TokenKey
from chalicelib.errors import ApiError
from chalicelib.stores.store import StoreError
from chalicelib.trtc import BadIdentifier, check_sdk_app_id, check_user_id, parse_room_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt.types import Options

    from chalicelib.trtc import Room

_OPTIONS: Options = {
    "require": ["exp", "aud", "sub", "app", "room", "epoch", "role", "scene"],
    "verify_exp": False,  # Checked below, by the request's own clock.
}


def authenticate_report(authorization: str | None, keys: ReportTokenKeys, now: float) -> Claims:
    """The claims of the report token in an Authorization header.

    Raises:
        ApiError: ``report-token-missing``, ``-invalid`` or ``-expired``; ``store-unavailable``.
    """
    token = bearer(authorization, "report-token-missing", "the report token of an entry")
    try:
        known = keys.get()
        kid = _kid(token)
        if kid is not None and kid not in {key.kid for key in known} and keys.renew():
            known = keys.get()  # The issuer may know a newer key than this environment.
    except StoreError:
        detail = "Report tokens can't be checked at the moment; try again."
        raise ApiError("store-unavailable", detail, retry_after=RETRY_SECONDS) from None
    return check_report_token(token, known, now)


def check_report_token(token: str, keys: Iterable[TokenKey], now: float) -> Claims:
    """The claims of a report token that is authentic and has not expired.

    Args:
        token: the JWT.
        keys: those that count; one whose ``not_after`` has passed does not.
        now: unix time in seconds.

    Raises:
        ApiError: ``report-token-invalid`` or ``report-token-expired``.
    """
    try:
        kid = _kid(token)
        key = next(k for k in keys if k.kid == kid and (k.not_after is None or now < k.not_after))
        payload = jwt.decode(
            token,
            key.key,
            algorithms=["HS256"],
            audience=AUDIENCE,
            options=_OPTIONS,
        )
        claims = Claims(
            sdk_app_id=check_sdk_app_id(payload["app"]),
            user_id=check_user_id(payload["sub"]),
            room=_room(payload["room"]),
            epoch=int(payload["epoch"]),
            ends=int(payload["exp"]),
            role=str(payload["role"]),
            scene=str(payload["scene"]),
        )
    except (jwt.InvalidTokenError, StopIteration, BadIdentifier, ValueError, TypeError):
        detail = "This is no report token of this Roomgate; fetch a new entry."
        raise ApiError("report-token-invalid", detail) from None
    if now >= claims.ends:
        detail = f"The report token ended at {claims.ends} (unix seconds); fetch a new entry."
        raise ApiError("report-token-expired", detail)
    return claims


def _kid(token: str) -> object:
    """The key that a token says it was made with, or None where it says nothing."""
    try:
        return jwt.get_unverified_header(token).get("kid")
    except (jwt.InvalidTokenError, ValueError):  # It lets half a character through as the latter.
        return None


def _room(claim: object) -> Room:
    if not isinstance(claim, str):
        raise TypeError("a room key is a string")
    return parse_room_key(claim)
