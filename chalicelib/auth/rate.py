"""Rate limits: token buckets in this environment's memory, so that the hot path needs no store.

One environment serves one request at a time, so a stack's real limit is this one times its
environments, which a reserved concurrency can bound.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from chalicelib.errors import ApiError

if TYPE_CHECKING:
    from chalicelib.auth.caller import Caller


class Bucket:
    """One token bucket.

    Args:
        rate: tokens that come back in a second.
        burst: tokens it holds; it starts full.
        now: unix time in seconds.
    """

    __slots__ = ("_burst", "_left", "_rate", "_since")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate, self._burst = rate, float(burst)
        self._left, self._since = self._burst, now

    def take(self, now: float) -> int:
        """Take one token.

        Returns:
            0, or the seconds until there is one.
        """
        left = self._left + max(0.0, now - self._since) * self._rate
        self._left, self._since = min(self._burst, left), now
        if self._left < 1:
            return math.ceil((1 - self._left) / self._rate)
        self._left -= 1
        return 0

    def fits(self, rate: float, burst: int) -> bool:
        """Whether it is a bucket of this rate and burst."""
        return (self._rate, self._burst) == (rate, burst)


class UnknownIdLimit:
    """Bounds what made-up ids cost: each would be a read of a store with a quota and a price.

    Args:
        what: they are, in the plural.
    """

    # One environment looks up this many unknown ids a second. SSM answers 40 GetParameter calls a
    # second in an account and region by default (AWS Systems Manager quotas), warm refreshes
    # included.
    RATE: Final = 5.0
    BURST: Final = 20

    def __init__(self, what: str) -> None:
        self._what = what
        self._bucket = Bucket(self.RATE, self.BURST, 0.0)

    def ask(self, now: float) -> None:
        """Let one more be looked up; ``now`` is unix time in seconds.

        Raises:
            ApiError: ``rate-limited``.
        """
        wait = self._bucket.take(now)
        if wait:
            detail = f"Too many {self._what} that are not known here yet; try again."
            raise ApiError("rate-limited", detail, retry_after=wait)


class RateLimits:
    """A bucket for each caller, by its id."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def take(self, caller: Caller, now: float) -> None:
        """Take one request from a caller's bucket.

        Args:
            caller: gives the rate (requests a second) and the burst.
            now: unix time in seconds.

        Raises:
            ApiError: ``rate-limited``.
        """
        bucket = self._buckets.get(caller.id)
        if bucket is None or not bucket.fits(caller.rate, caller.burst):
            bucket = self._buckets[caller.id] = Bucket(caller.rate, caller.burst, now)
        wait = bucket.take(now)
        if wait:
            detail = f"This caller may send {caller.rate:g} requests a second."
            raise ApiError("rate-limited", detail, retry_after=wait, facts={"caller": caller.id})
