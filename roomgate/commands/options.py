"""Types of arguments and options that several commands share."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final, TypeVar

import click

from chalicelib.auth.caller import CALLER_ID_PATTERN
from chalicelib.trtc import (
    SDK_APP_ID_MAX,
    BadIdentifier,
    Room,
    check_user_id,
    parse_named_room,
    parse_number_room,
    parse_room_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_SECONDS_MOST: Final = 2**31 - 1
_MILLISECONDS: Final = 10**11
"""From here on a number of unix seconds must be meant as milliseconds."""

SDK_APP_ID: Final = click.IntRange(1, SDK_APP_ID_MAX)
SECONDS: Final = click.IntRange(1, _SECONDS_MOST)


class Parsed(click.ParamType[T]):
    """A text that a function parses; the function raises BadIdentifier.

    Args:
        name: what it is called in a usage line.
        parse: parses it.
    """

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """What it says; fails as a usage error."""
        try:
            return self._parse(value)
        except BadIdentifier as error:
            self.fail(f"It {error.reason}.", param, ctx)


class Moment(click.ParamType[int]):
    """A moment: unix seconds, or a date (and time) in UTC."""

    name = "moment"

    def convert(
        self, value: int | str, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Unix seconds; fails as a usage error."""
        text = str(value)
        if text.isascii() and text.isdigit() and 0 < int(text) < _MILLISECONDS:
            return int(text)
        try:
            at = dt.datetime.fromisoformat(text)
            seconds = int((at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp())
        except ValueError:
            seconds = -1
        if not 0 <= seconds < _MILLISECONDS:
            self.fail(
                f"{text!r}: write 2027-01-31, 2027-01-31T18:00:00Z or unix seconds.", param, ctx
            )
        return seconds


def _check_id(value: str) -> str:
    if not re.fullmatch(CALLER_ID_PATTERN, value):
        raise BadIdentifier("id", "must be 1 to 32 characters of a-z, 0-9 and -, not - first")
    return value


USER_ID: Final = Parsed("user_id", check_user_id)
ROOM_ID: Final = Parsed(
    "number", lambda text: parse_number_room(int(text) if text.isdecimal() else text)
)
STRING_ROOM: Final = Parsed("name", parse_named_room)
CALLER_ID: Final = Parsed("caller_id", _check_id)
RELAY_ID: Final = Parsed("relay_id", _check_id)
MOMENT: Final = Moment()


class RoomKeyType(click.ParamType[Room]):
    """A room by its key: ``123``, or ``s:`` and the base64url of a string room's name."""

    name = "room"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> Room:
        """The room; fails as a usage error."""
        try:
            return parse_room_key(str(value))
        except BadIdentifier as error:
            self.fail(f"It {error.reason}.", param, ctx)


ROOM_KEY: Final = RoomKeyType()
