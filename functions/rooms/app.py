"""rooms: who is in a room, and who was, for backends with an API key; reads only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from chalice.app import Chalice, Response

from chalicelib.api import rooms as types
from chalicelib.api.conditional import answer_if_body_changed
from chalicelib.api.gate import Call, Gate, Route
from chalicelib.api.log import store_failures
from chalicelib.api.parameters import APP_PARAMETER, ROOM_PARAMETER, app_of, parameter, room_of
from chalicelib.api.vocabulary import USER_ID
from chalicelib.auth.api_keys import Callers
from chalicelib.auth.caller import Caller
from chalicelib.stores.names import Names
from chalicelib.stores.preload import preload
from chalicelib.stores.store import store_of
from chalicelib.table.client import connect
from chalicelib.table.confirmations import Confirmations
from chalicelib.table.history import History
from chalicelib.table.item_keys import ReporterKey, RoomKey
from chalicelib.table.listings import Listings
from chalicelib.table.table import Retention

if TYPE_CHECKING:
    from chalicelib.schema import Type

app = Chalice(app_name="rooms")

store = store_of(os.environ)
names = Names(os.environ["ROOMGATE_STACK"])
callers = Callers(store, names, store_failures(app.app_name))
client = connect()
history = History(client, os.environ["ROOMGATE_TABLE"], Retention.of(os.environ))
confirmations = Confirmations(history.table)
listings = Listings(client, os.environ["ROOMGATE_TABLE"])

if store.preloads and "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    preload(callers.preload)

gate = Gate(app, "rooms", ready=callers.loaded)

PROBLEMS = (
    "invalid-request",
    "api-key-missing",
    "api-key-invalid",
    "api-key-ended",
    "action-not-allowed",
    "application-not-allowed",
    "store-unavailable",
)


def read_route(
    path: str,
    summary: str,
    answer_type: Type[Any],
    event: str,
    *,
    parameters: tuple[dict[str, Any], ...],
    problems: tuple[str, ...],
) -> Route[Caller, None]:
    """A GET route for callers with the action ``read``."""
    return Route(
        "GET",
        path,
        summary,
        answer_type,
        auth=callers.authenticate,
        log_fields=Caller.facts,
        scheme="apiKey",
        problems=(*PROBLEMS, *problems),
        parameters=(APP_PARAMETER, *parameters),
        tagged=True,
        event=event,
    )


@gate.route(
    read_route(
        "/v1/apps/{app}/rooms",
        "Rooms with members, of those that the caller may use; as they stood a moment ago",
        types.ROOMS_ANSWER,
        "rooms",
        parameters=types.ROOMS_PARAMETERS,
        problems=(),
    )
)
def open_rooms(call: Call[Caller, None]) -> Response:
    """The open rooms of an application."""
    sdk_app_id = app_of(call.path)
    call.facts["sdkAppId"] = sdk_app_id
    call.who.may("read", sdk_app_id, in_path=True)
    cursors = types.rooms_cursors(sdk_app_id)
    listed, last = listings.open_rooms(
        sdk_app_id,
        call.now_ms,
        after=cursors.position(call.query),
        limit=types.limit_of(call.query, types.ROOMS_LIMIT),
        covers=call.who.covers,
    )
    rooms = [types.summary_of(open_room) for open_room in listed]
    page = types.RoomsPage(sdk_app_id, rooms, cursors.after(last))
    return answer_if_body_changed(call, types.ROOMS_ANSWER.encode(page))


@gate.route(
    read_route(
        "/v1/apps/{app}/rooms/{room}",
        "Who is in a room, or was; nobody in a room that was never seen",
        types.ROSTER_ANSWER,
        "room",
        parameters=(ROOM_PARAMETER, *types.ROSTER_PARAMETERS),
        problems=("room-not-allowed", "user-not-allowed", "history-gone"),
    )
)
def room(call: Call[Caller, None]) -> Response:
    """The roster of a room.

    A room exists for Tencent only while someone is in it, and for Roomgate only by its reports. So
    a room without reports has an empty roster, not a 404: a backend that polls need not tell
    "nobody yet" from "nobody any more".
    """
    ref = room_in_path(call)
    viewer = parameter("for", call.query["for"], USER_ID) if "for" in call.query else None
    call.who.may("read", ref.sdk_app_id, room=ref.room, user_id=viewer, in_path=True, user_in="for")
    at = types.past_of(call.query, call.now_ms)
    if at is None:
        return types.answer_roster(call, history, confirmations, ref, viewer)
    playurls = history.playurls(ReporterKey(*ref, viewer)) if viewer else {}
    settled = history.settled_room(ref, call.now_ms)
    past = history.roster_at(settled, at, call.now_ms)
    roster = types.roster_of(settled, past, playurls, set(), at)
    return answer_if_body_changed(call, types.ROSTER_ANSWER.encode(roster))


@gate.route(
    read_route(
        "/v1/apps/{app}/rooms/{room}/timeline",
        "Who came to a room and who left, in the order in which that was recorded",
        types.TIMELINE_ANSWER,
        "timeline",
        parameters=(ROOM_PARAMETER, *types.TIMELINE_PARAMETERS),
        problems=("room-not-allowed", "history-gone"),
    )
)
def timeline(call: Call[Caller, None]) -> Response:
    """A page of a room's timeline."""
    ref = room_in_path(call)
    call.who.may("read", ref.sdk_app_id, room=ref.room, in_path=True)
    cursors = types.timeline_cursors(ref)
    page = history.timeline(
        ref,
        types.time_range_of(call.query),
        cursors.position(call.query),
        types.limit_of(call.query, types.ENTRIES_LIMIT),
    )
    after = cursors.after(page.after)
    timeline_page = types.TimelinePage(ref.sdk_app_id, ref.room, page.changes, after)
    return answer_if_body_changed(call, types.TIMELINE_ANSWER.encode(timeline_page))


@gate.route(
    read_route(
        "/v1/apps/{app}/users/{user}/sessions",
        "A user's sessions, the newest first, in those rooms that the caller may use",
        types.SESSIONS_ANSWER,
        "sessions",
        parameters=(types.USER_PARAMETER, *types.SESSIONS_PARAMETERS),
        problems=("user-not-allowed",),
    )
)
def sessions(call: Call[Caller, None]) -> Response:
    """A page of a user's sessions."""
    sdk_app_id, user = app_of(call.path), parameter("user", call.path["user"], USER_ID)
    call.facts |= {"sdkAppId": sdk_app_id, "userId": user}
    call.who.may("read", sdk_app_id, user_id=user, in_path=True)
    cursors = types.sessions_cursors(sdk_app_id, user)
    listed, last = listings.sessions(
        sdk_app_id,
        user,
        types.time_range_of(call.query),
        before=cursors.position(call.query),
        limit=types.limit_of(call.query, types.SESSIONS_LIMIT),
        covers=call.who.covers,
    )
    page = types.SessionsPage(sdk_app_id, user, listed, cursors.after(last))
    return answer_if_body_changed(call, types.SESSIONS_ANSWER.encode(page))


def room_in_path(call: Call[Caller, None]) -> RoomKey:
    """The room in a path; the log line names it."""
    ref = RoomKey(app_of(call.path), room_of(call.path))
    call.facts |= {"sdkAppId": ref.sdk_app_id, "room": ref.room.key}
    return ref
