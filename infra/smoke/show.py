"""Printing what goes over the wire so that a person can follow it, without giving secrets away."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_SECRETS: Final = frozenset(("userSig", "privateMapKey", "PrivMapEncrypt", "token", "apiKey"))
_IN_URLS: Final = re.compile(r"((?:usersig|privatemapkey)=[^&]{8})[^&]+")
_SHOWN: Final = 8  # characters
_WIDTH: Final = 90  # characters


def say(text: str = "") -> None:
    """Print a line at once."""
    print(text, flush=True)


def step(title: str) -> None:
    """Print the title of a step."""
    say(f"\n== {title}")


def show(label: str, value: Any) -> None:
    """Print a label, and under it JSON with its secrets shortened."""
    say(f"   {label}")
    for line in _lines(shortened(value)):
        say(f"     {line}")


def shortened(value: Any) -> Any:
    """A JSON value in which tickets, tokens and API keys are cut to their first 8 characters."""
    if isinstance(value, dict):
        return {key: _member(key, member) for key, member in value.items()}
    if isinstance(value, list):
        return [shortened(each) for each in value]
    if isinstance(value, str):
        return _IN_URLS.sub(r"\1…", value)
    return value


def _lines(value: Any) -> list[str]:
    """JSON in lines: what fits into one stays in one."""
    whole = json.dumps(value, ensure_ascii=False)
    if len(whole) <= _WIDTH or not isinstance(value, (dict, list)):
        return [whole]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    members = value.items() if isinstance(value, dict) else (("", each) for each in value)
    lines = [opening]
    for key, member in members:
        first, *rest = _lines(member)
        named = f"{json.dumps(key)}: {first}" if key else first
        lines += [f"  {line}" for line in (named, *rest)]
        lines[-1] += ","
    lines[-1] = lines[-1][:-1]
    return [*lines, closing]


def _member(key: str, value: Any) -> Any:
    if key in _SECRETS and isinstance(value, str):
        return value[:_SHOWN] + "…"
    return shortened(value)
