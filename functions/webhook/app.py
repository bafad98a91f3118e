"""webhook: the rooms' members report who is inside, backends relay it, Tencent calls back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from chalice.app import Chalice, Response

from chalicelib.callers.callback_keys import CallbackKeys
from chalicelib.callers.callbacks import authenticate_callback, check_time
from chalicelib.callers.relay import Relay
from chalicelib.callers.relay_grants import RelayGrant, authenticate_relay, check_epoch
from chalicelib.callers.report_grants import authenticate_report
from chalicelib.callers.report_tokens import Claims, ReportTokenKeys
from chalicelib.callers.signers import Signers
from chalicelib.events.dynamodb import connect
from chalicelib.events.items import Place, Report
from chalicelib.events.refusals import ReportConflict
from chalicelib.events.table import REPORT_DAYS, EventTable, Outcome
from chalicelib.http import signed_types
from chalicelib.http import webhook_types as types
from chalicelib.http.body import read_raw
from chalicelib.http.gate import Call, Gate, Route, Signed, answer
from chalicelib.http.log import store_failures
from chalicelib.keys.names import Names
from chalicelib.keys.preload import preload
from chalicelib.keys.store import store_of
from chalicelib.rooms import room_key
from chalicelib.roster.parse import parse_pushed
from chalicelib.roster.signal import Source

if TYPE_CHECKING:
    from chalicelib.roster.callback import Callback

app = Chalice(app_name="webhook")

store = store_of(os.environ)
names = Names(os.environ["ROOMGATE_STACK"])
failures = store_failures(app.app_name)
report_keys = ReportTokenKeys(store, names, failures)
relays = Signers(store, names.relay_prefix, Relay.from_json, "relays", failures)
callback_keys = Signers(store, names.callback_prefix, CallbackKeys.from_json, "callbacks", failures)
table = EventTable(
    connect(),
    os.environ["ROOMGATE_TABLE"],
    report_days=int(os.environ.get("ROOMGATE_REPORT_DAYS", REPORT_DAYS)),
)

if store.preloads and "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    preload(report_keys.preload)

gate = Gate(app, "webhook", ready=report_keys.loaded)

COUNTS = {Outcome.STORED: "ReportsStored", Outcome.DUPLICATE: "ReportsDuplicate"}


def authenticate(authorization: str | None, now: float) -> Claims:
    """What the request's report token allows."""
    return authenticate_report(authorization, report_keys, now)


def told(token: Claims) -> dict[str, Any]:
    """What a log line says of a report token."""
    return {
        "sdkAppId": token.sdk_app_id,
        "room": room_key(token.room),
        "userId": token.user_id,
        "epoch": token.epoch,
    }


@gate.route(
    Route(
        "POST",
        "/v1/userlist-reports",
        "Who else is in the room, by one of its members",
        types.REPORT_ANSWER,
        types.REPORT_REQUEST,
        most=types.BODY_MOST,
        auth=authenticate,
        tell=told,
        scheme="reportToken",
        problems=(
            "report-token-missing",
            "report-token-invalid",
            "report-token-expired",
            "report-conflict",
            "list-too-large",
            "store-unavailable",
        ),
        event="report",
    )
)
def userlist_reports(call: Call[Claims]) -> Response:
    """Take a member's report, under its token."""
    token = call.who
    place = Place(token.sdk_app_id, token.room, token.user_id)
    return take_report(call, place, token.epoch, call.body, Source.CLIENT)


def authenticate_relayed(signed: Signed) -> RelayGrant:
    """What the relay's signature allows."""
    return authenticate_relay(signed.path["relay"], signed.headers, signed.raw, relays)


@gate.route(
    Route(
        "POST",
        "/v1/relays/{relay}/userlist-reports",
        "Who else is in the room, by one of its members, as a backend relays it",
        types.REPORT_ANSWER,
        signed_types.RELAYED_REQUEST,
        most=types.BODY_MOST,
        signed=authenticate_relayed,
        tell=RelayGrant.facts,
        scheme="relaySignature",
        problems=(
            "relay-signature-missing",
            "relay-signature-invalid",
            "application-not-allowed",
            "report-conflict",
            "list-too-large",
            "store-unavailable",
        ),
        parameters=signed_types.RELAY_PARAMETERS,
        event="report",
    )
)
def relayed_reports(call: Call[RelayGrant]) -> Response:
    """Take a member's report, by the word of a relay."""
    relayed: signed_types.RelayedReport = call.body
    call.facts |= relayed.facts()
    call.who.may_report(relayed.sdk_app_id)
    check_epoch(relayed.epoch, call.now_ms)
    place = Place(relayed.sdk_app_id, relayed.room, relayed.user_id)
    return take_report(call, place, relayed.epoch, relayed.report, Source.RELAY)


def authenticate_signed(signed: Signed) -> int:
    """The application whose callback Tencent signed."""
    return authenticate_callback(signed.headers, signed.raw, callback_keys)


@gate.route(
    Route(
        "POST",
        "/v1/trtc-callbacks",
        "What Tencent saw happen in a room",
        signed_types.CALLBACK_ANSWER,
        signed_types.CALLBACK,
        most=signed_types.CALLBACK_MOST,
        read=read_raw,
        signed=authenticate_signed,
        tell=lambda sdk_app_id: {"sdkAppId": sdk_app_id},
        scheme="callbackSignature",
        problems=(
            "callback-signature-missing",
            "callback-signature-invalid",
            "callback-out-of-time",
            "store-unavailable",
        ),
        parameters=signed_types.CALLBACK_PARAMETERS,
        event="callback",
    )
)
def trtc_callbacks(call: Call[int]) -> Response:
    """Take one callback, durably, before the answer."""
    callback: Callback = call.body
    call.facts |= callback.facts()
    check_time(callback.sent, call.now_ms)
    take_callback(call)
    return answer({"code": 0})


def take_callback(call: Call[int]) -> None:
    """Store and fold a callback."""
    raise NotImplementedError


def take_report(
    call: Call[Any], place: Place, epoch: int, body: types.ReportRequest, source: Source
) -> Response:
    """Store one report, durably, before the answer."""
    call.facts["seq"] = body.seq
    view = parse_pushed(body.pushed, place.user_id)
    call.facts |= {"hash": view.hash, "members": view.members}
    report = Report(place, epoch, body.seq, call.now_ms, body.age, source, view)
    call.outcome = _store(call, report)
    said = {fact: call.facts[fact] for fact in ("hash", "epoch", "seq", "members")}
    return answer({"outcome": call.outcome, **said})


def _store(call: Call[Any], report: Report) -> Outcome:
    try:
        outcome = table.store(report)
    except ReportConflict:
        call.counts["ReportsConflict"] = 1
        raise
    call.counts[COUNTS[outcome]] = 1
    return outcome
