"""Requests that carry a signature: reports that relays pass on, and Tencent's callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.api.vocabulary import APPLICATION_FIELD, ROOM_FIELDS, USER_FIELD
from chalicelib.api.webhook import HEARTBEAT_REQUEST, LIST_REQUEST
from chalicelib.roster.callback import MOST_KIND, Callback, parse_callback
from chalicelib.schema import (
    ByMember,
    Checked,
    Field,
    Integer,
    Record,
    Schema,
    Type,
)

if TYPE_CHECKING:
    from chalicelib.api.webhook import HeartbeatRequest, ReportRequest
    from chalicelib.trtc import Room

CALLBACK_MOST: Final = 64 * 1024  # bytes


class Relayed(NamedTuple):
    """A member's report or heartbeat, passed on by a backend.

    The first four members stand in for a report token.

    Attributes:
        sdk_app_id: the application.
        room: the room.
        user_id: the member whose report it is.
        epoch: unix ms; orders the member's stays. seq starts anew with each.
        report: what the member itself would send.
    """

    sdk_app_id: int
    room: Room
    user_id: str
    epoch: int
    report: ReportRequest | HeartbeatRequest

    def facts(self) -> dict[str, Any]:
        """Fields of the log line."""
        return {
            "sdkAppId": self.sdk_app_id,
            "room": self.room.key,
            "userId": self.user_id,
            "epoch": self.epoch,
        }


EPOCH = Integer(
    0, 10**13 - 1, "unix ms at which the user's stay began; at most five minutes ahead of now"
)
_REPORTER_FIELDS = (APPLICATION_FIELD, *ROOM_FIELDS, USER_FIELD, Field("epoch", EPOCH, "epoch"))


def _relayed(report: Record[Any]) -> Record[Relayed]:
    """A record with the members of a report, and with those that say whose it is."""
    names = {field.into for field in _REPORTER_FIELDS}

    def make(**values: Any) -> Relayed:
        reporter = {name: values.pop(name) for name in names}
        return Relayed(**reporter, report=report.make(**values))

    return Record(make, *_REPORTER_FIELDS, *report.fields.values())


RELAYED_REQUEST: Type[Relayed] = ByMember(
    "heartbeat", _relayed(HEARTBEAT_REQUEST), _relayed(LIST_REQUEST)
)

_NUMBER: Schema = {"type": "integer"}
_KIND: Schema = {**_NUMBER, "minimum": 0, "maximum": MOST_KIND}
_CALLBACK: Schema = {
    "description": "Tencent's; other members, and any other type of event, are kept",
    "type": "object",
    "properties": {
        "EventGroupId": _KIND,
        "EventType": _KIND,
        "CallbackTs": {**_NUMBER, "description": "unix ms"},
        "EventInfo": {
            "type": "object",
            "properties": {
                "RoomId": {"type": ["integer", "string"]},
                "EventTs": {**_NUMBER, "description": "unix seconds"},
                "EventMsTs": {**_NUMBER, "description": "unix ms"},
                "UserId": {"type": "string"},
                "Role": _NUMBER,
                "Reason": _NUMBER,
            },
        },
    },
    "required": ["EventGroupId", "EventType", "CallbackTs", "EventInfo"],
}
CALLBACK: Checked[Callback] = Checked(parse_callback, _CALLBACK)
"""Decoded from the raw bytes, since the text is stored as it came."""


class CallbackAnswer(NamedTuple):
    """The answer that Tencent expects."""

    code: int = 0


CALLBACK_ANSWER = Record(
    CallbackAnswer, Field("code", Integer(0, 0, "as Tencent asks for"), "code")
)


def _header(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": True, "description": description} | {
        "schema": schema
    }


RELAY_PARAMETERS: Final = (
    {**_header("relay", "the relay's id"), "in": "path"},
    _header("webhook-id", "names the message"),
    _header("webhook-timestamp", "unix seconds, at most five minutes off"),
)
CALLBACK_PARAMETERS: Final = (_header("SdkAppId", "whose key signed"),)
