"""How many seeds a test plays: a few in `make test`, many in `make test-slow`."""

from __future__ import annotations

import os
from typing import Final

MANY: Final = os.environ.get("ROOMGATE_SEEDS") == "many"
"""Whether this run has the time."""


def seeds(many: int, few: int = 3) -> range:
    """The seeds to play.

    Args:
        many: how many where there is time.
        few: how many where there is none.
    """
    return range(many if MANY else min(few, many))
