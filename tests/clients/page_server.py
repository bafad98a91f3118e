"""What the web page needs: a backend, Roomgate's report route on another origin, an SDK."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.clients.node import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

WEB: Final = ROOT / "clients" / "web"
MEMBER: Final = ROOT / "clients" / "member"

SDK: Final = """
class FakeTrtc {
  constructor() { this.handlers = {}; this.calls = []; window.trtc = this; }
  on(name, run) { (this.handlers[name] = this.handlers[name] || []).push(run); }
  off(name, run) { this.handlers[name] = (this.handlers[name] || []).filter((r) => r !== run); }
  emit(name, event) { for (const run of this.handlers[name] || []) run(event); }
  async enterRoom(request) { this.calls.push(['enterRoom', request.roomId, request.userSig]); }
  async exitRoom() { this.calls.push(['exitRoom']); }
  async startLocalAudio() {}
  async startLocalVideo() {}
  async startRemoteVideo({ userId }) { this.calls.push(['startRemoteVideo', userId]); }
}
window.TRTC = { create: () => new FakeTrtc(), EVENT: {
  REMOTE_USER_ENTER: 'remote-user-enter', REMOTE_USER_EXIT: 'remote-user-exit',
  REMOTE_VIDEO_AVAILABLE: 'remote-video-available',
  REMOTE_VIDEO_UNAVAILABLE: 'remote-video-unavailable',
  REMOTE_AUDIO_AVAILABLE: 'remote-audio-available',
  REMOTE_AUDIO_UNAVAILABLE: 'remote-audio-unavailable',
  KICKED_OUT: 'kicked-out', CONNECTION_STATE_CHANGED: 'connection-state-changed' } };
"""


class Site(NamedTuple):
    """Where the page is served, and what it sent.

    Attributes:
        url: of the page.
        reports: bodies that reached the report route.
        origins: the Origin of each, preflights among them.
    """

    url: str
    reports: list[dict[str, Any]]
    origins: list[tuple[str, str | None]]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def send(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def send_json(self, body: dict[str, Any], *, status: int = 200, **headers: str) -> None:
        self.send(status, json.dumps(body).encode(), "application/json", **headers)

    def body(self) -> dict[str, Any]:
        text = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        decoded: dict[str, Any] = json.loads(text)
        return decoded


def _reporting(site_origin: list[str], reports: list[dict[str, Any]], origins: list[Any]) -> type:
    class Reports(_Quiet):
        """The report route, with CORS for one origin."""

        def do_OPTIONS(self) -> None:
            self._note()
            allowed = {
                "Access_Control_Allow_Headers": "authorization, content-type, if-none-match",
                "Access_Control_Allow_Methods": "GET, POST",
            }
            self.send(204, b"", "text/plain", **self._cors(), **allowed)

        def do_POST(self) -> None:
            self._note()
            body = self.body()
            reports.append(body)
            answer = {"outcome": "applied", "version": 1, "hash": "0" * 16}
            self.send_json(answer, status=200, **self._cors())

        def do_GET(self) -> None:
            members = [{"userId": "demo-anna", "confirmed": True}, {"userId": "bob"}]
            headers = self._cors() | {"ETag": '"1"', "Access_Control_Expose_Headers": "ETag"}
            if self.headers.get("If-None-Match") == '"1"':
                self.send(304, b"", "application/json", **headers)
            else:
                self.send_json({"roomId": 1234, "members": members}, status=200, **headers)

        def _note(self) -> None:
            origins.append((self.command, self.headers.get("Origin")))

        def _cors(self) -> dict[str, str]:
            return {"Access_Control_Allow_Origin": site_origin[0]}

    return Reports


def _backend(report_url: str, *, sdk: bool) -> type:
    epochs = iter(range(1700000000000, 1800000000000))

    class Backend(_Quiet):
        """The page, the member's library, and a backend that lets everyone in."""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/trtc.js" and sdk:
                self.send(200, SDK.encode(), "text/javascript")
            else:
                super().do_GET()

        def do_HEAD(self) -> None:
            self.send(200 if self.path == "/trtc.js" and sdk else 404, b"", "text/javascript")

        def do_POST(self) -> None:
            body = self.body()
            if self.path == "/demo-login":
                self.send_json({"userId": f"demo-{body['userId']}", "token": "test-session"})
            elif body["roomId"] == 13:
                self.send_json({"code": "room-not-allowed", "detail": "Not this room."}, status=403)
            else:
                self.send_json(_entry(next(epochs), report_url, body["roomId"]))

        def translate_path(self, path: str) -> str:
            path = path.partition("?")[0]
            if path.startswith("/member/"):
                return str(MEMBER / path.removeprefix("/member/"))
            return str(WEB / path.lstrip("/"))

    return Backend


def _entry(epoch: int, report_url: str, room_id: int) -> dict[str, Any]:
    report: dict[str, Any] = {"url": report_url, "token": "test-token", "epoch": epoch}
    report["rosterUrl"] = report_url.replace("userlist-reports", "roster")
    return {
        "sdkAppId": 1400000001,
        "userId": "demo-anna",
        "roomId": room_id,
        "userSig": "test-user-sig",
        "privateMapKey": "test-private-map-key",
        "rtcUrl": "room://cloud.tencent.com/rtc",
        "report": report | {"expiresAt": epoch // 1000 + 86400},
    }


@contextmanager
def _served(handler: type) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def served_page(*, sdk: bool = True) -> Iterator[Site]:
    """Serve the page; ``sdk``: whether the SDK's stand-in lies beside it."""
    reports: list[dict[str, Any]] = []
    origins: list[tuple[str, str | None]] = []
    site_origin = [""]
    with (
        _served(_reporting(site_origin, reports, origins)) as reporting,
        _served(_backend(f"{reporting}/v1/userlist-reports", sdk=sdk)) as site,
    ):
        site_origin[0] = site
        yield Site(f"{site}/index.html", reports, origins)
