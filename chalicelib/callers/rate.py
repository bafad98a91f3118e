"""A rate limit for each caller: a token bucket in this environment's memory.

It needs no store on the hot path. One environment serves one request at a time, so a stack's real
limit is this one
times its environments, which the function's reserved concurrency bounds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from chalicelib.refusal import Refusal

if TYPE_CHECKING:
    from chalicelib.callers.caller import Caller


class Rates:
    """Token buckets by caller id."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: Caller, now: float) -> None:
        """Take one request from a caller's bucket.

        Args:
            caller: gives the rate (requests a second) and the burst.
            now: unix time in seconds.

        Raises:
            Refusal: ``rate-limited``.
        """
        left, since = self._buckets.get(caller.id, (float(caller.burst), now))
        left = min(float(caller.burst), left + max(0.0, now - since) * caller.rate)
        if left < 1:
            self._buckets[caller.id] = (left, now)
            wait = math.ceil((1 - left) / caller.rate)
            detail = f"This caller may send {caller.rate:g} requests a second."
            raise Refusal("rate-limited", detail, retry_after=wait)
        self._buckets[caller.id] = (left - 1, now)
