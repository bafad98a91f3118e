"""webhook: reports by members of a room, reports that backends relay, Tencent's callbacks."""

from __future__ import annotations

import os
import random
from typing import Any

from chalice.app import Chalice, Response

from chalicelib.api import rooms, signed
from chalicelib.api import webhook as types
from chalicelib.api.bodies import read_raw
from chalicelib.api.cross_origin import origins_from_env
from chalicelib.api.gate import Call, Gate, Route, SignedRequest, answer
from chalicelib.api.log import store_failures
from chalicelib.auth.callback_keys import CallbackKeys
from chalicelib.auth.callback_signatures import authenticate_callback, check_time
from chalicelib.auth.relay import Relay
from chalicelib.auth.relay_grants import RelayGrant, authenticate_relay, check_epoch
from chalicelib.auth.report_grants import authenticate_report
from chalicelib.auth.report_tokens import Claims, ReportTokenKeys
from chalicelib.auth.signers import Signers
from chalicelib.roster.callback import Callback
from chalicelib.roster.pace import heartbeat_after
from chalicelib.roster.signal import Kind, Order, Signal, Source
from chalicelib.roster.userlist import MOST_LEFT_OUT, parse_pushed
from chalicelib.stores.names import Names
from chalicelib.stores.preload import preload
from chalicelib.stores.room_limits import RoomLimits
from chalicelib.stores.store import store_of
from chalicelib.table.callback_items import StoredCallback
from chalicelib.table.client import connect
from chalicelib.table.confirmations import Confirmations
from chalicelib.table.errors import ReportConflict
from chalicelib.table.history import History
from chalicelib.table.item_keys import ReporterKey, RoomKey
from chalicelib.table.reports import Report
from chalicelib.table.table import Retention
from chalicelib.table.writer import RoomWriter

app = Chalice(app_name="webhook")

store = store_of(os.environ)
names = Names(os.environ["ROOMGATE_STACK"])
failures = store_failures(app.app_name)
report_keys = ReportTokenKeys(store, names, failures)
relays = Signers(store, names.relay_prefix, Relay.from_json, "relays", failures)
callback_keys = Signers(store, names.callback_prefix, CallbackKeys.from_json, "callbacks", failures)
room_limits = RoomLimits(store, names, failures)
history = History(connect(), os.environ["ROOMGATE_TABLE"], Retention.of(os.environ))
confirmations = Confirmations(history.table)
writer = RoomWriter(history.table, most=room_limits.of)

if store.preloads and "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    preload(report_keys.preload)

gate = Gate(app, "webhook", ready=report_keys.loaded, origins=origins_from_env(os.environ))

METRIC_OF_OUTCOME = {
    "applied": "ReportsApplied",
    "unchanged": "ReportsUnchanged",
    "stale": "ReportsStale",
    "full": "ReportsFull",
    "duplicate": "ReportsDuplicate",
    "stored": "ReportsDeferred",
}


def authenticate(authorization: str | None, now: float) -> Claims:
    """The claims of the request's report token."""
    return authenticate_report(authorization, report_keys, now)


def log_fields_of(token: Claims) -> dict[str, Any]:
    """Whose report token it is, for the log line; never the token."""
    return {
        "sdkAppId": token.sdk_app_id,
        "room": token.room.key,
        "userId": token.user_id,
        "epoch": token.epoch,
        "role": token.role,
        "scene": token.scene,
    }


@gate.route(
    Route[Claims, types.ReportRequest | types.HeartbeatRequest](
        "POST",
        "/v1/userlist-reports",
        "Who else is in the room, by one of its members",
        types.REPORT_ANSWER,
        types.REPORT_REQUEST,
        max_bytes=types.BODY_MOST,
        auth=authenticate,
        log_fields=log_fields_of,
        scheme="reportToken",
        problems=(
            "report-token-missing",
            "report-token-invalid",
            "report-token-expired",
            "report-conflict",
            "list-too-large",
            "store-unavailable",
        ),
        cross_origin=True,
        event="report",
    )
)
def userlist_reports(
    call: Call[Claims, types.ReportRequest | types.HeartbeatRequest],
) -> Response:
    """Store one report before the answer; a heartbeat only renews what is known."""
    token, body = call.who, call.body
    reporter = ReporterKey(token.sdk_app_id, token.room, token.user_id)
    if isinstance(body, types.HeartbeatRequest):
        return apply_heartbeat(call, reporter, token.epoch, body.hash, Source.CLIENT)
    return apply_report(call, reporter, token.epoch, body, Source.CLIENT)


@gate.route(
    Route[Claims, None](
        "GET",
        "/v1/roster",
        "Who is in the room of the report token, for its members' screens",
        rooms.ROSTER_ANSWER,
        auth=authenticate,
        log_fields=log_fields_of,
        scheme="reportToken",
        problems=(
            "report-token-missing",
            "report-token-invalid",
            "report-token-expired",
            "store-unavailable",
        ),
        tagged=True,
        cross_origin=True,
        event="roster",
    )
)
def roster(call: Call[Claims, None]) -> Response:
    """The roster of the token's room, with the play URLs that its member knows."""
    token = call.who
    ref = RoomKey(token.sdk_app_id, token.room)
    return rooms.answer_roster(call, history, confirmations, ref, token.user_id)


