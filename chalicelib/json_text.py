"""JSON texts are parsed by one of two rules, both stricter than Python's.

Texts that are ours (requests, stored values, tickets) may not name a member twice: whoever else
reads them could take the other value. Texts of Tencent's are parsed as the mini-program's own
JSON.parse does: the last value counts. Neither rule takes NaN or Infinity.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn


class NotStrict(ValueError):
    """A JSON text that Python would take and Roomgate does not; the message says why."""


def refuse_constant(_name: str) -> NoReturn:
    """For `json`'s ``parse_constant``: raise `NotStrict` for NaN and Infinity."""
    raise NotStrict("NaN and Infinity are no JSON numbers.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise NotStrict("An object names one member twice.")
    return members


# Made once: json.loads with hooks would make a decoder for each text.
_parse = json.JSONDecoder(object_pairs_hook=_once, parse_constant=refuse_constant).decode
_parse_last = json.JSONDecoder(parse_constant=refuse_constant).decode


def parse_json(text: str) -> Any:
    """Parse one JSON value that may name no member twice.

    Raises:
        NotStrict: Python would take it, but it is no JSON, or names a member twice.
        json.JSONDecodeError: it is no JSON.
        ValueError: a number of over 4,300 digits.
        RecursionError: it nests too deeply.
    """
    return _parse(text)


def parse_foreign_json(text: str) -> Any:
    """Parse one JSON value in which the last of several members of a name counts.

    Raises:
        ValueError: it is no JSON, or a number has over 4,300 digits.
        RecursionError: it nests too deeply.
    """
    return _parse_last(text)
