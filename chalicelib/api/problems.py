"""Errors as RFC 9457 problem details: one table gives each code its HTTP status and title."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from chalice.app import Response

if TYPE_CHECKING:
    from chalicelib.errors import ApiError

TYPE_PREFIX: Final = "urn:problem-type:roomgate:"
MEDIA_TYPE: Final = "application/problem+json"

# code: (HTTP status, title). A code never changes its meaning; clients switch on it.
PROBLEMS: Final[dict[str, tuple[int, str]]] = {
    "malformed-json": (400, "The body is not one JSON value"),
    "invalid-request": (400, "The request is not as the API asks"),
    "api-key-missing": (401, "An API key is needed"),
    "api-key-invalid": (401, "The API key is not valid"),
    "api-key-ended": (401, "The caller's time is over"),
    "report-token-missing": (401, "A report token is needed"),
    "report-token-invalid": (401, "The report token is not valid"),
    "report-token-expired": (401, "The report token has expired"),
    "callback-signature-missing": (401, "A callback must be signed"),
    "callback-signature-invalid": (401, "The callback's signature is not valid"),
    "callback-out-of-time": (401, "The callback was not sent just now"),
    "relay-signature-missing": (401, "A relayed report must be signed"),
    "relay-signature-invalid": (401, "The relay's signature is not valid"),
    "action-not-allowed": (403, "The caller may not do this"),
    "application-not-allowed": (403, "The caller may not use this application"),
    "user-not-allowed": (403, "The caller may not name this user"),
    "room-not-allowed": (403, "The caller may not use this room"),
    "ttl-not-allowed": (403, "The caller may not ask for a ttl this long"),
    "not-found": (404, "There is nothing here"),
    "unknown-application": (404, "The application is not known"),
    "method-not-allowed": (405, "The path does not know this method"),
    "report-conflict": (409, "This seq was reported with another list"),
    "history-gone": (410, "The history is no longer kept"),
    "body-too-large": (413, "The body is too large"),
    "list-too-large": (413, "The user list is too large"),
    "unsupported-media-type": (415, "The body must be application/json"),
    "ttl-out-of-bounds": (422, "The ttl is outside the application's bounds"),
    "string-room-unsupported": (422, "String rooms need an HMAC-SHA256 application"),
    "roomsig-refused": (422, "Tencent refused the roomsig request"),
    "roomsig-unusable": (422, "The roomsig answer holds no roomsig"),
    "rate-limited": (429, "Too many requests"),
    "internal-error": (500, "Roomgate failed"),
    "not-ready": (503, "Not ready yet"),
    "no-signing-key": (503, "The application has no usable key now"),
    "store-unavailable": (503, "The store does not answer"),
}

# HTTP asks for a challenge with every 401 (RFC 9110, 15.5.2) but defines no scheme for these
# signatures. So their challenge names the header that carries the signature.
_SIGNATURES: Final = {"callback": "Sign", "relay": "Webhook-Signature"}


def problem_body(
    code: str, detail: str, request_id: str | None, errors: tuple[Any, ...] = ()
) -> dict[str, Any]:
    """The problem object.

    Args:
        code: a key of PROBLEMS.
        detail: a sentence about this occurrence.
        request_id: API Gateway's id of the request; the log line has it too.
        errors: FieldErrors; a place that starts with ``#`` becomes a ``pointer``, any other a
            ``parameter``.
    """
    status, title = PROBLEMS[code]
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "requestId": request_id,
    }
    if errors:
        body["errors"] = [
            {"pointer" if place.startswith("#") else "parameter": place, "detail": text}
            for place, text in errors
        ]
    return body


def problem_response(refusal: ApiError, request_id: str | None) -> Response:
    """A refusal as an HTTP answer."""
    body = problem_body(refusal.code, refusal.detail, request_id, refusal.errors)
    if refusal.tencent_code is not None:
        body["tencentCode"] = refusal.tencent_code
    headers: dict[str, str | list[str]] = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if body["status"] == 401:  # noqa: PLR2004 (HTTP's own number)
        # API Gateway's REST APIs pass it on as x-amzn-Remapped-WWW-Authenticate (AWS docs).
        scheme = _SIGNATURES.get(refusal.code.partition("-")[0], "Bearer")
        headers["WWW-Authenticate"] = f'{scheme} realm="roomgate"'
    return Response(json.dumps(body), status_code=body["status"], headers=headers)
