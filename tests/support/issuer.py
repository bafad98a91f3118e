"""A stand-in of the deployed issuer on loopback: it answers as told, and remembers what it got."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from types import TracebackType


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    authorization: str | None
    body: Any


class IssuerStandIn:
    """A context manager.

    Attributes:
        answer: status and body (JSON, or bytes as they are) of every answer.
        asked: the requests so far.
    """

    def __init__(self) -> None:
        self.answer: tuple[int, Any] = (200, {})
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self._server.server_port}/issuer"

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(issuer: IssuerStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            authorization = self.headers.get("Authorization")
            body = json.loads(raw) if raw else None
            issuer.asked.append(Asked(self.command, self.path, authorization, body))
            status, answer = issuer.answer
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            if status // 100 == 3:
                self.send_header("Location", f"{issuer.url}/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815 (http.server's own name)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's own name)
            """Say nothing."""

    return Handler
