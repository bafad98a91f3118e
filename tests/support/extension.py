"""The Parameters and Secrets extension, which can be told to misbehave."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from infra.emulators.loopback import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = tuple[int, str]
WITH_REASON: Answer = (400, "operation error: ResourceNotFoundException")
WITHOUT_REASON: Answer = (400, "an unexpected error occurred while executing request")
"""What it says of a missing thing, as other projects recorded it; and of a throttled service."""


class FakeExtension(LoopbackServer):
    """Answers on loopback; a context manager.

    Attributes:
        secrets: value by (name, label).
        parameters: value by name.
        misdeed: gives the answer in place of the right one, by path; or None for the right one.
        missing: what it answers for what is not there.
        asked: how often each path was asked for.
        port: where it listens.
    """

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], str] = {}
        self.parameters: dict[str, str] = {}
        self.missing: Answer = WITH_REASON
        self.asked: Counter[str] = Counter()
        self.misdeed: Callable[[str], Answer | None] = lambda _path: None
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def handle(self) -> None:
                # Whoever gave up waiting has closed the connection: nothing to tell of.
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def do_GET(self) -> None:
                status, body = fake._answer(self.path)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        super().__init__(Handler)

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
        return self.missing if value is None else (200, json.dumps(found))
