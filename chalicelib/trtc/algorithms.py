"""The algorithms with which an application's tickets are signed (Tencent's console shows which)."""

from __future__ import annotations

from typing import Final

ECDSA: Final = "ECDSA-SHA256"
"""Of older applications; its envelope is v1."""

HMAC: Final = "HMAC-SHA256"
"""Of newer applications; its envelope is v2, and only it knows string rooms."""

ALGORITHMS: Final = (ECDSA, HMAC)
