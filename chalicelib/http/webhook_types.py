"""What the webhook's routes take and answer."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from chalicelib.http.schema import Answer, Field, Foreign, Integer, OneOf, Record, Schema, Text
from chalicelib.http.vocabulary import UNIX_MS, USER_ID
from chalicelib.roster.parse import MOST_PLAYURL, MOST_USERS, USERLIST_EVENT
from chalicelib.roster.view import HASH_DIGITS

BODY_MOST: Final = 1024 * 1024  # bytes
DAY_MS: Final = 24 * 3600 * 1000


class ReportRequest(NamedTuple):
    """A report as it comes in; whose it is, the token says.

    Attributes:
        seq: counts the reports under one token.
        age: ms since the client got the list, by its own clock.
        pushed: the push event (a dict) or its decoded list, not looked into yet.
    """

    seq: int
    age: int
    pushed: dict[str, Any] | list[Any]


SEQ = Integer(0, 2**31 - 1, "counts the reports under one token; every change takes the next")
AGE = Integer(0, DAY_MS, "ms since the client got the list, by its own clock")
HASH = Text(
    HASH_DIGITS,
    least=HASH_DIGITS,
    pattern="[0-9a-f]{16}",
    description="names the set of userids: SHA-256 of them, sorted and joined by line feeds",
)
OUTCOME = OneOf({word: word for word in ("stored", "duplicate")}, "both are successes")
MEMBERS = Integer(1, MOST_USERS + 1, "users in the room by this report, the reporter among them")

_EVENT: Schema = {
    "title": "the detail of a push event: an object",
    "description": "e.detail of live-pusher's statechange; other members are ignored",
    "type": "object",
    "properties": {
        "code": {"const": USERLIST_EVENT},
        "message": {"type": "string", "description": 'JSON: {"userlist": […]}'},
    },
    "required": ["code", "message"],
}
_LIST: Schema = {
    "title": "an array of users",
    "description": "everyone else in the room; other members of a user are ignored",
    "type": "array",
    "maxItems": MOST_USERS,
    "items": {
        "type": "object",
        "properties": {
            "userid": USER_ID.json_schema(),
            "playurl": {"type": "string", "maxLength": MOST_PLAYURL},
        },
        "required": ["userid"],
    },
}

REPORT_REQUEST = Record(
    ReportRequest,
    Field("seq", SEQ, "seq"),
    Field("ageMs", AGE, "age", required=False, default=0),
    Field("event", Foreign((dict,), _EVENT), "pushed"),
    Field("userlist", Foreign((list,), _LIST), "pushed"),
)
REPORT_ANSWER = Answer(
    dict,
    Field("outcome", OUTCOME, "outcome"),
    Field("hash", HASH, "hash"),
    Field("epoch", UNIX_MS, "epoch"),
    Field("seq", SEQ, "seq"),
    Field("members", MEMBERS, "members"),
)
