"""Tencent's roomsig service, stood in: an HTTP server on 127.0.0.1.

It checks both tickets with the application's public key, as the real one does, and refuses in the
real one's two shapes: what is wrong with the userSig at top level, what is wrong with the
privateMapKey inside RspHead.
"""

from __future__ import annotations

import json
import secrets
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from chalicelib.tickets import (
    TicketRefused,
    load_public_key,
    verify_private_map_key,
    verify_user_sig,
)
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.loopback import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATH: Final = "/v4/openim/jsonvideoapp"
_PARAMETER_WRONG: Final = 82
_LARGEST_BODY: Final = 64 * 1024


class TencentEmulator(LoopbackServer):
    """The stand-in; a context manager.

    Args:
        sdk_app_id: the one application it knows.
        public_pem: the public half of the application's key.
        clock: unix time in seconds.
    """

    def __init__(
        self, sdk_app_id: int, public_pem: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._sdk_app_id = sdk_app_id
        self._keys = [load_public_key(public_pem)]
        self._clock = clock
        super().__init__(_handler_for(self.answer))

    def answer(self, query: Mapping[str, str], body: Any) -> dict[str, Any]:
        """What the service answers.

        Args:
            query: the request's parameters.
            body: its parsed JSON.
        """
        now = int(self._clock())
        try:
            user_id, room, ticket = _asked(query, body)
            if query.get("sdkappid") != str(self._sdk_app_id):
                return _gateway_failure(70014, "sdkappid is not this application's")
            verify_user_sig(
                query.get("usersig", ""),
                self._keys,
                sdk_app_id=self._sdk_app_id,
                user_id=user_id,
                now=now,
            )
        except TicketRefused as refused:
            return _gateway_failure(refused.user_sig_code, str(refused))
        except (KeyError, TypeError):
            return _ticket_failure(_PARAMETER_WRONG, "a parameter is missing or wrong")
        return self._room_answer(ticket, user_id, room, now)

    def _room_answer(self, ticket: str, user_id: str, room: int, now: int) -> dict[str, Any]:
        app = self._sdk_app_id
        try:
            verify_private_map_key(
                ticket, self._keys, sdk_app_id=app, user_id=user_id, room=parse_room(room), now=now
            )
        except TicketRefused as refused:
            return _ticket_failure(refused.private_map_key_code, str(refused))
        roomsig = {"Sdkappid": app, "RoomId": room, "UserId": user_id, "Sig": secrets.token_hex(16)}
        return {"RspHead": {"ErrorCode": 0, "ErrorInfo": ""}, "RspBody": roomsig}


def _asked(query: Mapping[str, str], body: Any) -> tuple[str, int, str]:
    """The user, the room and the privateMapKey; KeyError or TypeError where one is not usable."""
    room, ticket = body["ReqHead"]["GroupId"], body["ReqBody"]["PrivMapEncrypt"]
    if type(room) is not int or not isinstance(ticket, str):
        raise TypeError
    return query["identifier"], room, ticket


def _gateway_failure(code: int, info: str) -> dict[str, Any]:
    return {"ActionStatus": "FAIL", "ErrorCode": code, "ErrorInfo": info}


def _ticket_failure(code: int, info: str) -> dict[str, Any]:
    return {"RspHead": {"ErrorCode": code, "ErrorInfo": info}}


def _handler_for(
    answer: Callable[[Mapping[str, str], Any], dict[str, Any]],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            target = urlsplit(self.path)
            if target.path != PATH:
                self.send_error(404)
                return
            # A "+" stands for itself: tickets in plain base64, which verifiers take too, hold it.
            query = dict(parse_qsl(target.query.replace("+", "%2B"), keep_blank_values=True))
            self._send(answer(query, self._body()))

        def _body(self) -> Any:
            length = min(int(self.headers.get("Content-Length", 0)), _LARGEST_BODY)
            try:
                return json.loads(self.rfile.read(length))
            except ValueError:
                return None

        def _send(self, answered: dict[str, Any]) -> None:
            content = json.dumps(answered).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's own name)
            """Say nothing: the request line holds a userSig."""

    return Handler
