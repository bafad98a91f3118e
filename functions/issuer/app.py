"""issuer: tickets, entries, room URLs, inspections and public keys, for backends."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from chalice.app import Chalice, Response

from chalicelib.api import issuer_types as types
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
from chalicelib.trtc import room_key

app = Chalice(app_name="issuer")

store = store_of(os.environ)
names = Names(os.environ["ROOMGATE_STACK"])
failures = store_failures(app.app_name)
stale = float(os.environ.get("ROOMGATE_KEY_STALE_HOURS", "24")) * 3600
applications = Applications(store, names, failures, key_ages(app.app_name), stale)
report_keys = ReportTokenKeys(store, names, failures)
callers = Callers(store, names, failures)
issuer = Issuer(applications, report_keys, os.environ["ROOMGATE_REPORT_URL"], failures)
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

caller_route = partial(Route, auth=callers.authenticate, tell=Caller.facts, scheme="apiKey")
post = partial(caller_route, "POST", most=types.BODY_MOST)
ticket_post = partial(post, event="ticket", refused="TicketsRefused")


def note(call: Call[Caller], **facts: Any) -> None:
    """Say in the log line for whom a caller asks; never what was issued."""
    wanted = call.body
    call.facts |= {"sdkAppId": wanted.sdk_app_id, "userId": wanted.user_id}
    if getattr(wanted, "room", None) is not None:
        call.facts["room"] = room_key(wanted.room)
    call.facts |= facts


@gate.route(
    ticket_post(
        "/v1/entries",
        "All that a user needs to enter a room",
        types.ENTRY_ANSWER,
        types.ENTRY_REQUEST,
        problems=(*TICKET_PROBLEMS, *ROOM_PROBLEMS),
    )
)
def entries(call: Call[Caller]) -> Response:
    """Both tickets, the roomsig request as data, the rtc URL, and a report token."""
    wanted = call.body
    note(call, userSigTtl=wanted.user_sig_ttl, privateMapKeyTtl=wanted.private_map_key_ttl)
    issued = issuer.entry(call.who, wanted, call.now_ms)
    call.counts["TicketsIssued"] = 2
    call.facts |= {
        "keyId": issued["keyId"],
        "userSigTtl": issued["userSigExpiresAt"] - call.now,
        "privateMapKeyTtl": issued["privateMapKeyExpiresAt"] - call.now,
    }
    return answer(issued)


@gate.route(
    ticket_post(
        "/v1/user-sigs",
        "A userSig",
        types.USER_SIG_ANSWER,
        types.USER_SIG_REQUEST,
        problems=TICKET_PROBLEMS,
    )
)
def user_sigs(call: Call[Caller]) -> Response:
    """One userSig."""
    note(call, ttl=call.body.ttl)
    return _ticket(call, issuer.user_sig(call.who, call.body, call.now))


@gate.route(
    ticket_post(
        "/v1/private-map-keys",
        "A privateMapKey",
        types.ROOM_TICKET_ANSWER,
        types.ROOM_TICKET_REQUEST,
        problems=(*TICKET_PROBLEMS, *ROOM_PROBLEMS),
    )
)
def private_map_keys(call: Call[Caller]) -> Response:
    """One privateMapKey."""
    note(call, ttl=call.body.ttl)
    return _ticket(call, issuer.private_map_key(call.who, call.body, call.now))


def _ticket(call: Call[Caller], issued: dict[str, Any]) -> Response:
    call.counts["TicketsIssued"] = 1
    call.facts |= {"keyId": issued["keyId"], "ttl": issued["expiresAt"] - call.now}
    return answer(issued)


@gate.route(
    post(
        "/v1/room-urls",
        "The room URL, from Tencent's answer to the roomsig request",
        types.ROOM_URL_ANSWER,
        types.ROOM_URL_REQUEST,
        problems=(
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
def room_urls(call: Call[Caller]) -> Response:
    """The room:// URL, or why there is none."""
    note(call)
    return answer(room_url_for(call.who, call.body))


@gate.route(
    post(
        "/v1/inspections",
        "What a ticket says, and what is wrong with it",
        types.INSPECTION_ANSWER,
        types.INSPECTION_REQUEST,
        problems=(*CALLER_PROBLEMS, "application-not-allowed", *KEY_PROBLEMS),
        event="inspection",
    )
)
def inspections(call: Call[Caller]) -> Response:
    """A ticket's fields and a verdict in Tencent's codes."""
    note(call)
    found = inspector.inspect(call.who, call.body, call.now)
    call.facts["verdict"] = found["verdict"]["code"]
    return answer(found)


@gate.route(
    caller_route(
        "GET",
        "/v1/apps/{app}/keys",
        "An application's keys: ids, states, public parts",
        types.KEYS_ANSWER,
        problems=(*CALLER_PROBLEMS, "application-not-allowed", "invalid-request", *KEY_PROBLEMS),
        parameters=(APP_PARAMETER,),
        event="keys",
    )
)
def keys(call: Call[Caller]) -> Response:
    """Which key signs now, and which still verifies."""
    sdk_app_id = app_of(call.path)
    call.facts["sdkAppId"] = sdk_app_id
    return answer(inspector.keys(call.who, sdk_app_id))
