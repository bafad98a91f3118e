"""issuer: tickets, entries, room URLs, inspections and public keys, for backends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from chalice.app import Chalice, Response

from chalicelib.api import issuer as types
from chalicelib.api.gate import Call, Gate, Route, answer
from chalicelib.api.log import key_ages, store_failures
from chalicelib.api.parameters import APP_PARAMETER, app_of
from chalicelib.auth.api_keys import Callers
from chalicelib.auth.caller import Caller
from chalicelib.auth.report_tokens import ReportTokenKeys
from chalicelib.entries import Inspector, Issuer, room_url_for
from chalicelib.keys.applications import Applications
from chalicelib.stores.names import Names
from chalicelib.stores.preload import preload
from chalicelib.stores.store import store_of

if TYPE_CHECKING:
    from chalicelib.entries import (
        EntryRequest,
        InspectionRequest,
        RoomTicketRequest,
        RoomUrlRequest,
        UserSigRequest,
    )
    from chalicelib.schema import Type
    from chalicelib.trtc import Room

Body = TypeVar("Body")

app = Chalice(app_name="issuer")

store = store_of(os.environ)
names = Names(os.environ["ROOMGATE_STACK"])
failures = store_failures(app.app_name)
stale = float(os.environ.get("ROOMGATE_KEY_STALE_HOURS", "24")) * 3600
applications = Applications(store, names, failures, key_ages(app.app_name), stale)
report_keys = ReportTokenKeys(store, names, failures)
callers = Callers(store, names, failures)
issuer = Issuer(applications, report_keys, os.environ["ROOMGATE_WEBHOOK_URL"], failures)
inspector = Inspector(applications)

if store.preloads and "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    preload(report_keys.preload, callers.preload, applications.preload)

gate = Gate(app, "issuer", ready=lambda: callers.loaded() and report_keys.loaded())

KEY_PROBLEMS = ("unknown-application", "no-signing-key", "store-unavailable")
CALLER_PROBLEMS = ("api-key-missing", "api-key-invalid", "api-key-ended", "action-not-allowed")
TICKET_PROBLEMS = (
    *CALLER_PROBLEMS,
    "application-not-allowed",
    "user-not-allowed",
    "ttl-not-allowed",
    "ttl-out-of-bounds",
    *KEY_PROBLEMS,
)
ROOM_PROBLEMS = ("room-not-allowed", "string-room-unsupported")


def caller_route(  # noqa: PLR0917 (as a route is read: path, summary, answer, body)
    path: str,
    summary: str,
    answer_type: Type[Any],
    body: Type[Body],
    problems: tuple[str, ...],
    event: str,
    refusals_metric: str | None = None,
) -> Route[Caller, Body]:
    """A POST route for callers with an API key."""
    return Route(
        "POST",
        path,
        summary,
        answer_type,
        body,
        max_bytes=types.BODY_MOST,
        auth=callers.authenticate,
        log_fields=Caller.facts,
        scheme="apiKey",
        problems=problems,
        event=event,
        refusals_metric=refusals_metric,
    )


def ticket_route(
    path: str, summary: str, answer_type: Type[Any], body: Type[Body], problems: tuple[str, ...]
) -> Route[Caller, Body]:
    """A route that issues tickets; its refusals are counted by reason."""
    return caller_route(path, summary, answer_type, body, problems, "ticket", "TicketsRefused")


def log_user(
    call: Call[Caller, Any], app_id: int, user_id: str | None, room: Room | None = None
) -> None:
    """Name the user and the room of a request in its log line; never what was issued."""
    call.facts |= {"sdkAppId": app_id, "userId": user_id}
    if room is not None:
        call.facts["room"] = room.key


@gate.route(
    ticket_route(
        "/v1/entries",
        "All that a user needs to enter a room",
        types.ENTRY_ANSWER,
        types.ENTRY_REQUEST,
        (*TICKET_PROBLEMS, *ROOM_PROBLEMS),
    )
)
def entries(call: Call[Caller, EntryRequest]) -> Response:
    """Both tickets, the roomsig request for the client to send, the rtc URL, a report token."""
    request = call.body
    log_user(call, request.sdk_app_id, request.user_id, request.room)
    call.facts |= {
        "userSigTtl": request.user_sig_ttl,
        "privateMapKeyTtl": request.private_map_key_ttl,
    }
    entry = issuer.entry(call.who, request, call.now_ms)
    call.counts["TicketsIssued"] = 2
    call.facts |= {
        "keyId": entry.key_id,
        "userSigTtl": entry.user_sig_expires_at - call.now,
        "privateMapKeyTtl": entry.private_map_key_expires_at - call.now,
    }
    return answer(types.ENTRY_ANSWER.encode(entry))


@gate.route(
    ticket_route(
        "/v1/user-sigs",
        "A userSig",
        types.USER_SIG_ANSWER,
        types.USER_SIG_REQUEST,
        TICKET_PROBLEMS,
    )
)
def user_sigs(call: Call[Caller, UserSigRequest]) -> Response:
    """One userSig."""
    request = call.body
    log_user(call, request.sdk_app_id, request.user_id)
    call.facts["ttl"] = request.ttl
    user_sig = issuer.user_sig(call.who, request, call.now)
    count_ticket(call, user_sig.key_id, user_sig.expires_at)
    return answer(types.USER_SIG_ANSWER.encode(user_sig))


@gate.route(
    ticket_route(
        "/v1/private-map-keys",
        "A privateMapKey",
        types.ROOM_TICKET_ANSWER,
        types.ROOM_TICKET_REQUEST,
        (*TICKET_PROBLEMS, *ROOM_PROBLEMS),
    )
)
def private_map_keys(call: Call[Caller, RoomTicketRequest]) -> Response:
    """One privateMapKey."""
    request = call.body
    log_user(call, request.sdk_app_id, request.user_id, request.room)
    call.facts["ttl"] = request.ttl
    private_map_key = issuer.private_map_key(call.who, request, call.now)
    count_ticket(call, private_map_key.key_id, private_map_key.expires_at)
    return answer(types.ROOM_TICKET_ANSWER.encode(private_map_key))


def count_ticket(call: Call[Caller, Any], key_id: str, expires_at: int) -> None:
    """Count one ticket; its log line names the key and the ttl in seconds."""
    call.counts["TicketsIssued"] = 1
    call.facts |= {"keyId": key_id, "ttl": expires_at - call.now}


@gate.route(
    caller_route(
        "/v1/room-urls",
        "The room URL, from Tencent's answer to the roomsig request",
        types.ROOM_URL_ANSWER,
        types.ROOM_URL_REQUEST,
        (
            *CALLER_PROBLEMS,
            "application-not-allowed",
            "user-not-allowed",
            "room-not-allowed",
            "roomsig-refused",
            "roomsig-unusable",
        ),
        event="room-url",
    )
)
def room_urls(call: Call[Caller, RoomUrlRequest]) -> Response:
    """The room:// URL, or a problem that says why there is none."""
    request = call.body
    log_user(call, request.sdk_app_id, request.user_id, request.room)
    url = room_url_for(call.who, request)
    return answer(types.ROOM_URL_ANSWER.encode(types.RoomUrlAnswer(url)))


