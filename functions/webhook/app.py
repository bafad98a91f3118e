"""webhook: the rooms' members report who is inside."""

from __future__ import annotations

import os
from typing import Any

from chalice.app import Chalice, Response

from chalicelib.callers.report_grants import authenticate_report
from chalicelib.callers.report_tokens import Claims, ReportTokenKeys
from chalicelib.events.dynamodb import connect
from chalicelib.events.items import Place, Report
from chalicelib.events.refusals import ReportConflict
from chalicelib.events.table import REPORT_DAYS, EventTable, Outcome
from chalicelib.http import webhook_types as types
from chalicelib.http.gate import Call, Gate, Route, answer
from chalicelib.http.log import store_failures
from chalicelib.keys.names import Names
from chalicelib.keys.preload import preload
from chalicelib.keys.store import store_of
from chalicelib.rooms import room_key
from chalicelib.roster.parse import parse_pushed

app = Chalice(app_name="webhook")

store = store_of(os.environ)
names = Names(os.environ["ROOMGATE_STACK"])
report_keys = ReportTokenKeys(store, names, store_failures(app.app_name))
table = EventTable(
    connect(),
    os.environ["ROOMGATE_TABLE"],
    report_days=int(os.environ.get("ROOMGATE_REPORT_DAYS", REPORT_DAYS)),
)

if store.preloads and "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    preload(report_keys.preload)

gate = Gate(app, "webhook", ready=report_keys.loaded)

SOURCE = "client"
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
    """Store one report, durably, before the answer."""
    token, body = call.who, call.body
    call.facts["seq"] = body.seq
    view = parse_pushed(body.pushed, token.user_id)
    call.facts |= {"hash": view.hash, "members": view.members}
    place = Place(token.sdk_app_id, token.room, token.user_id)
    report = Report(place, token.epoch, body.seq, call.now_ms, body.age, SOURCE, view)
    call.outcome = _store(call, report)
    said = {fact: call.facts[fact] for fact in ("hash", "epoch", "seq", "members")}
    return answer({"outcome": call.outcome, **said})


def _store(call: Call[Claims], report: Report) -> Outcome:
    try:
        outcome = table.store(report)
    except ReportConflict:
        call.counts["ReportsConflict"] = 1
        raise
    call.counts[COUNTS[outcome]] = 1
    return outcome
