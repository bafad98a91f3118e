"""Conditional requests: ETag, If-None-Match, 304 (RFC 9110)."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from chalice.app import Response

from chalicelib.api.gate import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.api.gate import Call

CACHE_CONTROL: Final = "private, no-cache"
"""Only the caller may store the answer, and it must revalidate it before each use."""

_TAG_BYTES: Final = 15
_tags = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")').findall


def tag_of(*parts: Any) -> str:
    """An entity tag: a digest of the JSON values that determine an answer."""
    text = json.dumps(parts, separators=(",", ":"))
    return f'"{urlsafe_b64encode(sha256(text.encode()).digest()[:_TAG_BYTES]).decode()}"'


def answer_if_changed(
    call: Call[Any, Any], tag: str, body: Callable[[], dict[str, Any]]
) -> Response:
    """A 304 if the request's If-None-Match names the tag, else a 200 with the tag.

    Args:
        call: the request.
        tag: the answer's entity tag.
        body: builds the answer's body; not called for a 304.
    """
    headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
    if _names(call.headers.get("if-none-match", ""), tag):
        call.outcome = "not-modified"
        return Response("", status_code=304, headers=dict(headers))
    return answer(body(), {"Content-Type": "application/json", **headers})


def answer_if_body_changed(call: Call[Any, Any], body: dict[str, Any]) -> Response:
    """A 304 if the request's If-None-Match names the body's own tag, else a 200 with that tag."""
    return answer_if_changed(call, tag_of(body), lambda: body)


def _names(header: str, tag: str) -> bool:
    """Whether an If-None-Match header names a tag, by weak comparison (RFC 9110, 13.1.2)."""
    return header.strip() == "*" or tag in _tags(header)
