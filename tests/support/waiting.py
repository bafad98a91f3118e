"""Waiting for what other processes and threads do."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SECONDS = 120
"""Long enough for a busy machine: only what never comes is waited for to the end."""


def until(look: Callable[[], T | None]) -> T:
    """What a look finds, as soon as that is something."""
    ends = time.monotonic() + SECONDS
    patience = threading.Event()
    while time.monotonic() < ends:
        if found := look():
            return found
        patience.wait(0.02)
    pytest.fail(f"nothing after {SECONDS} s")
