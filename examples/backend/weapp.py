"""The seven routes of Tencent's old demo backend, for the sample apps that still call them.

Those clients send no login, so whoever reaches these routes may enter any room as anyone. They are
off unless EXAMPLE_UNAUTHENTICATED_WEAPP says otherwise.

The clients look at ``code`` in the body alone, and read a body without one as success. So every
answer under the prefix has a numeric code, whatever happens, and it is 0 for success only.
"""

from __future__ import annotations

import logging
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import HTTPException

from .bodies import json_answer, json_of
from .errors import Problem
from .login import is_user_id
from .presence import Presence
from .weapp_store import NoSuchRoom, Room, RoomFull, WeappStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request, Response

    from .roomgate import Roomgate
    from .settings import Settings

PREFIX: Final = "/weapp/"
CAPACITY: Final = 4
"""How many the old sample's rooms hold."""

# Tencent's codes.
PARAMETER_MISSING: Final = 2
NO_SUCH_ROOM: Final = 3
BAD_USER_ID: Final = 7
ROOM_INFO_TOO_LONG: Final = 11
ROOM_FULL: Final = 5001
# This backend's own.
NOT_UNDERSTOOD: Final = 9001
NOT_INSIDE: Final = 9002
ROOMGATE_FAILED: Final = 9003
BACKEND_FAILED: Final = 9004

_ROOM_ID_MAX: Final = 2**32 - 1
_MOST_TITLE: Final = 1024  # characters of roomInfo
_MOST_SHORT: Final = 128  # characters of nickName and roomType
_MOST_ROOMS: Final = 100  # rooms in one answer
_MOST_LOOKED_AFTER: Final = 20  # abandoned rooms that one request sees to

_is_room_id = re.compile("[0-9]{1,10}").fullmatch
_is_surrogate = re.compile("[\ud800-\udfff]").search  # Half of a pair: no UTF-8 for it.
_log = logging.getLogger(__name__)


