"""An HTTP server on 127.0.0.1, which runs on a thread of whoever opens it."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from types import TracebackType

HOST: Final = "127.0.0.1"
_LOOK_EVERY: Final = 0.02  # Seconds between two looks at whether to stop.


class _Server(ThreadingHTTPServer):
    """Holds more connections than a test opens at once: where the queue is full, some are reset."""

    request_queue_size = 128


class LoopbackServer:
    """A context manager: serves inside, and has stopped after it.

    Args:
        handler: answers the requests.
        port: where to listen; 0 for any free port.
    """

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        self._server = _Server((HOST, port), handler)
        self._server.daemon_threads = True
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(_LOOK_EVERY,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and wait for the end."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
