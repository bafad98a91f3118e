"""The Lambda Runtime API (AWS Lambda docs, "Using the Lambda runtime API"), for one call each life.

A life is one process of the function: its first poll for an event ends INIT, the event is handed
over, its answer ends the first call, and the second poll is never answered.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from bench.emulators.loopback import Answer, Asked, Loopback
from bench.figures import BenchError
from infra.emulators.loopback import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BASE = "/2018-06-01/runtime"
_NEXT = f"{_BASE}/invocation/next"
_ID = "11111111-1111-4111-8111-111111111111"
_ANSWER = f"{_BASE}/invocation/{_ID}/response"
_ARN = "arn:aws:lambda:eu-central-1:111111111111:function:bench"
_DEADLINE_MS = 20_000


class Life(NamedTuple):
    """What one process took, in seconds, and what it answered.

    Attributes:
        polled_at: when its first poll came in, by ``time.perf_counter``.
        first_call: from the event handed over to its answer.
        answer: the answer's body.
    """

    polled_at: float
    first_call: float
    answer: bytes


class RuntimeApi(Loopback):
    """The stand-in.

    Args:
        on_invoke: called before the event is handed over: the INVOKE phase begins.
    """

    def __init__(self, on_invoke: Callable[[], None] = lambda: None) -> None:
        super().__init__(self._answer)
        self._on_invoke = on_invoke
        self._heard: queue.SimpleQueue[Asked] = queue.SimpleQueue()
        self._event: bytes | None = None
        self._handed_over = 0.0
        self._over = threading.Event()

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API."""
        return f"{HOST}:{self.port}"

    def begin(self, event: bytes) -> None:
        """Expect a new process, whose first poll gets this event."""
        self._heard = queue.SimpleQueue()
        self._event = event
        self._over = threading.Event()

    def follow(self, timeout: float) -> Life:
        """Wait for the process to poll and to answer.

        Raises:
            BenchError: it failed, or took longer than ``timeout`` seconds.
        """
        polled = self._next_heard(_NEXT, timeout)
        answered = self._next_heard(_ANSWER, timeout)
        return Life(polled.at, answered.at - self._handed_over, answered.body)

    def end(self) -> None:
        """Let go of the process's second poll."""
        self._over.set()

    def _next_heard(self, path: str, timeout: float) -> Asked:
        try:
            heard = self._heard.get(timeout=timeout)
        except queue.Empty:
            raise BenchError(f"The function did not come to {path} within {timeout:g} s.") from None
        if heard.path != path:
            raise BenchError(f"The function went to {heard.path}: {heard.body.decode()[:2000]}")
        return heard

    def _answer(self, asked: Asked) -> Answer | None:
        if asked.path != _NEXT:
            self._heard.put(asked)
            return Answer(202)
        event, self._event = self._event, None
        if event is None:
            self._over.wait()
            return None
        self._heard.put(asked)
        self._on_invoke()
        self._handed_over = time.perf_counter()
        return Answer(200, event, dict(_headers()))


def _headers() -> Iterator[tuple[str, str]]:
    yield "Content-Type", "application/json"
    yield "Lambda-Runtime-Aws-Request-Id", _ID
    yield "Lambda-Runtime-Invoked-Function-Arn", _ARN
    yield "Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + _DEADLINE_MS)