class WeappError(Exception):
    """An answer that is no success.

    Attributes:
        code: for the client; not 0.
        status: of HTTP; the clients do not look at it.
    """

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Weapp:
    """Answers everything under the prefix.

    Who is in a room is what heartbeats say here and what Roomgate's roster says of all others.

    Args:
        settings: says whether the routes are on.
        roomgate: tickets and rosters.
        clock: unix time in seconds.
    """

    def __init__(self, settings: Settings, roomgate: Roomgate, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._roomgate = roomgate
        self._clock = clock
        self._routes: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        if not settings.weapp:
            return
        self._store = WeappStore(settings.database)
        self._presence = Presence(settings, self._store, clock) if settings.relay_id else None
        self._routes = {
            f"{PREFIX}webrtc_room/{name}": handler
            for name, handler in {
                "get_login_info": self._get_login_info,
                "create_room": self._create_room,
                "enter_room": self._enter_room,
                "quit_room": self._quit_room,
                "heartbeat": self._heartbeat,
                "get_room_list": self._get_room_list,
                "get_room_members": self._get_room_members,
            }.items()
        }

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        try:
            return json_answer(200, {"code": 0, "message": "", **self._result(request)})
        except WeappError as error:
            code, message, status = error.code, str(error), error.status
        except NoSuchRoom:
            code, message, status = NO_SUCH_ROOM, "There is no such room.", 404
        except RoomFull:
            code, message, status = ROOM_FULL, f"The room holds {CAPACITY} members.", 409
        except Problem as problem:
            code, message, status = ROOMGATE_FAILED, problem.detail, problem.status
        except HTTPException as error:
            code, message, status = NOT_UNDERSTOOD, error.description or "", error.code or 400
        except Exception:  # noqa: BLE001 (the last resort: a body without a code reads as success)
            _log.exception("%s failed", request.path)
            code, message, status = BACKEND_FAILED, "The backend failed.", 500
        return json_answer(status, {"code": code, "message": message})

    def _result(self, request: Request) -> dict[str, Any]:
        handler = self._routes.get(request.path)
        if handler is None:
            off = "" if self._routes else "; these routes are off"
            raise WeappError(NOT_UNDERSTOOD, f"There is nothing at this path{off}.", 404)
        if request.method != "POST":
            raise WeappError(NOT_UNDERSTOOD, "The method is POST.", 405)
        body = json_of(request)
        gone = self._store.expire(self._clock())
        if self._presence:
            self._presence.departed(gone)
        return handler(body)

    def _get_login_info(self, body: dict[str, Any]) -> dict[str, Any]:
        """A userSig; for a fresh user where none is named."""
        user_id = _user_id(body) if body.get("userID") else f"user_{secrets.token_hex(8)}"
        user_sig = self._roomgate.issue("/v1/user-sigs", userId=user_id)["userSig"]
        app = self._settings.sdk_app_id
        return {"sdkAppID": app, "accountType": "0", "userID": user_id, "userSig": user_sig}

    def _create_room(self, body: dict[str, Any]) -> dict[str, Any]:
        """A room of a random number that is nobody's, with its creator in it."""
        user_id, nickname = _user_id(body), _text(body, "nickName", _MOST_SHORT)
        title, kind = _title(body), _text(body, "roomType", _MOST_SHORT)
        self._look_after_abandoned()
        room_id = self._unused_room_id()
        entered = self._ticket(room_id, user_id)
        room = Room(room_id, title, kind, user_id)
        self._store.create(room, nickname, self._clock())
        self._report(room_id, user_id)
        return {**entered, "roomInfo": title}

    def _unused_room_id(self) -> int:
        """Random, so that nobody guesses it from the clock; a room of others is not taken over."""
        while True:
            room_id = secrets.randbelow(_ROOM_ID_MAX) + 1
            if not self._roomgate.roster(room_id)["members"]:
                return room_id

    def _enter_room(self, body: dict[str, Any]) -> dict[str, Any]:
        """The ticket comes first: a seat is never held for somebody who gets no ticket."""
        user_id, nickname = _user_id(body), _text(body, "nickName", _MOST_SHORT)
        room_id = self._store.room(_room_id(body)).room_id
        entered = self._ticket(room_id, user_id)
        self._join(room_id, user_id, nickname)
        return entered

    def _ticket(self, room_id: int, user_id: str) -> dict[str, Any]:
        ticket = self._roomgate.issue("/v1/private-map-keys", userId=user_id, roomId=room_id)
        key = ticket["privateMapKey"]
        return {"userID": user_id, "roomID": str(room_id), "privateMapKey": key}

    def _join(self, room_id: int, user_id: str, nickname: str) -> None:
        elsewhere, now = self._by_roster(room_id), self._clock()
        self._store.join(
            room_id, user_id, nickname, elsewhere=elsewhere, capacity=CAPACITY, now=now
        )
        self._report(room_id, user_id)

    def _report(self, room_id: int, user_id: str) -> None:
        if self._presence:
            self._presence.heard(room_id, user_id)

    def _quit_room(self, body: dict[str, Any]) -> dict[str, Any]:
        """Leave; again, or after the room is over, that is no error."""
        gone = self._store.quit(_room_id(body), _user_id(body), self._clock())
        if self._presence and gone:
            self._presence.departed([gone])
        return {}

    def _heartbeat(self, body: dict[str, Any]) -> dict[str, Any]:
        """Still here; whose heartbeats had stopped takes a seat again, if there is one."""
        user_id, room_id = _user_id(body), _room_id(body)
        if self._store.hear(room_id, user_id, self._clock()):
            self._report(room_id, user_id)
            return {}
        nickname = self._store.lost_nickname(room_id, user_id)
        if nickname is None:
            raise WeappError(NOT_INSIDE, "The user is not in this room; enter first.", 409)
        self._join(room_id, user_id, nickname)
        return {}

    def _get_room_list(self, body: dict[str, Any]) -> dict[str, Any]:
        index, count = _number(body, "index"), _number(body, "count")
        kind = _text(body, "roomType", _MOST_SHORT)
        self._look_after_abandoned()
        rooms = self._store.rooms(index, min(count, _MOST_ROOMS), kind, self._clock())
        return {
            "rooms": [
                {
                    "roomID": str(room.room_id),
                    "roomInfo": room.title,
                    "roomCreator": room.creator,
                    "roomType": room.type,
                }
                for room in rooms
            ]
        }

    def _get_room_members(self, body: dict[str, Any]) -> dict[str, Any]:
        room_id = self._store.room(_room_id(body)).room_id
        present = self._store.members(room_id)
        nicknames = dict.fromkeys(self._by_roster(room_id), "") | present
        members = [{"userID": user, "nickName": name} for user, name in sorted(nicknames.items())]
        return {"members": members}

    def _by_roster(self, room_id: int) -> set[str]:
        """Who is inside by Roomgate's roster, less those who have left it here since they came."""
        departures = self._store.departures(room_id)
        return {
            member["userId"]
            for member in self._roomgate.roster(room_id)["members"]
            if member["since"] > departures.get(member["userId"], 0) * 1000
        }

    def _look_after_abandoned(self) -> None:
        """Delete rooms that nobody is in any more, neither by heartbeats nor by the roster."""
        for room_id in self._store.abandoned(self._clock(), _MOST_LOOKED_AFTER):
            try:
                inside = self._by_roster(room_id)
            except Problem:  # Logged. The room waits for the next request that looks.
                return
            if inside:
                self._store.keep(room_id, self._clock())
            else:
                self._store.forget(room_id, self._clock())


def _user_id(body: dict[str, Any]) -> str:
    user_id = _needed(body, "userID")
    if not isinstance(user_id, str) or not is_user_id(user_id):
        raise WeappError(BAD_USER_ID, "userID must be 1 to 32 of A-Z a-z 0-9 _ -")
    return user_id


def _room_id(body: dict[str, Any]) -> int:
    text = str(_needed(body, "roomID"))
    if not _is_room_id(text):
        raise NoSuchRoom
    return int(text)


def _title(body: dict[str, Any]) -> str:
    _needed(body, "roomInfo")
    title = body["roomInfo"]
    if isinstance(title, str) and len(title) > _MOST_TITLE:
        raise WeappError(ROOM_INFO_TOO_LONG, f"roomInfo has over {_MOST_TITLE} characters.")
    return _text(body, "roomInfo", _MOST_TITLE)


def _needed(body: dict[str, Any], name: str) -> Any:
    if body.get(name) is None or body[name] == "":
        raise WeappError(PARAMETER_MISSING, f"{name} is missing.")
    return body[name]


def _text(body: dict[str, Any], name: str, most: int) -> str:
    """A text that may be missing."""
    text = body.get(name)
    if text is None:
        return ""
    if not isinstance(text, str) or len(text) > most or _is_surrogate(text):
        raise WeappError(NOT_UNDERSTOOD, f"{name} must be a text of at most {most} characters.")
    return text


def _number(body: dict[str, Any], name: str) -> int:
    number = _needed(body, name)
    if type(number) is not int or not 0 <= number < 2**31:
        raise WeappError(NOT_UNDERSTOOD, f"{name} must be a whole number from 0.")
    return number
