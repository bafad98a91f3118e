"""Web pages of other origins that may call (CORS, Fetch standard): those that an operator lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "ROOMGATE_WEB_ORIGINS"
MAX_AGE_SECONDS: Final = 7200
"""How long a browser may remember a preflight; Chromium keeps none for longer."""

_is_origin = re.compile(
    r"https://[a-z0-9.-]+(?::[0-9]{1,5})?|http://(?:localhost|127\.0\.0\.1)(?::[0-9]{1,5})?"
).fullmatch


def origins_from_env(environ: Mapping[str, str]) -> frozenset[str]:
    """The origins in an environment: separated by commas, none by default.

    Raises:
        ValueError: one is no origin, as ``https://example.com`` is; http is for this machine only.
    """
    origins = [text.strip() for text in environ.get(NAME, "").split(",") if text.strip()]
    for origin in origins:
        if not _is_origin(origin):
            raise ValueError(f"{NAME}: {origin!r} is no origin such as https://example.com")
    return frozenset(origins)


def allowed_headers(origin: str | None, origins: frozenset[str]) -> dict[str, str]:
    """The headers that let a page of an origin read an answer; none for another origin.

    Args:
        origin: the request's header Origin, or None.
        origins: those that are allowed.
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
    """What a preflight is answered: that a page of an origin may call a route, or nothing.

    Args:
        method: of the route.
        origin: the request's header Origin, or None.
        origins: those that are allowed.
    """
    headers = allowed_headers(origin, origins)
    if "Access-Control-Allow-Origin" not in headers:
        return headers
    return headers | {
        "Access-Control-Allow-Methods": method,
        "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match",
        "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
    }
