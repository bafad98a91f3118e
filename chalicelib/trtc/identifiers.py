"""The identifiers of an application, a user and a room, and their limits.

Each is parsed once, where it comes in. From there on its type says that it keeps its limits; only
the functions that sign tickets check again.

::

    ValueError
    └── BadIdentifier   .field .reason   an identifier outside its limits
"""

from __future__ import annotations

import binascii
import re
from typing import Final, NewType, TypeAlias

SDK_APP_ID_MAX: Final = 2**32 - 1
ROOM_ID_MAX: Final = 2**32 - 1
USER_ID_MAX_BYTES: Final = 32
STR_ROOM_MAX_BYTES: Final = 64

USER_ID_CHARACTERS: Final = "A-Z, a-z, 0-9, '_' and '-'"
USER_ID_PATTERN: Final = r"[A-Za-z0-9_-]{1,32}"
"""The pattern of a whole userid (Tencent: 1 to 32 bytes). Being ASCII, characters are bytes."""

STR_ROOM_CHARACTERS: Final = "letters, digits, space and !#$%&()+-:;<=.>?@[]^_{}|~,"
STR_ROOM_PATTERN: Final = r"[A-Za-z0-9 !#$%&()+\-:;<=.>?@\[\]\^_{}|~,]{1,64}"
"""The pattern of a whole string room (Tencent: 1 to 64 bytes)."""

_user_id = re.compile(USER_ID_PATTERN)
_str_room = re.compile(STR_ROOM_PATTERN)
_decimal = re.compile(r"[1-9][0-9]{0,9}")


class BadIdentifier(ValueError):
    """An identifier outside its limits.

    Attributes:
        field: its name in the HTTP API: ``sdkAppId``, ``userId``, ``roomId`` or ``strRoomId``.
        reason: a sentence that a caller can act on; it never repeats the value's characters.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        """The field and the reason, in one line."""
        return f"{self.field} {self.reason}"


class NumberRoom(int):
    """A numeric room, from 1 to 2**32-1; made by `parse_room`.

    Attributes:
        field: the JSON member that names it.
    """

    __slots__ = ()
    field: Final = "roomId"

    @property
    def number(self) -> NumberRoom:
        """Itself; None for a string room."""
        return self

    @property
    def key(self) -> str:
        """One word for paths and table keys: its decimal digits."""
        return str(int(self))

    @property
    def pattern_name(self) -> str:
        """The text that a caller's pattern of rooms is matched against: its decimal digits."""
        return self.key


class NamedRoom(str):
    """A string room, of 1 to 64 of `STR_ROOM_CHARACTERS`; made by `parse_room`.

    "123" is another room than 123.

    Attributes:
        field: the JSON member that names it.
        number: None: it has none.
    """

    __slots__ = ()
    field: Final = "strRoomId"
    number: Final = None

    @property
    def key(self) -> str:
        """One word for paths and table keys: ``s:`` and the name in base64url."""
        return "s:" + _base64url(self)

    @property
    def pattern_name(self) -> str:
        """The text that a caller's pattern of rooms is matched against: ``s:`` and the name."""
        return f"s:{self}"


Room: TypeAlias = NumberRoom | NamedRoom

SdkAppId = NewType("SdkAppId", int)
"""An application's id, from 1 to 2**32-1; made by `check_sdk_app_id`."""

UserId = NewType("UserId", str)
"""A userid, of 1 to 32 of `USER_ID_CHARACTERS`; made by `check_user_id`."""


def check_sdk_app_id(value: object) -> SdkAppId:
    """Return an application's id, an int from 1 to 2**32-1; else raise `BadIdentifier`."""
    return SdkAppId(_check_number("sdkAppId", value, SDK_APP_ID_MAX))


def check_user_id(value: object) -> UserId:
    """Return a userid that may be signed; else raise `BadIdentifier`.

    Values go into the signed content raw. This check also keeps a line break, and with it a second
    identity, out of a ticket.
    """
    if isinstance(value, str) and _user_id.fullmatch(value):
        return UserId(value)
    raise BadIdentifier(
        "userId", _text_reason(value, USER_ID_MAX_BYTES, USER_ID_CHARACTERS, _user_id)
    )


def parse_room(value: object) -> Room:
    """A room, of an int from 1 to 2**32-1 or a str; else raise `BadIdentifier`."""
    return parse_named_room(value) if isinstance(value, str) else parse_number_room(value)


def parse_number_room(value: object) -> NumberRoom:
    """A numeric room, of an int from 1 to 2**32-1; else raise `BadIdentifier`."""
    return NumberRoom(_check_number(NumberRoom.field, value, ROOM_ID_MAX))


def parse_named_room(value: object) -> NamedRoom:
    """A string room, of a str of 1 to 64 characters; else raise `BadIdentifier`."""
    if isinstance(value, str) and _str_room.fullmatch(value):
        return NamedRoom(value)
    reason = _text_reason(value, STR_ROOM_MAX_BYTES, STR_ROOM_CHARACTERS, _str_room)
    raise BadIdentifier(NamedRoom.field, reason)


def parse_room_key(text: str) -> Room:
    """The room of a key in exactly the spelling of `Room.key`; else raise `BadIdentifier`."""
    if text.startswith("s:"):
        return _parse_string_room(text[2:])
    if not _decimal.fullmatch(text):
        raise BadIdentifier("roomId", "must be a decimal number, or 's:' and a base64url name")
    return parse_number_room(int(text))


def _parse_string_room(encoded: str) -> NamedRoom:
    """Decode a string room's base64url; only its one canonical spelling is a key."""
    try:
        standard = encoded.replace("-", "+").replace("_", "/") + "=" * (-len(encoded) % 4)
        name = binascii.a2b_base64(standard, strict_mode=True).decode("ascii")
    except ValueError:
        name = ""
    if not name or _base64url(name) != encoded:
        raise BadIdentifier("strRoomId", "must be 's:' and the name in base64url without padding")
    return parse_named_room(name)


def _base64url(text: str) -> str:
    encoded = binascii.b2a_base64(text.encode(), newline=False).rstrip(b"=").decode()
    return encoded.replace("+", "-").replace("/", "_")


def _check_number(field: str, value: object, largest: int) -> int:
    # A bool is an int in Python, but true is no room 1.
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadIdentifier(field, f"must be a whole number from 1 to {largest}")
    if not 1 <= value <= largest:
        raise BadIdentifier(field, f"must be from 1 to {largest}")
    return value


def _text_reason(value: object, longest: int, allowed: str, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str):
        return "must be a string"
    if not value:
        return "must not be empty"
    for place, character in enumerate(value[: longest + 1], start=1):
        if not pattern.fullmatch(character):
            return f"has U+{ord(character):04X} as character {place}; only {allowed} are allowed"
    return f"is {len(value)} characters long; at most {longest} are allowed"
