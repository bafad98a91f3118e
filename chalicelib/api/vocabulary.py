"""The members that requests and answers share, and their types."""

from __future__ import annotations

from typing import Any

from chalicelib.schema import Array, Checked, Either, Field, Integer, OneOf, Schema, Text, Type
from chalicelib.trtc import (
    ALL,
    PRIVILEGES,
    ROLES,
    ROOM_ID_MAX,
    SDK_APP_ID_MAX,
    STR_ROOM_MAX_BYTES,
    STR_ROOM_PATTERN,
    USER_ID_MAX_BYTES,
    USER_ID_PATTERN,
    bits_of,
    check_privileges,
    check_user_id,
)
from chalicelib.trtc.identifiers import NumberRoom, parse_named_room, parse_number_room

UNIX_SECONDS = Integer(0, 2**53 - 1, "unix time in seconds")
UNIX_MS = Integer(0, 2**53 - 1, "unix time in ms")
TTL = Integer(1, 2**31 - 1, "seconds")
KEY_ID = Text(16, least=16, pattern="[0-9a-f]{16}", description="names the key that signed")
TICKET = Text(2048, description="in Tencent's alphabet: A-Z a-z 0-9 * - _")


def _text(most: int, pattern: str, description: str) -> Schema:
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": most,
        "pattern": f"^{pattern}$",
        "description": description,
    }


SDK_APP_ID = Integer(1, SDK_APP_ID_MAX, "Tencent's application")
USER_ID = Checked(check_user_id, _text(USER_ID_MAX_BYTES, USER_ID_PATTERN, "userid"))
ROOM_ID: Type[NumberRoom] = Checked(
    parse_number_room, Integer(1, ROOM_ID_MAX, "a numeric room").json_schema()
)
STR_ROOM_ID = Checked(
    parse_named_room,
    _text(STR_ROOM_MAX_BYTES, STR_ROOM_PATTERN, "a string room (HMAC-SHA256 only)"),
)

PRIVILEGE_NAMES: Type[list[str]] = Array(
    OneOf({name: name for name in PRIVILEGES}), len(PRIVILEGES), unique=True
)


class _Privileges(Type[int]):
    """Privileges as Tencent's bits, or as an array of their names."""

    _either: Either[Any] = Either(
        {
            int: Checked(check_privileges, Integer(1, ALL, "Tencent's bits").json_schema()),
            list: PRIVILEGE_NAMES,
        },
        "Tencent's bits as a number, or an array of names",
    )
    _names = Checked(bits_of, {})

    def decode(self, value: object) -> int:
        """Tencent's bits, whichever way the privileges were written."""
        decoded = self._either.decode(value)
        return decoded if isinstance(decoded, int) else self._names.decode(decoded)

    def json_schema(self) -> Schema:
        """A number or an array of names."""
        return self._either.json_schema()


APPLICATION_FIELD = Field("sdkAppId", SDK_APP_ID, "sdk_app_id")
USER_FIELD = Field("userId", USER_ID, "user_id")
ROOM_FIELDS = (
    Field("roomId", ROOM_ID, "room", when=lambda room: room.number is not None),
    Field("strRoomId", STR_ROOM_ID, "room", when=lambda room: room.number is None),
)
ROLE = OneOf(ROLES, "anchor: everything; audience: enter, hear and see")
PRIVILEGE_FIELDS = (
    Field("privileges", _Privileges(), "privileges", required=False, default=ALL),
    Field("role", ROLE, "privileges", required=False, default=ALL),
)
