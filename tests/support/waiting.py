"""Waiting for what other processes do."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 30


def until(holds: Callable[[], object]) -> None:
    """Wait for a condition."""
    ends = time.monotonic() + SECONDS
    pause = threading.Event()
    while time.monotonic() < ends:
        if holds():
            return
        pause.wait(0.02)
    pytest.fail("the condition never held")
