"""WeChat's ``code2session``, stood in: an HTTP server on 127.0.0.1.

It takes any login code once, as WeChat does. The part of a code before its first dot is the user:
``anna.1`` and ``anna.2`` are two logins of one person. A code that begins with ``invalid`` is
refused.
"""

from __future__ import annotations

import json
import secrets
import threading
from base64 import urlsafe_b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from infra.emulators.loopback import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH: Final = "/sns/jscode2session"
_PARAMETERS: Final = {"appid", "secret", "js_code", "grant_type"}
_OPENID_CHARACTERS: Final = 28


class WechatEmulator(LoopbackServer):
    """The stand-in; a context manager.

    Args:
        app_id: the one mini-program that it knows.
        app_secret: that mini-program's AppSecret.

    Attributes:
        session_keys: those that it has answered so far.
    """

    def __init__(self, app_id: str, app_secret: str) -> None:
        self._app_id, self._app_secret = app_id, app_secret
        self.session_keys: list[str] = []
        self._used: set[str] = set()
        self._lock = threading.Lock()
        super().__init__(_handler_for(self))

    def answer(self, query: Mapping[str, str]) -> dict[str, Any]:
        """What ``code2session`` answers.

        Args:
            query: the request's parameters.
        """
        if set(query) != _PARAMETERS or query["grant_type"] != "authorization_code":
            return _failure(40002, "invalid grant_type")
        if query["appid"] != self._app_id:
            return _failure(40013, "invalid appid")
        if not secrets.compare_digest(query["secret"], self._app_secret):
            return _failure(40125, "invalid appsecret")
        code = query["js_code"]
        if not code or code.startswith("invalid"):
            return _failure(40029, "invalid code")
        with self._lock:
            if code in self._used:
                return _failure(40163, "code been used")
            self._used.add(code)
            self.session_keys.append(urlsafe_b64encode(secrets.token_bytes(16)).decode())
            session_key = self.session_keys[-1]
        return {"openid": openid_of(code.partition(".")[0]), "session_key": session_key}


def openid_of(user: str) -> str:
    """The openid of a user: 28 characters that begin with an o, as WeChat's do."""
    digest = urlsafe_b64encode(sha256(user.encode()).digest()).decode()
    return f"o{digest}"[:_OPENID_CHARACTERS]


def _failure(code: int, message: str) -> dict[str, Any]:
    return {"errcode": code, "errmsg": message}


def _handler_for(emulator: WechatEmulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = urlsplit(self.path)
            if target.path != PATH:
                self.send_error(404)
                return
            content = json.dumps(emulator.answer(dict(parse_qsl(target.query)))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")  # As WeChat does.
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's own name)
            """Say nothing: the request line holds the AppSecret."""

    return Handler
