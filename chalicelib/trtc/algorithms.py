"""The algorithms with which an application's tickets are signed (Tencent's console shows which)."""

from __future__ import annotations

from typing import Final

ECDSA: Final = "ECDSA-SHA256"
"""Of older applications; signs version 1 of the tickets."""

HMAC: Final = "HMAC-SHA256"
"""Of newer applications; signs version 2 of the tickets, which can name string rooms."""

ALGORITHMS: Final = (ECDSA, HMAC)
"""The names alone, for modules that sign nothing; `tickets.codecs` has what belongs to each."""
