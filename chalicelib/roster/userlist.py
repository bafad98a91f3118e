"""Read a report: push event 1020 of ``<live-pusher>``, or its decoded list, strictly.

::

    ApiError
    ├── InvalidRequest   every wrong member by its place in the request
    └── ListTooLarge     more users than a room may hold
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from chalicelib.errors import ApiError, FieldError, InvalidRequest
from chalicelib.json_text import parse_foreign_json
from chalicelib.roster.view import View, view_of
from chalicelib.trtc.identifiers import USER_ID_PATTERN, BadIdentifier, check_user_id

if TYPE_CHECKING:
    from collections.abc import Callable

USERLIST_EVENT: Final = 1020
"""PUSH_EVT_ROOM_USERLIST (Tencent): the full list of the others in the room."""

MOST_USERS: Final = 5000
MOST_PLAYURL: Final = 512
"""The longest playurl, in characters. Tencent's are about 50 and the userid."""

_DELTA_EVENTS: Final = {1031: "a user entered", 1032: "a user left"}
_MOST_SHOWN: Final = 20  # A problem that named 5,000 wrong users would help nobody.

_users_fit = re.compile(rf"(?:{USER_ID_PATTERN}\n)*+").fullmatch
_unprintable = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search
_PLAIN = bytes(range(0x20, 0x7F))


MOST_NAME: Final = 64
"""Characters of a name that was left out, of which the answer tells."""

MOST_LEFT_OUT: Final = 20
"""Names that were left out, of which the answer tells."""


class ListTooLarge(ApiError):
    """A list that Roomgate will not read or cannot store."""

    def __init__(self, detail: str) -> None:
        super().__init__("list-too-large", detail)


def parse_pushed(pushed: dict[str, Any] | list[Any], reporter: str) -> View:
    """Read what a client pushed: the event as it came (an object), or its decoded list (an array).

    Args:
        pushed: decoded JSON. The event is ``{"code": 1020, "message": "<JSON>"}``, the list is
            ``[{"userid": …, "playurl": …}, …]`` with playurl optional. Members that Tencent may add
            are ignored.
        reporter: the userid of the member that reports; a list never holds it (Tencent).

    Raises:
        InvalidRequest: with places under ``#/event`` or ``#/userlist``.
        ListTooLarge: over 5,000 users.
    """
    if isinstance(pushed, dict):
        userlist = _userlist_of(pushed)
        return view_of(reporter, *_others(userlist, reporter, _in_message))
    return view_of(reporter, *_others(pushed, reporter, _in_body))


def _in_body(path: str, detail: str) -> FieldError:
    return FieldError(f"#/userlist{path}", detail)


def _in_message(path: str, detail: str) -> FieldError:
    """A fault inside the message: no JSON Pointer reaches into a string; the detail says where."""
    return FieldError("#/event/message", f"userlist{path} {detail}")


def _userlist_of(event: dict[str, Any]) -> list[Any]:
    _check_code(event)
    if "message" not in event:
        raise InvalidRequest((FieldError("#/event/message", "is missing"),))
    message = _parse_message(event["message"])
    userlist = message.get("userlist") if isinstance(message, dict) else None
    if not isinstance(userlist, list):
        detail = "must hold the JSON of an object with the array userlist"
        raise InvalidRequest((FieldError("#/event/message", detail),))
    return userlist


def _check_code(event: dict[str, Any]) -> None:
    code = event.get("code")
    if type(code) is int and code == USERLIST_EVENT:
        return
    detail = f"must be {USERLIST_EVENT}, the event that carries the whole list"
    if type(code) is int and code in _DELTA_EVENTS:
        detail += (
            f"; {code} says only that {_DELTA_EVENTS[code]}: a client that gets 1031 and 1032"
            " keeps the list itself and sends it decoded, as userlist"
        )
    raise InvalidRequest((FieldError("#/event/code", detail),))


