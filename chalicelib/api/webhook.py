"""Requests and answers of members' reports and heartbeats, each declared once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from chalicelib.api.vocabulary import UNIX_MS, USER_ID
from chalicelib.roster.pace import EACH
from chalicelib.roster.userlist import (
    MOST_LEFT_OUT,
    MOST_NAME,
    MOST_PLAYURL,
    MOST_USERS,
    USERLIST_EVENT,
)
from chalicelib.roster.view import HASH_DIGITS
from chalicelib.schema import (
    Array,
    ByMember,
    Field,
    Flag,
    Foreign,
    Integer,
    OneOf,
    Record,
    Schema,
    Text,
    Type,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

BODY_MOST: Final = 1024 * 1024  # bytes
DAY_MS: Final = 24 * 3600 * 1000


class ReportRequest(NamedTuple):
    """A member's report; the report token says whose it is.

    Attributes:
        seq: counts the reports under one token.
        age: ms since the client got the list, or left, by its own clock.
        pushed: the push event (a dict) or its list of users, neither decoded yet; True means that
            the reporter left.
        resent: the client sends the list because an answer said ``resend``.
    """

    seq: int
    age: int
    pushed: dict[str, Any] | list[Any] | Literal[True]
    resent: bool


class HeartbeatRequest(NamedTuple):
    """A sign of life.

    Attributes:
        heartbeat: True.
        hash: the hash in the answer to the client's last list.
    """

    heartbeat: bool
    hash: str


SEQ = Integer(0, 2**31 - 1, "counts the reports under one token; every change takes the next")
AGE = Integer(0, DAY_MS, "ms since the client got the list, by its own clock")
HASH = Text(
    HASH_DIGITS,
    least=HASH_DIGITS,
    pattern="[0-9a-f]{16}",
    description="names the set of userids: SHA-256 of them, sorted and joined by line feeds",
)
OUTCOME = OneOf(
    {word: word for word in ("applied", "unchanged", "stale", "full", "duplicate", "stored")},
    "what it did; all are successes. stored: the room will be seen to in a moment; full: its"
    " reporter found no place in the room",
)
VERSION = Integer(0, 10**10 - 1, "counts the changes of the room")
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

PUSHED_FIELDS = (
    Field("event", Foreign((dict,), _EVENT), "pushed"),
    Field("userlist", Foreign((list,), _LIST), "pushed"),
    Field("left", Flag("the reporter has left the room"), "pushed"),
)
REPORT_FIELDS = (
    Field("seq", SEQ, "seq"),
    Field("ageMs", AGE, "age", required=False, default=0),
    *PUSHED_FIELDS,
    Field(
        "resent",
        Flag("the list as it is now, since the answer before said resend"),
        "resent",
        required=False,
        default=False,
    ),
)
HEARTBEAT_REQUEST = Record(
    HeartbeatRequest,
    Field("heartbeat", Flag("a sign of life: nothing has changed"), "heartbeat"),
    Field("hash", HASH, "hash"),
)
LIST_REQUEST = Record(ReportRequest, *REPORT_FIELDS)
REPORT_REQUEST: Type[ReportRequest | HeartbeatRequest] = ByMember(
    "heartbeat", HEARTBEAT_REQUEST, LIST_REQUEST
)


class ReportAnswer(NamedTuple):
    """What became of a report or a heartbeat.

    Attributes:
        outcome: one of OUTCOME.
        version: the room's version.
        hash: names the set of users in a list; the next heartbeat echoes it.
        epoch: the report's epoch, in unix ms; None for a heartbeat.
        seq: the report's seq; None for a heartbeat.
        members: how many users a list states, its reporter among them.
        resend: the client should send its list again.
        heartbeat_after: ms after which the client should send its next heartbeat.
        left_out: names that the list had and the roster has not, at most MOST_LEFT_OUT: they are
            no valid userids, or the room was full.
    """

    outcome: str
    version: int
    hash: str | None = None
    epoch: int | None = None
    seq: int | None = None
    members: int | None = None
    resend: bool = False
    heartbeat_after: int | None = None
    left_out: Sequence[str] | None = None


REPORT_ANSWER = Record(
    ReportAnswer,
    Field("outcome", OUTCOME, "outcome"),
    Field("version", VERSION, "version"),
    Field("hash", HASH, "hash", required=False),
    Field("epoch", UNIX_MS, "epoch", required=False),
    Field("seq", SEQ, "seq", required=False),
    Field("members", MEMBERS, "members", required=False),
    Field(
        "resend",
        Flag("send the list again, as it is now"),
        "resend",
        required=False,
        default=False,
    ),
    Field(
        "heartbeatAfterMs",
        Integer(EACH, DAY_MS, "ms after which to send the next heartbeat, if nothing changes"),
        "heartbeat_after",
        required=False,
    ),
    Field("leftOut", Array(Text(MOST_NAME), MOST_LEFT_OUT), "left_out", required=False),
)
