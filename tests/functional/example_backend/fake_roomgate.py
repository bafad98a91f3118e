"""Roomgate's HTTP API as far as the example backend uses it: strict, in memory, on loopback."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler
from typing import Any, Final, NamedTuple

from standardwebhooks import Webhook, WebhookVerificationError

from infra.emulators.loopback import LoopbackServer

APP: Final = 1400000001
API_KEY: Final = "test-api-key"
RELAY_SECRET: Final = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="  # A test secret.
_MEMBERS: Final = {
    "/v1/entries": {"sdkAppId", "userId", "roomId"},
    "/v1/user-sigs": {"sdkAppId", "userId"},
    "/v1/private-map-keys": {"sdkAppId", "userId", "roomId"},
    "/v1/room-urls": {"sdkAppId", "userId", "roomId", "answer"},
}
_roster_path = re.compile(rf"/v1/apps/{APP}/rooms/([0-9]+)").fullmatch


class Trouble(NamedTuple):
    """What every request is answered instead.

    Attributes:
        status: of HTTP.
        body: bytes, or what becomes JSON.
        headers: of the answer.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012 (never written)


class FakeRoomgate(LoopbackServer):
    """A context manager.

    Attributes:
        requests: path and body of each request so far.
        trouble: answers every request, if set.
        silent: whether requests stay without an answer until the server ends.
        rosters: userids and ``since`` (unix ms) by room.
        reports: relayed reports.
        resend: whether heartbeats are answered ``resend``.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        self.trouble: Trouble | None = None
        self.silent = False
        self.ended = threading.Event()
        self.rosters: dict[int, dict[str, int]] = defaultdict(dict)
        self.reports: list[dict[str, Any]] = []
        self.resend = False
        self.lock = threading.Lock()
        super().__init__(_handler(self))

    def answer(self, path: str, authorization: str, body: Any) -> tuple[int, Any]:
        """Status and JSON of a request with the API key."""
        if authorization != f"Bearer {API_KEY}":
            return _problem(401, "api-key-invalid")
        roster = _roster_path(path.partition("?")[0])
        if body is None:
            return (200, self._roster(int(roster[1]))) if roster else _problem(404, "not-found")
        if set(body) != _MEMBERS.get(path) or body["sdkAppId"] != APP:
            return _problem(400, "invalid-request")
        if path == "/v1/room-urls":
            return 200, {"roomUrl": f"room://cloud.tencent.com?userid={body['userId']}"}
        tickets = {"userSig": f"sig-{body['userId']}", "keyId": "0" * 16}
        if "roomId" in body:
            tickets["privateMapKey"] = f"key-{body['userId']}-{body['roomId']}"
        return 200, body | tickets

    def relayed(self, raw: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        """Status and JSON of a relayed report; it changes the roster."""
        try:
            Webhook(RELAY_SECRET).verify(raw, headers)
        except WebhookVerificationError:
            return _problem(401, "relay-signature-invalid")
        report = json.loads(raw)
        with self.lock:
            self.reports.append(report)
            room, user = self.rosters[report["roomId"]], report["userId"]
            if report.get("left"):
                room.pop(user, None)
            else:
                room.setdefault(user, report["epoch"])
        resend = {"resend": True} if self.resend and report.get("heartbeat") else {}
        return 200, {"outcome": "applied", "version": 1, **resend}

    def _roster(self, room_id: int) -> dict[str, Any]:
        with self.lock:
            members = [{"userId": u, "since": t} for u, t in self.rosters[room_id].items()]
        return {"sdkAppId": APP, "roomId": room_id, "size": len(members), "members": members}

    def __exit__(self, *error: object) -> None:
        """Let go of requests that wait."""
        self.ended.set()
        super().__exit__(None, None, None)


def now_ms() -> int:
    """Unix ms."""
    return int(time.time() * 1000)


def problem(status: int, code: str) -> dict[str, Any]:
    """Problem details as Roomgate answers them."""
    return {"type": f"urn:x:{code}", "status": status, "code": code, "detail": f"It is {code}."}


def _problem(status: int, code: str) -> tuple[int, Any]:
    return status, problem(status, code)


def _handler(fake: FakeRoomgate) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fake.requests.append((self.path, json.loads(raw) if raw else None))
            if fake.silent:
                fake.ended.wait()
                return
            trouble = fake.trouble
            if trouble is None:
                if self.path == "/v1/relays/example/userlist-reports":
                    trouble = Trouble(*fake.relayed(raw, dict(self.headers)))
                else:
                    key = self.headers.get("Authorization", "")
                    trouble = Trouble(*fake.answer(self.path, key, json.loads(raw or b"null")))
            self._send(trouble)

        do_GET = do_POST  # noqa: N815 (http.server's own name)

        def _send(self, answer: Trouble) -> None:
            body = answer.body
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(content)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's own name)
            """Say nothing."""

    return Handler