def _parse_message(message: Any) -> Any:
    """Parse the event's inner JSON as the mini-program's JSON.parse does.

    So, unlike in our own objects, of a member that is named twice the last one counts.
    """
    if not isinstance(message, str):
        detail = "must be a string: the JSON text as the event carries it"
        raise InvalidRequest((FieldError("#/event/message", detail),))
    try:
        return parse_foreign_json(message)
    except (ValueError, RecursionError):
        raise InvalidRequest((FieldError("#/event/message", "does not hold JSON"),)) from None


def _others(
    userlist: list[Any], reporter: str, wrong: Callable[[str, str], FieldError]
) -> tuple[dict[str, str | None], tuple[str, ...]]:
    if len(userlist) > MOST_USERS:
        raise ListTooLarge(f"The list has {len(userlist)} users; at most {MOST_USERS} are read.")
    others = _plain_others(userlist)
    if others is not None and reporter not in others:
        return others, ()
    return _careful_others(userlist, reporter, wrong)


def _plain_others(userlist: list[Any]) -> dict[str, str | None] | None:
    """Read a list without a fault in a few passes over all of it at once, or return None.

    Going user by user costs twice as much, and nearly every list is plain.
    """
    try:
        playurls = {entry["userid"]: entry.get("playurl", "") for entry in userlist}
        users = sorted(playurls)  # Once for all: to sort what is sorted takes no time.
        lines = "\n".join([*users, ""])
        text = "".join(playurls.values())
    except (TypeError, KeyError):
        return None
    # An id with a line feed inside would pass as two, but for the count.
    if not _users_fit(lines) or not lines.count("\n") == len(playurls) == len(userlist):
        return None
    if not text.isascii() or text.encode().translate(None, _PLAIN):
        return None
    if max(map(len, playurls.values()), default=0) > MOST_PLAYURL:
        return None
    return {user: playurls[user] or None for user in users}


def _careful_others(
    userlist: list[Any], reporter: str, wrong: Callable[[str, str], FieldError]
) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """Read a list user by user, to say of each fault where it stands.

    Names that could not be signed do get into rooms, by other issuers. They are left out, and said:
    to refuse the list would make the room blind to all others in it.
    """
    others: dict[str, str | None] = {}
    left_out: list[str] = []
    faults: list[FieldError] = []
    for index, entry in enumerate(userlist):
        if name := _unsignable(entry):
            left_out.append(name[:MOST_NAME].encode(errors="replace").decode())
            continue
        fault = _entry_fault(entry, reporter, others)
        if fault:
            member, detail = fault
            faults.append(wrong(f"/{index}{member}", detail))
        else:
            others[entry["userid"]] = entry.get("playurl") or None
        if len(faults) == _MOST_SHOWN:
            break
    if faults:
        raise InvalidRequest(tuple(faults))
    return others, tuple(left_out[:MOST_LEFT_OUT])


def _unsignable(entry: Any) -> str | None:
    """The name of a user that is in the room and that no ticket could be signed for."""
    name = entry.get("userid") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        return None
    try:
        check_user_id(name)
    except BadIdentifier:
        return name
    return None


def _entry_fault(
    entry: Any, reporter: str, others: dict[str, str | None]
) -> tuple[str, str] | None:
    """The first fault of an entry: the pointer to its member, and what is wrong with it."""
    if not isinstance(entry, dict):
        return "", "must be an object with userid"
    if "userid" not in entry:
        return "/userid", "is missing"
    try:
        user = check_user_id(entry["userid"])
    except BadIdentifier as error:
        return "/userid", error.reason
    if user == reporter:
        return "/userid", "is the reporter itself, which a list never holds"
    if user in others:
        return "/userid", "stands in the list twice"
    fault = _playurl_fault(entry.get("playurl", ""))
    return ("/playurl", fault) if fault else None


def _playurl_fault(playurl: Any) -> str | None:
    if not isinstance(playurl, str):
        return "must be a string"
    if len(playurl) > MOST_PLAYURL:
        return f"has {len(playurl)} characters; at most {MOST_PLAYURL} are allowed"
    if _unprintable(playurl):
        return "holds a control character or half of a surrogate pair"
    return None