def authenticate_relayed(request: SignedRequest) -> RelayGrant:
    """The grant of the relay that signed."""
    return authenticate_relay(request.path["relay"], request.headers, request.raw, relays)


@gate.route(
    Route[RelayGrant, signed.Relayed](
        "POST",
        "/v1/relays/{relay}/userlist-reports",
        "Who else is in the room, by one of its members, as a backend relays it",
        types.REPORT_ANSWER,
        signed.RELAYED_REQUEST,
        max_bytes=types.BODY_MOST,
        signed=authenticate_relayed,
        log_fields=RelayGrant.facts,
        scheme="relaySignature",
        problems=(
            "relay-signature-missing",
            "relay-signature-invalid",
            "application-not-allowed",
            "report-conflict",
            "list-too-large",
            "store-unavailable",
        ),
        parameters=signed.RELAY_PARAMETERS,
        event="report",
    )
)
def relayed_reports(call: Call[RelayGrant, signed.Relayed]) -> Response:
    """Handle what a relay passes on as if the member itself had sent it."""
    relayed = call.body
    call.facts |= relayed.facts()
    call.who.may_report(relayed.sdk_app_id)
    check_epoch(relayed.epoch, call.now_ms)
    reporter = ReporterKey(relayed.sdk_app_id, relayed.room, relayed.user_id)
    if isinstance(relayed.report, types.HeartbeatRequest):
        return apply_heartbeat(call, reporter, relayed.epoch, relayed.report.hash, Source.RELAY)
    return apply_report(call, reporter, relayed.epoch, relayed.report, Source.RELAY)


def authenticate_signed(request: SignedRequest) -> int:
    """The sdkAppId whose callback key signed."""
    return authenticate_callback(request.headers, request.raw, callback_keys)


@gate.route(
    Route[int, Callback](
        "POST",
        "/v1/trtc-callbacks",
        "What Tencent saw happen in a room",
        signed.CALLBACK_ANSWER,
        signed.CALLBACK,
        max_bytes=signed.CALLBACK_MOST,
        read=read_raw,
        signed=authenticate_signed,
        log_fields=lambda sdk_app_id: {"sdkAppId": sdk_app_id},
        scheme="callbackSignature",
        problems=(
            "callback-signature-missing",
            "callback-signature-invalid",
            "callback-out-of-time",
            "store-unavailable",
        ),
        parameters=signed.CALLBACK_PARAMETERS,
        event="callback",
        refusals_metric="CallbacksRefused",
    )
)
def trtc_callbacks(call: Call[int, Callback]) -> Response:
    """Store and apply a callback, and answer as Tencent asks."""
    callback = call.body
    call.facts |= callback.facts()
    check_time(callback.sent, call.now_ms)
    stored = StoredCallback(call.who, call.now_ms, callback)
    call.outcome = writer.record_callback(stored, call.now_ms)
    call.counts["Callbacks"] = 1
    return answer(signed.CALLBACK_ANSWER.encode(signed.CallbackAnswer()))


def apply_heartbeat(
    call: Call[Any, Any], reporter: ReporterKey, epoch: int, list_hash: str, source: Source
) -> Response:
    """Apply a heartbeat; it echoes the hash of its sender's last list."""
    call.facts["heartbeat"] = True
    now = call.now_ms
    order = Order(epoch, 0)
    heartbeat = Signal(Kind.HEARTBEAT, source, reporter.user_id, now, now, order, list_hash)
    result = writer.apply(reporter.ref, heartbeat, now)
    # Nothing of a heartbeat is stored. Here "stored" means that concurrent writers won every
    # attempt, and their writes renewed the room as well.
    call.outcome = "unchanged" if result.outcome == "stored" else result.outcome
    call.counts["Heartbeats"] = 1
    head = result.room.head
    return reply(
        types.ReportAnswer(
            call.outcome,
            head.version,
            resend=result.resend,
            heartbeat_after=heartbeat_after(head, random.random()),  # noqa: S311 (jitter)
        )
    )


def apply_report(
    call: Call[Any, Any],
    reporter: ReporterKey,
    epoch: int,
    body: types.ReportRequest,
    source: Source,
) -> Response:
    """Store and apply a list, or the statement that its reporter left."""
    call.facts |= {"epoch": epoch, "seq": body.seq}
    view = None if body.pushed is True else parse_pushed(body.pushed, reporter.user_id)
    if view is not None:
        call.facts |= {"hash": view.hash, "members": view.members}
    report = Report(reporter, epoch, body.seq, call.now_ms, body.age, source, view, body.resent)
    try:
        result = writer.record(report, call.now_ms)
    except ReportConflict:
        call.counts["ReportsConflict"] = 1
        raise
    left_out = (*(view.left_out if view else ()), *result.dropped)
    call.outcome = result.outcome
    call.counts[METRIC_OF_OUTCOME[result.outcome]] = 1
    return reply(
        types.ReportAnswer(
            result.outcome,
            result.room.head.version,
            hash=view.hash if view else None,
            epoch=epoch,
            seq=body.seq,
            members=view.members if view else None,
            resend=result.resend,
            heartbeat_after=heartbeat_after(result.room.head, random.random()),  # noqa: S311
            left_out=left_out[:MOST_LEFT_OUT] or None,
        )
    )


def reply(report_answer: types.ReportAnswer) -> Response:
    """Encode the answer to a report or a heartbeat."""
    return answer(types.REPORT_ANSWER.encode(report_answer))
