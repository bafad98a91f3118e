"""What the routes of rooms take and answer."""

from __future__ import annotations

from typing import Any, Final

from chalicelib.http.schema import Answer, Array, Field, Integer, OneOf, Text
from chalicelib.http.vocabulary import APPLICATION_FIELD, ROOM_FIELDS, UNIX_MS, USER_ID
from chalicelib.http.webhook_types import HASH, SEQ
from chalicelib.roster.parse import MOST_PLAYURL, MOST_USERS

MOST_VIEWS: Final = 100
USUAL_VIEWS: Final = 50

LIMIT = Integer(1, MOST_VIEWS, "most views in the answer; large ones make it fewer")
LIMIT_PARAMETER: dict[str, Any] = {
    "name": "limit",
    "in": "query",
    "schema": {**LIMIT.json_schema(), "default": USUAL_VIEWS},
}
CURSOR_PARAMETER: dict[str, Any] = {
    "name": "cursor",
    "in": "query",
    "description": "nextCursor of the answer before",
    "schema": USER_ID.json_schema(),
}

USER = Answer(
    dict,
    Field("userId", USER_ID, "user_id"),
    Field("playUrl", Text(MOST_PLAYURL), "play_url", required=False),
)
VIEW = Answer(
    dict,
    Field("reporter", USER_ID, "reporter"),
    Field("epoch", UNIX_MS, "epoch"),
    Field("seq", SEQ, "seq"),
    Field("receivedAt", UNIX_MS, "received_at"),
    Field("t", Integer(0, 2**53 - 1, "unix ms: receivedAt less the age that the client gave"), "t"),
    Field("hash", HASH, "hash"),
    Field("source", OneOf({"client": "client"}, "who vouches for it"), "source"),
    # The set that hash names: the reporter first, then the others.
    Field("users", Array(USER, MOST_USERS + 1), "users"),
)
ROOM_ANSWER = Answer(
    dict,
    APPLICATION_FIELD,
    *ROOM_FIELDS,
    Field("views", Array(VIEW, MOST_VIEWS), "views"),
    Field("nextCursor", USER_ID, "next_cursor", required=False),
)
