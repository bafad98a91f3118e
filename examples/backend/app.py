"""The backend: a WSGI application; ``python -m backend`` serves it.

POST /login        {"code": …}                 WeChat login           -> a session
POST /demo-login   {"userId": …}               for local use only     -> a session
POST /enter        {"roomId": …}               session                -> Roomgate's entry
POST /room-url     {"roomId": …, "answer": …}  session                -> {"roomUrl": …}
GET  /room         ?roomId=…                   session, a member      -> who is in the room
GET  /healthz                                                         -> {"status": "ok"}
POST /weapp/webrtc_room/…                      Tencent's old routes, see weapp.py
"""

from __future__ import annotations

import logging
import os
import re
import time
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import HTTPException
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from .bodies import json_answer, json_of
from .errors import Problem
from .login import is_user_id, new_session, openid_of, user_of
from .roomgate import Roomgate
from .settings import settings_of
from .weapp import PREFIX, Weapp

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication

    from .settings import Settings

_ROOM_ID_MAX: Final = 2**32 - 1

_is_number = re.compile("[0-9]{1,10}").fullmatch
_log = logging.getLogger(__name__)


class Backend:
    """Answers the requests.

    Args:
        settings: from the environment.
        clock: unix time in seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._roomgate = Roomgate(settings)
        self._weapp = Weapp(settings, self._roomgate, clock)
        rules = [
            Rule("/login", methods=["POST"], endpoint=self._login),
            Rule("/enter", methods=["POST"], endpoint=self._enter),
            Rule("/room-url", methods=["POST"], endpoint=self._room_url),
            Rule("/room", methods=["GET"], endpoint=self._room),
            Rule("/healthz", methods=["GET"], endpoint=lambda _request: {"status": "ok"}),
        ]
        if settings.demo_login:
            rules.append(Rule("/demo-login", methods=["POST"], endpoint=self._demo_login))
        if settings.web:
            rules.append(
                Rule("/", methods=["GET"], endpoint=lambda _request: redirect("/index.html"))
            )
        self._routes = Map(rules, strict_slashes=False, merge_slashes=False)

    def answer(self, request: Request) -> Response:
        """Answer one request; every error is JSON with a ``code``."""
        if request.path.startswith(PREFIX):
            return self._weapp.answer(request)
        try:
            handler, _ = self._routes.bind_to_environ(request.environ).match()
            result = handler(request)
        except Problem as problem:
            result = _problem_answer(problem)
        except HTTPException as error:
            status = error.code or 500
            code = error.name.lower().replace(" ", "-")
            result = _problem_answer(Problem(status, code, error.description or error.name))
        except Exception:  # noqa: BLE001 (the last resort: the client gets JSON, the log the rest)
            _log.exception("%s %s failed", request.method, request.path)
            result = _problem_answer(Problem(500, "internal-error", "The backend failed."))
        return result if isinstance(result, Response) else json_answer(200, result)

    def _login(self, request: Request) -> dict[str, Any]:
        """WeChat's login code becomes a session; the userid is the openid."""
        code = json_of(request).get("code")
        if not isinstance(code, str) or not code:
            raise Problem(400, "invalid-request", "code must be what wx.login gave.")
        if not self._settings.wechat_app_id:
            raise Problem(404, "not-found", "This backend has the demo login only.")
        return new_session(openid_of(code, self._settings), self._settings, self._clock())

    def _demo_login(self, request: Request) -> dict[str, Any]:
        """Anyone becomes anyone: LOCAL USE ONLY. ``demo-`` keeps them apart from openids."""
        name = json_of(request).get("userId")
        user_id = f"demo-{name}"
        if not isinstance(name, str) or not is_user_id(user_id):
            raise Problem(400, "invalid-request", "userId must be 1 to 27 of A-Z a-z 0-9 _ -")
        return new_session(user_id, self._settings, self._clock())

    def _enter(self, request: Request) -> dict[str, Any]:
        """All that the user needs to enter the room.

        Here a backend of your own decides whether this user may enter this room, and as what: add
        ``role="audience"`` for those who only watch. This one lets everybody in who is logged in.
        """
        user_id, room_id = self._user(request), room_id_of(json_of(request).get("roomId"))
        return self._roomgate.issue("/v1/entries", userId=user_id, roomId=room_id)

    def _room_url(self, request: Request) -> dict[str, Any]:
        """The room URL, from Tencent's answer to the roomsig request that the client sent."""
        user_id, body = self._user(request), json_of(request)
        room_id, answer = room_id_of(body.get("roomId")), body.get("answer")
        return self._roomgate.issue("/v1/room-urls", userId=user_id, roomId=room_id, answer=answer)

    def _room(self, request: Request) -> dict[str, Any]:
        """Who is in the room, for those who are in it themselves."""
        user_id, text = self._user(request), request.args.get("roomId", "")
        room_id = room_id_of(int(text) if _is_number(text) else text)
        members = self._roomgate.roster(room_id, user_id)["members"]
        if not any(member["userId"] == user_id for member in members):
            raise Problem(403, "not-in-room", "Only who is in the room may see who is in it.")
        return {"roomId": room_id, "members": members}

    def _user(self, request: Request) -> str:
        return user_of(request.headers.get("Authorization", ""), self._settings, self._clock())


def application(settings: Settings, clock: Callable[[], float] = time.time) -> WSGIApplication:
    """The WSGI application: the backend, and the web page where its folder is set.

    The page lies at ``/``, and its library (``../member`` beside its folder) at ``/member``.
    """
    served: WSGIApplication = Request.application(Backend(settings, clock).answer)
    if not settings.web:
        return served
    library = settings.web.resolve().parent / "member"
    folders = {"/member": str(library)} if library.is_dir() else {}
    return SharedDataMiddleware(served, {**folders, "/": str(settings.web)}, cache=False)


def create_app() -> WSGIApplication:
    """The application of this process's environment, for any WSGI server."""
    return application(settings_of(os.environ))


def room_id_of(value: Any) -> int:
    """A roomId: a whole number from 1 to 4294967295; else a Problem."""
    if type(value) is int and 1 <= value <= _ROOM_ID_MAX:
        return value
    raise Problem(400, "invalid-request", f"roomId must be a number from 1 to {_ROOM_ID_MAX}.")


def _problem_answer(problem: Problem) -> Response:
    response = json_answer(problem.status, {"code": problem.code, "detail": problem.detail})
    if problem.retry_after:
        response.headers["Retry-After"] = problem.retry_after
    return response
