"""An HTTP server on 127.0.0.1 and a free port, for as long as a ``with`` lasts."""

from __future__ import annotations

import contextlib
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, NamedTuple

from infra.emulators.loopback import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from email.message import Message


class Asked(NamedTuple):
    """A request, and when it had come in (by ``time.perf_counter``)."""

    method: str
    path: str
    headers: Message
    body: bytes
    at: float


class Answer(NamedTuple):
    """What is answered."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Loopback(LoopbackServer):
    """Serves what ``answer`` says.

    Args:
        answer: called on a thread for each connection; None ends the connection without an answer.
    """

    def __init__(self, answer: Callable[[Asked], Answer | None]) -> None:
        super().__init__(_handler_of(answer))


def _handler_of(answer: Callable[[Asked], Answer | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # Else each answer waits 40 ms for an acknowledgement.

        def handle(self) -> None:
            # Whoever asks may be ended at any moment: here that is how each process ends.
            with contextlib.suppress(ConnectionError):
                super().handle()

        def _serve(self) -> None:
            at = time.perf_counter()
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            given = answer(Asked(self.command, self.path, self.headers, body, at))
            if given is None:
                self.close_connection = True
                return
            self.send_response_only(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        do_GET = do_POST = _serve  # noqa: N815 (the base class's names)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler
