"""A stand-in of the deployed issuer on loopback: it answers as told, and remembers what it got."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from infra.emulators.loopback import LoopbackServer


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    authorization: str | None
    body: Any


class IssuerStandIn(LoopbackServer):
    """A context manager.

    Attributes:
        answer: status and body (JSON, or bytes as they are) of every answer.
        asked: the requests so far.
    """

    def __init__(self) -> None:
        self.answer: tuple[int, Any] = (200, {})
        self.asked: list[Asked] = []
        super().__init__(_handler(self))

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"{super().url}/issuer"


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
