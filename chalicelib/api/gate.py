"""A Gate wraps a Chalice app, so that each route only decodes, calls and answers.

For every request the gate authenticates the caller, decodes the body, turns an ApiError into a
problem, and writes one log line.
"""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from chalice.app import Request, Response

from chalicelib.api.bodies import read_json, read_raw
from chalicelib.api.cross_origin import allowed_headers, preflight_headers
from chalicelib.api.log import log
from chalicelib.api.parameters import query_of
from chalicelib.api.problems import problem_response
from chalicelib.errors import ApiError
from chalicelib.schema import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalice.app import Chalice

    from chalicelib.schema import Type

Who = TypeVar("Who")
Body = TypeVar("Body")

_FAULT = 500
NO_STORE = {"Content-Type": "application/json", "Cache-Control": "no-store"}

_encode = json.JSONEncoder(separators=(",", ":")).encode  # Made once: json.dumps makes one a call.


class Call(Generic[Who, Body]):
    """One request, checked and decoded.

    Attributes:
        who: what the route's ``auth`` or ``signed`` returned, as a Caller; None for a public route.
        body: the decoded body; None for a route without one.
        path: path parameters.
        query: query parameters, by name; only of a GET that declares parameters.
        headers: request headers, by lower-case name.
        now_ms: unix time in ms at which the request came in.
        request_id: API Gateway's id of the request.
        facts: fields of the log line, to which a route adds; never a ticket, key or token.
        outcome: the result, for the log line: ``ok`` unless a route sets a better word.
        counts: metrics of the log line, by name; not counted if the route raises ApiError.
    """

    def __init__(self, who: Who, body: Body, request: Request, now_ms: int) -> None:
        self.who = who
        self.body = body
        self.path: dict[str, str] = request.uri_params or {}
        self.query: dict[str, str] = {}
        self.headers = request.headers
        self.now_ms = now_ms
        self.request_id: str | None = request.context.get("requestId")
        self.facts: dict[str, Any] = {}
        self.outcome = "ok"
        self.counts: dict[str, int] = {}

    @property
    def now(self) -> int:
        """Unix time in seconds."""
        return self.now_ms // 1000


class SignedRequest(NamedTuple):
    """A request whose signature is checked before its body is decoded.

    Attributes:
        path: path parameters.
        headers: request headers, by lower-case name.
        raw: the body, byte for byte.
    """

    path: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes


class Route(NamedTuple, Generic[Who, Body]):
    """A route: what the gate needs to serve it, and what the API document says of it.

    ``Who`` is what ``auth`` or ``signed`` returns, ``Body`` what ``body`` decodes to; None if the
    route has no such thing.

    Attributes:
        answer: the type of a 200's body, or None if it has no declaration.
        body: the type of the request's body, or None for a route without one.
        max_bytes: the size of the largest body that is read.
        read: returns what ``body`` decodes: parsed JSON, or raw bytes.
        auth: authenticates by the Authorization header and the unix time in seconds; raises
            ApiError. A route with neither ``auth`` nor ``signed`` is public.
        signed: authenticates by a signature of the body instead; raises ApiError.
        log_fields: fields of the log line about who calls; logged for refusals too.
        scheme: the security scheme of ``auth`` or ``signed`` in the API document.
        problems: codes of its problems, besides the common ones.
        parameters: path, query and header parameters, as OpenAPI parameter objects.
        tagged: its answers carry an ETag, and may be a 304.
        cross_origin: pages of the gate's web origins may call it.
        event: the log line's event.
        refusals_metric: the metric that counts refusals by reason, which is the problem's code.
    """

    method: str
    path: str
    summary: str
    answer: Type[Any] | None
    body: Type[Body] | None = None
    max_bytes: int = 0
    auth: Callable[[str | None, float], Who] | None = None
    log_fields: Callable[[Who], dict[str, Any]] = lambda _who: {}
    scheme: str = ""
    problems: tuple[str, ...] = ()
    parameters: tuple[dict[str, Any], ...] = ()
    tagged: bool = False
    cross_origin: bool = False
    event: str = "request"
    refusals_metric: str | None = None
    read: Callable[[Request, int], Any] = read_json
    signed: Callable[[SignedRequest], Who] | None = None


