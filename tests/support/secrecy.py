"""Looking for secrets where none may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST = 12
"""Characters of a secret that count as showing it."""


def shown(secrets: Iterable[str], text: str) -> list[str]:
    """The parts of secrets that stand in a text; a part of one must not show either."""
    return [piece for secret in secrets for piece in pieces(secret) if piece in text]


def pieces(secret: str) -> set[str]:
    """A secret's beginning, middle and end."""
    middle = len(secret) // 2
    starts = (0, middle - SHORTEST // 2, len(secret) - SHORTEST)
    return {secret[start : start + SHORTEST] for start in starts}


def own_part(key: str) -> str:
    """What of a key is its own: of a PEM file the middle, since every P-256 key begins alike."""
    return "".join(key.splitlines()[1:-1])[48:] if "BEGIN" in key else key
