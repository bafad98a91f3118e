"""What the webhook takes of those who sign: relayed reports, and Tencent's callbacks."""

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
    """What a backend passes on of a member: what else a report token would say stands beside it.

    Attributes:
        sdk_app_id: the application.
        room: the room.
        user_id: the member who said it.
        epoch: unix ms; orders the times that the member was in. seq starts anew with each.
        said: as the member itself would send it.
    """

    sdk_app_id: int
    room: Room
    user_id: str
    epoch: int
    said: ReportRequest | HeartbeatRequest

    def facts(self) -> dict[str, Any]:
        """What a log line says of it."""
        return {
            "sdkAppId": self.sdk_app_id,
            "room": self.room.key,
            "userId": self.user_id,
            "epoch": self.epoch,
        }


EPOCH = Integer(
    0, 10**13 - 1, "unix ms at which the user's stay began; at most five minutes ahead of now"
)
_WHOSE = (APPLICATION_FIELD, *ROOM_FIELDS, USER_FIELD, Field("epoch", EPOCH, "epoch"))


def _relayed(said: Record[Any]) -> Record[Relayed]:
    """A record's members, and whose they are."""

    def make(**given: Any) -> Relayed:
        whose = {name: given.pop(name) for name in {field.into for field in _WHOSE}}
        return Relayed(**whose, said=said.make(**given))

    return Record(make, *_WHOSE, *said.fields.values())


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
"""Read from the bytes, since its text is kept as it came."""


class CallbackAnswer(NamedTuple):
    """What Tencent expects to be told."""

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