class Gate:
    """Serves the routes of one Chalice app.

    Args:
        app: the Chalice app.
        title: the function's name in its API document.
        ready: whether the keys that the function needs are loaded, for ``/readyz``; it must answer
            from memory.
        origins: web origins whose pages may call the cross-origin routes.
        clock: unix time in seconds, as ``time.time``.
    """

    def __init__(
        self,
        app: Chalice,
        title: str,
        *,
        ready: Callable[[], bool],
        origins: frozenset[str] = frozenset(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.app = app
        self.title = title
        self.routes: list[Route[Any, Any]] = []
        self._origins = origins
        self._clock = clock
        self._document: str | None = None
        app.register_middleware(_chalice_errors_as_problems, "http")
        app.api.binary_types = []  # By default Chalice compares 13 types three times.
        self._serve_health(ready)

    def route(
        self, route: Route[Who, Body]
    ) -> Callable[[Callable[[Call[Who, Body]], Response]], None]:
        """Register a view: it takes the route's Call and returns a Response, or raises ApiError."""

        def register(view: Callable[[Call[Who, Body]], Response]) -> None:
            self.routes.append(route)

            def served(**_path: str) -> Response:
                request = self.app.current_request
                assert request is not None  # Chalice sets it before it calls a view.
                return self._serve(route, view, request)

            # No content types: read_json checks them, so that a wrong one becomes a problem too.
            name = view.__name__
            self.app.route(route.path, methods=[route.method], name=name, content_types=[])(served)
            if route.cross_origin:
                self._answer_preflights(route, f"{name}_preflight")

        return register

    def _answer_preflights(self, route: Route[Any, Any], name: str) -> None:
        """Serve OPTIONS of a route: API Gateway's own answer could name one origin only."""

        def preflight(**_path: str) -> Response:
            request = self.app.current_request
            assert request is not None  # Chalice sets it before it calls a view.
            origin = request.headers.get("origin")
            headers = preflight_headers(route.method, origin, self._origins)
            return Response("", status_code=HTTPStatus.NO_CONTENT, headers=dict(headers))

        self.app.route(route.path, methods=["OPTIONS"], name=name, content_types=[])(preflight)

    def _serve(
        self, route: Route[Any, Any], view: Callable[[Call[Any, Any]], Response], request: Request
    ) -> Response:
        # who and body are None until the caller is authenticated and the body is decoded.
        call: Call[Any, Any] = Call(None, None, request, int(self._clock() * 1000))
        response = None
        try:
            response = _respond(route, view, request, call)
            if route.cross_origin:
                origin = call.headers.get("origin")
                response.headers |= allowed_headers(origin, self._origins)
        finally:
            # An unexpected exception gets its log line too; Chalice logs its traceback.
            if route.auth or route.signed:
                self._log(route, call, response)
        return response

    def _log(self, route: Route[Any, Any], call: Call[Any, Any], response: Response | None) -> None:
        facts = {
            "function": self.app.app_name,
            "path": route.path,
            "requestId": call.request_id,
            **call.facts,
            "status": response.status_code if response else _FAULT,
            "outcome": call.outcome if response else "internal-error",
        }
        if route.refusals_metric and facts["status"] >= HTTPStatus.BAD_REQUEST:
            facts["reason"] = facts["outcome"]
            log(call.now_ms, route.event, facts, {route.refusals_metric: 1}, by="reason")
        else:
            log(call.now_ms, route.event, facts, call.counts)

    def _serve_health(self, ready: Callable[[], bool]) -> None:
        @self.route(Route[None, None]("GET", "/healthz", "The process runs", None))
        def healthz(_call: Call[None, None]) -> Response:
            return answer({"status": "ok"})

        loaded = "What the function reads is loaded"

        @self.route(Route[None, None]("GET", "/readyz", loaded, None, problems=("not-ready",)))
        def readyz(_call: Call[None, None]) -> Response:
            if not ready():
                detail = "What this function reads is not loaded yet; the first call loads it."
                raise ApiError("not-ready", detail, retry_after=1)
            return answer({"status": "ready"})

        @self.route(Route[None, None]("GET", "/v1/openapi.json", "This document", None))
        def openapi(_call: Call[None, None]) -> Response:
            if self._document is None:
                # Imported here, since few environments ever serve the document.
                from chalicelib.api.openapi import document  # noqa: PLC0415

                self._document = json.dumps(document(self.title, self.routes), indent=1)
            return Response(self._document, headers={"Content-Type": "application/json"})


def _respond(
    route: Route[Any, Any],
    view: Callable[[Call[Any, Any]], Response],
    request: Request,
    call: Call[Any, Any],
) -> Response:
    try:
        if route.auth:
            call.who = route.auth(call.headers.get("authorization"), call.now_ms / 1000)
            call.facts |= route.log_fields(call.who)
        elif route.signed:
            raw = read_raw(request, route.max_bytes)
            call.who = route.signed(SignedRequest(call.path, call.headers, raw))
            call.facts |= route.log_fields(call.who)
        if route.method == "GET" and route.parameters and request.query_params:
            call.query = query_of(route.parameters, request.query_params)
        if route.body:
            call.body = decode(route.body, route.read(request, route.max_bytes))
        return view(call)
    except ApiError as refusal:
        call.outcome = refusal.code
        call.facts |= refusal.facts
        return problem_response(refusal, call.request_id)


def answer(body: dict[str, Any], headers: dict[str, str] = NO_STORE) -> Response:
    """A 200 with a JSON body that no cache may keep."""
    return Response(_encode(body), headers=dict(headers))


def _chalice_errors_as_problems(
    request: Request, get_response: Callable[[Request], Response]
) -> Response:
    """Turn Chalice's own errors, whose body has a ``Code``, into problems."""
    response = get_response(request)
    if not isinstance(response.body, dict) or "Code" not in response.body:
        return response
    code, detail = _CHALICE_CODES.get(response.status_code, _CHALICE_CODES[500])
    return problem_response(ApiError(code, detail), request.context.get("requestId"))


_CHALICE_CODES = {
    404: ("not-found", "No such path."),
    405: ("method-not-allowed", "This path is served for other methods."),
    500: ("internal-error", "The fault is Roomgate's; its log has the request under requestId."),
}
