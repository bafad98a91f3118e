"""CORS (Fetch standard): pages of the web origins that an operator lists may call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "ROOMGATE_WEB_ORIGINS"
MAX_AGE_SECONDS: Final = 7200
"""How long a browser may cache a preflight; Chromium caps it at this."""

_is_origin = re.compile(
    r"https://[a-z0-9.-]+(?::[0-9]{1,5})?|http://(?:localhost|127\.0\.0\.1)(?::[0-9]{1,5})?"
).fullmatch


def origins_from_env(environ: Mapping[str, str]) -> frozenset[str]:
    """The origins in an environment variable: separated by commas, none by default.

    Raises:
        ValueError: an item is not an origin such as ``https://example.com``. Plain http is accepted
            for localhost only.
    """
    origins = [text.strip() for text in environ.get(VARIABLE, "").split(",") if text.strip()]
    for origin in origins:
        if not _is_origin(origin):
            raise ValueError(f"{VARIABLE}: {origin!r} is no origin such as https://example.com")
    return frozenset(origins)


def allowed_headers(origin: str | None, origins: frozenset[str]) -> dict[str, str]:
    """The headers that let a page of an origin read an answer; no such header for other origins.

    Args:
        origin: the request's header Origin, or None.
        origins: the listed origins.
    """
    if not origins:
        return {}
    if origin not in origins:
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "ETag, Retry-After",
        "Vary": "Origin",
    }


def preflight_headers(method: str, origin: str | None, origins: frozenset[str]) -> dict[str, str]:
    """The headers of a preflight's answer: they allow the route's method to listed origins only.

    Args:
        method: the route's HTTP method.
        origin: the request's header Origin, or None.
        origins: the listed origins.
    """
    headers = allowed_headers(origin, origins)
    if "Access-Control-Allow-Origin" not in headers:
        return headers
    return headers | {
        "Access-Control-Allow-Methods": method,
        "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match",
        "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
    }
