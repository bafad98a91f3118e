"""Read a callback of Tencent's: what its servers saw happen in a room.

The JSON is Tencent's, so members and types of event that are not known here are no fault, and the
text is kept as it came. Group 1 is the room's events (101 created, 102 dismissed, 103 entered, 104
left, 105 another role), group 2 its media's.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from chalicelib.errors import ApiError, FieldError, InvalidRequest
from chalicelib.json_text import parse_foreign_json
from chalicelib.roster.signal import Cause, Kind, Signal, Source
from chalicelib.trtc.identifiers import BadIdentifier, check_user_id, parse_room

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.trtc.identifiers import Room

T = TypeVar("T")

ROOM_GROUP: Final = 1
CREATED: Final = 101
DISMISSED: Final = 102
ENTERED: Final = 103
LEFT: Final = 104
ROLE_CHANGED: Final = 105

_KINDS: Final = {
    (ROOM_GROUP, CREATED): Kind.CREATED,
    (ROOM_GROUP, DISMISSED): Kind.DISMISSED,
    (ROOM_GROUP, ENTERED): Kind.ENTERED,
    (ROOM_GROUP, LEFT): Kind.LEFT,
    (ROOM_GROUP, ROLE_CHANGED): Kind.ENTERED,
}
"""What each type says of who is in the room; one whose role has changed is in it."""

_CAUSES: Final = {
    (ENTERED, 2): Cause.RECONNECTED,
    (ENTERED, 3): Cause.RECONNECTED,
    (LEFT, 2): Cause.TIMED_OUT,
    (LEFT, 3): Cause.REMOVED,
    (LEFT, 5): Cause.REMOVED,
}
"""Reasons that say more than the type: a network switch and a retry; a timeout, kicked, killed."""

_OF_ROOM: Final = (Kind.CREATED, Kind.DISMISSED)

MOST_KIND: Final = 10**9 - 1
"""Of groups and types: nine digits, where Tencent's have one to three. The type goes into a key."""
_MOST_MS: Final = 10**13
"""Thirteen digits, until the year 2286: what is longer is no unix time in ms."""


_sent = re.compile(r'"CallbackTs"\s*:\s*\d+').sub


class Callback(NamedTuple):
    """One callback.

    Attributes:
        event_group: Tencent's EventGroupId.
        event_type: Tencent's EventType.
        sent: unix ms at which Tencent sent it, by its own clock (CallbackTs).
        t: unix ms at which it happened: EventMsTs; where there is none EventTs, which is in
            seconds; else ``sent``.
        room: where; a number or a string, as the room's own members name it. None if it names no
            room that there can be.
        user: whom it is about. None if it names no user, or none that there can be.
        role: 20 anchor, 21 audience; or None.
        reason: why, by numbers that mean different things in different events; or None.
        raw: its text, as it came.
    """

    event_group: int
    event_type: int
    sent: int
    t: int
    room: Room | None
    user: str | None
    role: int | None
    reason: int | None
    raw: str

    @property
    def identity(self) -> tuple[int, int, str]:
        """What stays the same when Tencent sends it again: t, type, and user or what it says."""
        return self.t, self.event_type, self.user or _digest(self.raw)

    def facts(self) -> dict[str, Any]:
        """What a log line says of it."""
        return {
            "eventType": self.event_type,
            "eventMs": self.t,
            "room": None if self.room is None else self.room.key,
            "userId": self.user,
        }


def parse_callback(raw: bytes) -> Callback:
    """Read the body of a callback.

    Of a member that is named twice the last one counts, as in JavaScript.

    Raises:
        ApiError: ``malformed-json``.
        InvalidRequest: it is no callback: it lacks what each has.
    """
    text, value = _parsed(raw)
    if not isinstance(value, dict):
        raise InvalidRequest((FieldError("#", "must be an object: a callback of Tencent's"),))
    info = value.get("EventInfo")
    faults = [
        *_lacking(value, "EventGroupId", "EventType"),
        *([] if _time(value, "CallbackTs") else [FieldError("#/CallbackTs", "must be unix ms")]),
        *([] if isinstance(info, dict) else [FieldError("#/EventInfo", "must be an object")]),
    ]
    if faults or not isinstance(info, dict):
        raise InvalidRequest(tuple(faults))
    sent: int = value["CallbackTs"]
    return Callback(
        event_group=value["EventGroupId"],
        event_type=value["EventType"],
        sent=sent,
        t=_time(info, "EventMsTs") or _time(info, "EventTs", unit=1000) or sent,
        room=_identifier(parse_room, info.get("RoomId")),
        user=_identifier(check_user_id, info.get("UserId")),
        role=_number(info, "Role"),
        reason=_number(info, "Reason"),
        raw=text,
    )


def signal_of(callback: Callback, received: int) -> Signal | None:
    """What a callback says about who is in the room.

    Args:
        callback: any.
        received: unix ms at which it came in first.

    Returns:
        None for one that says nothing of it, or does not name the room, or its user.
    """
    kind = _KINDS.get((callback.event_group, callback.event_type))
    if kind is None or callback.room is None:
        return None
    user = "" if kind in _OF_ROOM else callback.user
    if user is None:
        return None
    cause = _CAUSES.get((callback.event_type, callback.reason or 0))
    return Signal(kind, Source.TENCENT, user, callback.t, received, cause=cause)


def _parsed(raw: bytes) -> tuple[str, Any]:
    try:
        text = raw.decode()
        return text, parse_foreign_json(text)
    except (ValueError, RecursionError):
        raise ApiError("malformed-json", "The body is not JSON in UTF-8.") from None


def _digest(text: str) -> str:
    """Tells one from another that is about nobody; only when it was sent may differ."""
    return f"#{sha256(_sent('', text).encode()).hexdigest()[:16]}"


def _lacking(value: dict[str, Any], *names: str) -> list[FieldError]:
    wanted = f"must be a whole number from 0 to {MOST_KIND}"
    found = [(name, _number(value, name)) for name in names]
    return [
        FieldError(f"#/{name}", wanted)
        for name, it in found
        if it is None or not 0 <= it <= MOST_KIND
    ]


def _number(value: dict[str, Any], name: str) -> int | None:
    number = value.get(name)
    return number if type(number) is int else None


def _time(value: dict[str, Any], name: str, unit: int = 1) -> int | None:
    """A member that is a time in units of so many ms, in unix ms; None if it is no time."""
    ms = (_number(value, name) or 0) * unit
    return ms if 0 < ms < _MOST_MS else None


def _identifier(check: Callable[[object], T], value: object) -> T | None:
    try:
        return check(value)
    except BadIdentifier:
        return None
