"""The clock that functions read; everything below them is given the time as an argument."""

from __future__ import annotations

import time


def now_ms() -> int:
    """The time in unix ms."""
    return int(time.time() * 1000)
