"""Simulated time, in which requests overlap as they do on AWS, and each run is like the last.

Each request is a thread; at any moment one of them runs, until it waits or ends. So a request that
waits for the store is overtaken by others, which may write what it has read.
"""

from __future__ import annotations

import heapq
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_AT_ONCE: Final = 1000
"""Requests under way; Lambda's own limit for an account (AWS Lambda docs, "Lambda quotas")."""


class Clock:
    """Starts requests and lets them wait.

    Attributes:
        now: ms.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._number = count()
        self._queue: list[tuple[float, int, Callable[[], object]]] = []
        self._yielded = threading.Semaphore(0)
        self._requests: list[Future[None]] = []

    def at(self, ms: float, request: Callable[[], None]) -> None:
        """Have a request start at a moment."""
        self._push(ms, lambda: self._requests.append(self._pool.submit(self._serve, request)))

    def wait(self, ms: float) -> None:
        """Let the running request wait, and others run."""
        turn = threading.Semaphore(0)
        self._push(self.now + ms, turn.release)
        self._yielded.release()
        turn.acquire()

    def run(self) -> None:
        """Run until everything is done.

        Raises:
            Exception: what a request raised.
        """
        with ThreadPoolExecutor(MOST_AT_ONCE) as self._pool:
            while self._queue:
                self.now, _, go_on = heapq.heappop(self._queue)
                go_on()
                self._yielded.acquire()
        for request in self._requests:
            request.result()

    def _push(self, ms: float, go_on: Callable[[], object]) -> None:
        heapq.heappush(self._queue, (ms, next(self._number), go_on))

    def _serve(self, request: Callable[[], None]) -> None:
        try:
            request()
        finally:
            self._yielded.release()
