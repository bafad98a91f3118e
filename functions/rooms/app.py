"""rooms: who is in a room, for backends with an API key; reads only."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from chalice.app import Chalice, Response

from chalicelib.callers.api_keys import Callers
from chalicelib.callers.caller import Caller
from chalicelib.events.dynamodb import connect
from chalicelib.events.table import EventTable
from chalicelib.http import rooms_types as types
from chalicelib.http.gate import Call, Gate, Route, answer
from chalicelib.http.log import store_failures
from chalicelib.http.parameters import (
    APP_PARAMETER,
    ROOM_PARAMETER,
    app_of,
    integer,
    parameter,
    room_of,
)
from chalicelib.http.vocabulary import USER_ID
from chalicelib.keys.names import Names
from chalicelib.keys.preload import preload
from chalicelib.keys.store import store_of
from chalicelib.rooms import room_key

if TYPE_CHECKING:
    from chalicelib.events.items import Report

    from chalicelib.events.table import Page

app = Chalice(app_name="rooms")

store = store_of(os.environ)
names = Names(os.environ["ROOMGATE_STACK"])
callers = Callers(store, names, store_failures(app.app_name))
table = EventTable(connect(), os.environ["ROOMGATE_TABLE"])

if store.preloads and "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    preload(callers.preload)

gate = Gate(app, "rooms", ready=callers.loaded)

# Lambda answers with 6 MB at most (AWS), in which the body stands as a JSON string once more. One
# view alone comes from a report of 1 MB, and stays below that too.
MOST_ANSWER = 5_500_000  # bytes, as Lambda writes them


@gate.route(
    Route(
        "GET",
        "/v1/apps/{app}/rooms/{room}",
        "The newest report of each member; none for a room that nobody reported from",
        types.ROOM_ANSWER,
        auth=callers.authenticate,
        tell=Caller.facts,
        scheme="apiKey",
        problems=(
            "invalid-request",
            "api-key-missing",
            "api-key-invalid",
            "api-key-ended",
            "action-not-allowed",
            "application-not-allowed",
            "room-not-allowed",
            "store-unavailable",
        ),
        parameters=(APP_PARAMETER, ROOM_PARAMETER, types.LIMIT_PARAMETER, types.CURSOR_PARAMETER),
        event="room",
    )
)
def room(call: Call[Caller]) -> Response:
    """What each member of a room last said about who is inside.

    A room exists for Tencent only while someone is in it, and for us only by its reports. So one
    that nobody reported from is an empty list, not a 404: to a backend that polls, "nobody yet" and
    "nobody any more" are the same answer.
    """
    sdk_app_id, wanted = app_of(call.path), room_of(call.path)
    call.facts |= {"sdkAppId": sdk_app_id, "room": room_key(wanted)}
    call.who.may("read", sdk_app_id, room=wanted, in_path=True)
    limit = integer("limit", call.query.get("limit", str(types.USUAL_VIEWS)), types.LIMIT)
    after = parameter("cursor", call.query["cursor"], USER_ID) if "cursor" in call.query else None
    page = table.newest_views(sdk_app_id, wanted, limit, after)
    name = "roomId" if isinstance(wanted, int) else "strRoomId"
    return answer({"sdkAppId": sdk_app_id, name: wanted, **shown_page(page)})


def shown_page(page: Page) -> dict[str, Any]:
    """The members ``views`` and ``nextCursor`` of the answer, cut where it would grow too large."""
    views: list[dict[str, Any]] = []
    size = 0
    for report in page.reports:
        view = shown(report)
        size += len(json.dumps(json.dumps(view)))
        if views and size > MOST_ANSWER:
            return {"views": views, "nextCursor": views[-1]["reporter"]}
        views.append(view)
    return {"views": views, "nextCursor": page.next} if page.next else {"views": views}


def shown(report: Report) -> dict[str, Any]:
    """A report as the API shows it."""
    view = report.view
    others = [
        {"userId": user, "playUrl": playurl} if playurl else {"userId": user}
        for user, playurl in view.others.items()
    ]
    return {
        "reporter": view.reporter,
        "epoch": report.epoch,
        "seq": report.seq,
        "receivedAt": report.received,
        "t": report.t,
        "hash": view.hash,
        "source": report.source,
        "users": [{"userId": view.reporter}, *others],
    }
