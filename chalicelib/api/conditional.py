"""Answers that callers may keep, and ask again for: ETag, If-None-Match, 304 (RFC 9110)."""

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

KEPT_BY_CALLERS: Final = "private, no-cache"
"""A caller may keep it, no cache between may, and whoever keeps it asks before it is used."""

_TAG_BYTES: Final = 15
_tags = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")').findall


def tag_of(*parts: Any) -> str:
    """An entity tag: what it is made of is JSON, and decides the answer."""
    text = json.dumps(parts, separators=(",", ":"))
    return f'"{urlsafe_b64encode(sha256(text.encode()).digest()[:_TAG_BYTES]).decode()}"'


def answer_unless_known(
    call: Call[Any, Any], tag: str, body: Callable[[], dict[str, Any]]
) -> Response:
    """A 200 with a tag; or a 304, if the caller says that it knows that one.

    Args:
        call: the request.
        tag: of the answer.
        body: makes it.
    """
    headers = {"ETag": tag, "Cache-Control": KEPT_BY_CALLERS}
    if _knows(call.headers.get("if-none-match", ""), tag):
        call.outcome = "not-modified"
        return Response("", status_code=304, headers=dict(headers))
    return answer(body(), {"Content-Type": "application/json", **headers})


def answer_unless_same(call: Call[Any, Any], body: dict[str, Any]) -> Response:
    """The same where only the answer itself tells whether it is another."""
    return answer_unless_known(call, tag_of(body), lambda: body)


def _knows(header: str, tag: str) -> bool:
    """Whether If-None-Match names a tag, by the weak comparison that RFC 9110 asks for."""
    return header.strip() == "*" or tag in _tags(header)