@gate.route(
    caller_route(
        "/v1/inspections",
        "What a ticket says, and what is wrong with it",
        types.INSPECTION_ANSWER,
        types.INSPECTION_REQUEST,
        (*CALLER_PROBLEMS, "application-not-allowed", *KEY_PROBLEMS),
        event="inspection",
    )
)
def inspections(call: Call[Caller, InspectionRequest]) -> Response:
    """A ticket's fields and a verdict in Tencent's codes."""
    request = call.body
    log_user(call, request.sdk_app_id, request.user_id, request.room)
    explanation = inspector.inspect(call.who, request, call.now)
    call.facts["verdict"] = explanation.code
    return answer(types.INSPECTION_ANSWER.encode(explanation))


@gate.route(
    Route[Caller, None](
        "GET",
        "/v1/apps/{app}/keys",
        "An application's keys: ids, states, public parts",
        types.KEYS_ANSWER,
        auth=callers.authenticate,
        log_fields=Caller.facts,
        scheme="apiKey",
        problems=(*CALLER_PROBLEMS, "application-not-allowed", "invalid-request", *KEY_PROBLEMS),
        parameters=(APP_PARAMETER,),
        event="keys",
    )
)
def keys(call: Call[Caller, None]) -> Response:
    """Which key signs now, and which still verifies."""
    sdk_app_id = app_of(call.path)
    call.facts["sdkAppId"] = sdk_app_id
    application_keys = types.ApplicationKeys(sdk_app_id, inspector.keys(call.who, sdk_app_id))
    return answer(types.KEYS_ANSWER.encode(application_keys))
