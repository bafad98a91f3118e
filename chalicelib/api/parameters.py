"""Path and query parameters: decoded like body members, refused by their name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from chalicelib.api.vocabulary import SDK_APP_ID
from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.schema import DecodeErrors
from chalicelib.trtc import BadIdentifier, parse_room_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalice.app import MultiDict

    from chalicelib.schema import Type
    from chalicelib.trtc import Room

T = TypeVar("T")

_MOST_DIGITS = 16  # No parameter is a longer number; int() itself would take any length.
_whole = re.compile(r"0|-?[1-9][0-9]*").fullmatch

APP_PARAMETER: dict[str, Any] = {
    "name": "app",
    "in": "path",
    "required": True,
    "description": "sdkAppId",
    "schema": SDK_APP_ID.json_schema(),
}
ROOM_PARAMETER: dict[str, Any] = {
    "name": "room",
    "in": "path",
    "required": True,
    "description": "a numeric room's digits, or s: and the base64url of a string room's name",
    "schema": {"type": "string"},
}


def query_of(parameters: Iterable[Mapping[str, Any]], given: MultiDict) -> dict[str, str]:
    """The query of a request; raises Invalid.

    A name that is not known may be a misspelt one, and what it says must not be passed over: a list
    would begin anew for ever.

    Args:
        parameters: those that the route takes, as OpenAPI parameter objects.
        given: what came, by name.
    """
    known = {each["name"] for each in parameters if each["in"] == "query"}
    asked: dict[str, str] = {}
    wrong = []
    for name in given:
        if name not in known:
            wrong.append(FieldError(name, "is not a parameter that Roomgate knows here"))
        elif len(given.getlist(name)) > 1:
            wrong.append(FieldError(name, "must be given once"))
        else:
            asked[name] = given[name]
    if wrong:
        raise InvalidRequest(tuple(wrong))
    return asked


def app_of(path: dict[str, str]) -> int:
    """The application in a path; raises Invalid."""
    return integer("app", path["app"], SDK_APP_ID)


def room_of(path: dict[str, str]) -> Room:
    """The room in a path, by its key (``123``, ``s:…``); raises Invalid."""
    try:
        # API Gateway may hand the colon on as %3A; a room key itself has no percent sign.
        return parse_room_key(unquote(path["room"]))
    except BadIdentifier as error:
        raise InvalidRequest((FieldError("room", error.reason),)) from None


def integer(name: str, text: str, wanted: Type[int]) -> int:
    """A decimal parameter; raises Invalid."""
    if not _whole(text):
        raise InvalidRequest(
            (FieldError(name, "must be a whole number, in digits without a leading zero"),)
        )
    # What is cut off here was out of bounds, and still is.
    return parameter(name, int(text[: _MOST_DIGITS + 1]), wanted)


def parameter(name: str, value: str | int, wanted: Type[T]) -> T:
    """A parameter of any type; raises Invalid."""
    try:
        return wanted.decode(value)
    except DecodeErrors as faults:
        raise InvalidRequest((FieldError(name, faults.wrong[0].detail),)) from None
