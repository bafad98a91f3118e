"""JSON in and out."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

LARGEST_BODY: Final = 64 * 1024  # bytes
_NO_STORE: Final = {"Cache-Control": "no-store"}  # Answers hold tickets.


def json_of(request: Request) -> dict[str, Any]:
    """The body, a JSON object.

    Raises:
        HTTPException: it is another thing (400) or too large (413).
    """
    request.max_content_length = LARGEST_BODY
    try:
        body = json.loads(request.get_data(), parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise BadRequest("The body must be a JSON object.") from None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    return body


def _no_constant(name: str) -> Any:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(name)


def _finite(text: str) -> float:
    """A number; 1e999 is too large for one that could be sent on."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def json_answer(status: int, body: dict[str, Any]) -> Response:
    """An answer that nobody may keep."""
    text = json.dumps(body) + "\n"
    return Response(text, status=status, headers=_NO_STORE, content_type="application/json")
