"""A member's mini-program, stood in: it asks for its roomsig and reports who it sees."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = 10.0


def ask_for_roomsig(request: Mapping[str, Any], stand_in: str) -> Any:
    """Send the roomsig request of an entry, as the client must: path, query and body as they are.

    Args:
        request: ``roomsigRequest`` of an entry.
        stand_in: the URL that takes the place of Tencent's scheme and host.

    Raises:
        ValueError: the stand-in is not on this host. Nobody but a real client may send a real one.
    """
    host = urlsplit(stand_in)
    if host.hostname != "127.0.0.1":
        raise ValueError("A roomsig request goes to a stand-in on 127.0.0.1 only.")
    wanted = urlsplit(request["url"])
    connection = HTTPConnection(host.hostname, host.port, timeout=_SECONDS)
    try:
        body = json.dumps(request["body"])
        target = f"{wanted.path}?{wanted.query}"
        connection.request(request["method"], target, body, dict(request["headers"]))
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def userlist_event(sdk_app_id: int, room: int, others: list[str]) -> dict[str, Any]:
    """Push event 1020 of ``<live-pusher>``: everyone in the room but the reporter itself."""
    userlist = [
        {"userid": user, "playurl": f"room://183.3.225.15:1935/webrtc/{sdk_app_id}_{room}_{user}"}
        for user in others
    ]
    return {"code": 1020, "message": json.dumps({"userlist": userlist})}
