"""webhook: the rooms' members report who is inside, backends relay it, Tencent calls back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from chalice.app import Chalice, Response

from chalicelib.api import signed_types
from chalicelib.api import webhook_types as types
from chalicelib.api.bodies import read_raw
from chalicelib.api.gate import Call, Gate, Route, Signed, answer
from chalicelib.api.log import store_failures
from chalicelib.auth.callback_keys import CallbackKeys
from chalicelib.auth.callback_signatures import authenticate_callback, check_time
from chalicelib.auth.relay import Relay
from chalicelib.auth.relay_grants import RelayGrant, authenticate_relay, check_epoch
from chalicelib.auth.report_grants import authenticate_report
from chalicelib.auth.report_tokens import Claims, ReportTokenKeys
from chalicelib.auth.signers import Signers
from chalicelib.roster.signal import Kind, Order, Signal, Source
from chalicelib.roster.userlist import ListTooLarge, parse_pushed
from chalicelib.stores.names import Names
from chalicelib.stores.preload import preload
from chalicelib.stores.room_limits import RoomLimits
from chalicelib.stores.store import store_of
from chalicelib.table.client import connect
from chalicelib.table.errors import ReportConflict
from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.reports import Report
from chalicelib.table.stored_callbacks import StoredCallback
from chalicelib.table.table import EventTable, Retention
from chalicelib.table.writer import RecordResult, RoomWriter
from chalicelib.trtc import room_key

if TYPE_CHECKING:
    from chalicelib.roster.callback import Callback

app = Chalice(app_name="webhook")

store = store_of(os.environ)
names = Names(os.environ["ROOMGATE_STACK"])
failures = store_failures(app.app_name)
report_keys = ReportTokenKeys(store, names, failures)
relays = Signers(store, names.relay_prefix, Relay.from_json, "relays", failures)
callback_keys = Signers(store, names.callback_prefix, CallbackKeys.from_json, "callbacks", failures)
largest = RoomLimits(store, names, failures)
folder = RoomWriter(
    EventTable(connect(), os.environ["ROOMGATE_TABLE"], Retention.of(os.environ)), most=largest.of
)

if store.preloads and "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    preload(report_keys.preload)

gate = Gate(app, "webhook", ready=report_keys.loaded)

COUNTS = {
    "applied": "ReportsApplied",
    "unchanged": "ReportsUnchanged",
    "stale": "ReportsStale",
    "duplicate": "ReportsDuplicate",
    "stored": "ReportsDeferred",
}


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
    """Store one report, durably, before the answer; a heartbeat is only heard."""
    token, body = call.who, call.body
    place = ReporterKey(token.sdk_app_id, token.room, token.user_id)
    if isinstance(body, types.HeartbeatRequest):
        return heard(call, place, token.epoch, body.hash, Source.CLIENT)
    return taken(call, place, token.epoch, body, Source.CLIENT)


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
    """Take what a relay passes on, as from the member itself."""
    relayed: signed_types.Relayed = call.body
    call.facts |= relayed.facts()
    call.who.may_report(relayed.sdk_app_id)
    check_epoch(relayed.epoch, call.now_ms)
    place = ReporterKey(relayed.sdk_app_id, relayed.room, relayed.user_id)
    if isinstance(relayed.said, types.HeartbeatRequest):
        return heard(call, place, relayed.epoch, relayed.said.hash, Source.RELAY)
    return taken(call, place, relayed.epoch, relayed.said, Source.RELAY)


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
        refused="CallbacksRefused",
    )
)
def trtc_callbacks(call: Call[int]) -> Response:
    """Store and fold a callback, and answer as Tencent asks."""
    callback: Callback = call.body
    call.facts |= callback.facts()
    check_time(callback.sent, call.now_ms)
    stored = StoredCallback(call.who, call.now_ms, callback)
    call.outcome = folder.take_callback(stored, call.now_ms)
    call.counts["Callbacks"] = 1
    return answer({"code": 0})


def heard(
    call: Call[Any], place: ReporterKey, epoch: int, known: str, source: Source
) -> Response:
    """Hear a heartbeat that echoes the hash of its sender's last list."""
    call.facts["heartbeat"] = True
    now = call.now_ms
    beat = Signal(Kind.HEARTBEAT, source, place.user_id, now, now, Order(epoch, 0), known)
    done = folder.hear(place.ref, beat, now)
    # If others wrote the room all the time it was heard of; where it can't be read, nothing is.
    call.outcome = "unchanged" if done.outcome == "stored" else done.outcome
    call.counts["Heartbeats"] = 1
    return answer({"outcome": call.outcome, **_known(done)})


def taken(
    call: Call[Any], place: ReporterKey, epoch: int, body: types.ReportRequest, source: Source
) -> Response:
    """Store and fold a list, or the word that its reporter left."""
    said: dict[str, Any] = {"epoch": epoch, "seq": body.seq}
    call.facts |= said
    view = None
    if body.pushed is not True:
        view = parse_pushed(body.pushed, place.user_id)
        said |= {"hash": view.hash, "members": view.members}
        call.facts |= said
        _check_size(view.members, largest.of(place.sdk_app_id))
    report = Report(place, epoch, body.seq, call.now_ms, body.age, source, view, body.resent)
    done = _take(call, report)
    call.outcome = done.outcome
    call.counts[COUNTS[done.outcome]] = 1
    return answer({"outcome": done.outcome, **said, **_known(done)})


def _check_size(members: int, most: int) -> None:
    if members > most:
        detail = f"The room has {members} members by this list; the application allows {most}."
        raise ListTooLarge(detail)


def _take(call: Call[Any], report: Report) -> RecordResult:
    try:
        return folder.take(report, call.now_ms)
    except ReportConflict:
        call.counts["ReportsConflict"] = 1
        raise


def _known(done: RecordResult) -> dict[str, Any]:
    """What an answer says of the room."""
    version = {"version": done.room.head.version}
    return {**version, "resend": True} if done.resend else version
