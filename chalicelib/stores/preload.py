"""Reading during INIT, bounded: a store that stalls must not use up INIT's 10 seconds (AWS)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PRELOAD_SECONDS = 5.0


def preload(*loads: Callable[[], None], seconds: float = PRELOAD_SECONDS) -> None:
    """Call each in turn, and go on without them after a while; the first calls read what is left.

    Args:
        loads: each reads some values into its cache, and tells failures itself.
        seconds: all of them together may hold INIT up for this long.
    """

    def all_of_them() -> None:
        for load in loads:
            load()

    thread = threading.Thread(target=all_of_them, daemon=True)
    thread.start()
    thread.join(seconds)
