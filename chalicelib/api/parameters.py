"""Path and query parameters: decoded as body members are; an error names the parameter."""

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
    """The query parameters of a request, by name.

    An unknown name is refused, because it may be misspelt: a client that misspells ``cursor`` would
    read the first page for ever.

    Args:
        parameters: those that the route takes, as OpenAPI parameter objects.
        given: those that the request has.

    Raises:
        InvalidRequest: a parameter is unknown, or was given twice.
    """
    known = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
    query: dict[str, str] = {}
    errors = []
    for name in given:
        if name not in known:
            errors.append(FieldError(name, "is not a parameter that Roomgate knows here"))
        elif len(given.getlist(name)) > 1:
            errors.append(FieldError(name, "must be given once"))
        else:
            query[name] = given[name]
    if errors:
        raise InvalidRequest(tuple(errors))
    return query


def app_of(path: dict[str, str]) -> int:
    """The sdkAppId in a path; raises InvalidRequest."""
    return integer("app", path["app"], SDK_APP_ID)


def room_of(path: dict[str, str]) -> Room:
    """The room in a path, by its key (``123``, ``s:…``); raises InvalidRequest."""
    try:
        # API Gateway may pass the colon as %3A; a room key has no percent sign of its own.
        return parse_room_key(unquote(path["room"]))
    except BadIdentifier as error:
        raise InvalidRequest((FieldError("room", error.reason),)) from None


def integer(name: str, text: str, type_: Type[int]) -> int:
    """A parameter that is a whole number; raises InvalidRequest."""
    if not _whole(text):
        raise InvalidRequest(
            (FieldError(name, "must be a whole number, in digits without a leading zero"),)
        )
    # A number that is cut here was out of bounds, and still is.
    return parameter(name, int(text[: _MOST_DIGITS + 1]), type_)


def parameter(name: str, value: str | int, type_: Type[T]) -> T:
    """A parameter of any type; raises InvalidRequest."""
    try:
        return type_.decode(value)
    except DecodeErrors as error:
        raise InvalidRequest((FieldError(name, error.errors[0].detail),)) from None
