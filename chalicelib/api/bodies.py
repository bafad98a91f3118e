"""Request bodies: their size, their content type, and strict JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalicelib.errors import ApiError
from chalicelib.json_text import NotStrict, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalice.app import Request


def read_json(request: Request, max_bytes: int) -> Any:
    """The body's JSON value.

    Args:
        request: the current request.
        max_bytes: the size of the largest body that is read.

    Raises:
        ApiError: ``unsupported-media-type``, ``body-too-large`` or ``malformed-json``.
    """
    _check_content_type(request.headers)
    return parse_body(read_raw(request, max_bytes))


def read_raw(request: Request, max_bytes: int) -> bytes:
    """The body, byte for byte.

    Args:
        request: the current request.
        max_bytes: the size of the largest body that is read.

    Raises:
        ApiError: ``body-too-large``, or ``malformed-json`` for text that can't be UTF-8.
    """
    try:
        raw = request.raw_body
    except UnicodeEncodeError:
        raise ApiError("malformed-json", "The body is not UTF-8.") from None
    assert isinstance(raw, bytes)  # Chalice encodes a body that came as text.
    if len(raw) > max_bytes:
        detail = f"The body has {len(raw)} bytes; at most {max_bytes} are read."
        raise ApiError("body-too-large", detail)
    return raw


def parse_body(raw: bytes | str) -> Any:
    """Parse one JSON value: UTF-8, no duplicate members, no NaN, no stack-breaking depth.

    Raises:
        ApiError: ``malformed-json``, with the place of the fault but none of the text.
    """
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        return parse_json(text)
    except json.JSONDecodeError as error:
        where = f"{error.msg} at line {error.lineno}, column {error.colno}."
        detail = where if error.doc.strip() else "The body is empty."
        raise ApiError("malformed-json", detail) from None
    except UnicodeDecodeError as error:
        detail = f"The body is not UTF-8: byte {error.start} is wrong."
        raise ApiError("malformed-json", detail) from None
    except RecursionError:
        raise ApiError("malformed-json", "The body nests too deeply.") from None
    except NotStrict as error:
        raise ApiError("malformed-json", str(error)) from None
    except ValueError:  # Python refuses numbers of over 4,300 digits.
        raise ApiError("malformed-json", "A number has too many digits.") from None


def _check_content_type(headers: Mapping[str, str]) -> None:
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower()
    if media_type.strip().lower() != "application/json" or charset not in _CHARSETS:
        detail = "Send Content-Type: application/json, with a body in UTF-8."
        raise ApiError("unsupported-media-type", detail)


_CHARSETS = ("", "charset=utf-8", 'charset="utf-8"')
