"""The Parameters and Secrets extension, which can be told to misbehave."""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

Answer = tuple[int, str]


class FakeExtension:
    """Answers on loopback; a context manager.

    Attributes:
        secrets: value by (name, label).
        parameters: value by name.
        misdeed: gives the answer in place of the right one, by path; or None for the right one.
        asked: how often each path was asked for.
        port: where it listens.
    """

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], str] = {}
        self.parameters: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.misdeed: Callable[[str], Answer | None] = lambda _path: None
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = fake._answer(self.path)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, asked: str) -> Answer:
        url = urlsplit(asked)
        self.asked[url.path] += 1
        misdone = self.misdeed(url.path)
        if misdone is not None:
            return misdone
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/secretsmanager/get":
            value = self.secrets.get((query["secretId"], query["versionStage"]))
            found: dict[str, Any] = {
                "SecretString": value,
                "VersionId": "v",
                "CreatedDate": "2020-09-13T12:26:40Z",
            }
        else:
            value = self.parameters.get(query["name"])
            found = {"Parameter": {"Value": value}}
        missing = (400, "operation error: ResourceNotFoundException")
        return missing if value is None else (200, json.dumps(found))


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Whoever gave up waiting has closed the connection: nothing to tell of."""
