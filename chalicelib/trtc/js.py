"""JavaScript's spelling of JSON and URLs, where Tencent expects what a mini-program would send.

Rules: ECMA-262, JSON.parse, JSON.stringify, Number::toString and encodeURIComponent.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from chalicelib.json_text import refuse_constant

_ARRAY_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_ARRAY_INDEX_MAX: Final = 2**32 - 2
_SAFE: Final = "-_.!~*'()"
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9\-_.!~*'()]*")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_POINT_PLACES_MAX: Final = 21
_LEADING_ZEROS_MAX: Final = 6

_quote_string = json.JSONEncoder(ensure_ascii=False).encode


def js_encode(text: str) -> str:
    """Return ``encodeURIComponent(text)``; raises UnicodeError on a lone surrogate."""
    # Most texts are tickets, which need no encoding; quote would take ten times as long.
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe=_SAFE)


def js_parse(text: str) -> Any:
    """Return ``JSON.parse(text)``, with every number a float, as in JavaScript.

    Raises:
        ValueError: the text is not JSON.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, parse_int=float, parse_constant=refuse_constant)


def js_stringify(value: Any) -> str:
    """Return ``JSON.stringify(value)`` for a value that JSON can hold.

    Raises:
        TypeError: the value holds something that JSON can't.
        RecursionError: it is nested too deeply.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        members = (f"{_string(name)}:{js_stringify(value[name])}" for name in _names(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(js_stringify, value)) + "]"
    raise TypeError(f"JSON has no {type(value).__name__}")


def _names(value: Mapping[str, Any]) -> list[str]:
    """Return an object's member names in JavaScript's order: array indexes first, by number."""
    indexes = [name for name in value if _is_index(name)]
    if not indexes:
        return list(value)
    return [*sorted(indexes, key=int), *(name for name in value if not _is_index(name))]


def _is_index(name: str) -> bool:
    return _ARRAY_INDEX.fullmatch(name) is not None and int(name) <= _ARRAY_INDEX_MAX


def _string(text: str) -> str:
    """Quote a string; of the surrogates, only those that pair up are written raw."""
    if not _SURROGATE.search(text):
        return _quote_string(text)
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", _quote_string(paired))


def _number(value: float) -> str:
    """Write a number as Number::toString does; ints become doubles first, as JSON.parse reads."""
    try:
        number = float(value)
    except OverflowError:
        return "null"
    if not math.isfinite(number):
        return "null"
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    return sign + _digits(abs(number))


def _digits(number: float) -> str:
    """Write a positive number: repr gives the same shortest digits as JavaScript, we place them."""
    mantissa, _, exponent = repr(number).partition("e")
    whole, _, fraction = mantissa.partition(".")
    unpadded = (whole + fraction).lstrip("0")
    # The number is 0.DIGITS times ten to the power of `point`.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(unpadded))
    digits = unpadded.rstrip("0")
    if len(digits) <= point <= _POINT_PLACES_MAX:
        return digits + "0" * (point - len(digits))
    if 0 < point <= _POINT_PLACES_MAX:
        return f"{digits[:point]}.{digits[point:]}"
    if -_LEADING_ZEROS_MAX < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}e{point - 1:+d}"
