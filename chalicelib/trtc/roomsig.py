"""The roomsig: the request for it as data, and the roomsig of Tencent's answer.

The user's client must send the request itself. A server must not: Tencent chooses the media route
by the address that asks.

::

    ValueError
    └── RoomsigError
        ├── RoomsigRefused    .code .info .explanation   Tencent said no
        └── RoomsigUnusable   .reason                    the answer holds no roomsig
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.trtc.codes import CODES
from chalicelib.trtc.js import js_encode, js_parse, js_stringify

if TYPE_CHECKING:
    from chalicelib.trtc.identifiers import NumberRoom, SdkAppId, UserId

HOST: Final = "official.opensso.tencent-cloud.com"
"""Tencent's host, the same for every region; yun.tim.qq.com answers the same request as well."""

TERMINAL_OTHER: Final = 1
TERMINAL_IOS: Final = 2
TERMINAL_ANDROID: Final = 4

TERMINAL_TYPES: Final = (TERMINAL_OTHER, TERMINAL_IOS, TERMINAL_ANDROID)

_FROM_MINI_PROGRAM: Final = 3
_BUSINESS_TYPE: Final = 7
_SDK_VERSION: Final = 26280566
_INFO_MAX: Final = 200
_CODE_MAX: Final = 2**31


class RoomsigRequest(NamedTuple):
    """The request as data; it carries both tickets, so its repr shows neither."""

    method: str
    url: str
    headers: dict[str, str]
    body: dict[str, Any]

    def __repr__(self) -> str:
        """Hide the tickets."""
        return f"RoomsigRequest({self.method}, ...)"


class RoomsigError(ValueError):
    """A roomsig answer from which no URL can be made."""


class RoomsigRefused(RoomsigError):
    """Tencent refused.

    Attributes:
        code: Tencent's number.
        info: Tencent's message, without control characters, at most 200 characters.
        explanation: what the code means, as a sentence.
    """

    def __init__(self, code: int, info: str) -> None:
        known = CODES.get(code)
        self.explanation = known.meaning if known else "A code that Roomgate has no words for."
        super().__init__(f"Tencent refused with {code}: {self.explanation}")
        self.code = code
        self.info = info


class RoomsigUnusable(RoomsigError):
    """The answer holds no roomsig, and names no error either.

    Attributes:
        reason: a sentence that a caller can act on.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def roomsig_request(
    *,
    sdk_app_id: SdkAppId,
    user_id: UserId,
    room: NumberRoom,
    user_sig: str,
    private_map_key: str,
    random: int,
    terminal_type: int = TERMINAL_OTHER,
) -> RoomsigRequest:
    """Return the request that the user's client posts to learn its roomsig.

    Args:
        sdk_app_id: the application.
        user_id: the user whose client asks.
        room: a numeric room.
        user_sig: the user's userSig.
        private_map_key: the user's privateMapKey for the room.
        random: any number from 0 to 2**32-1; it only keeps caches away.
        terminal_type: one of the ``TERMINAL_`` constants.
    """
    query = {
        "sdkappid": sdk_app_id,
        "identifier": user_id,
        "usersig": js_encode(user_sig),
        "random": random,
        "contenttype": "json",
    }
    joined = "&".join(f"{name}={value}" for name, value in query.items())
    return RoomsigRequest(
        method="POST",
        url=f"https://{HOST}/v4/openim/jsonvideoapp?{joined}",
        headers={"Content-Type": "application/json"},
        body={
            "ReqHead": {
                "Cmd": 1,
                "SeqNo": 1,
                "BusType": _BUSINESS_TYPE,
                "GroupId": room,
            },
            "ReqBody": {
                "PrivMapEncrypt": private_map_key,
                "TerminalType": terminal_type,
                "FromType": _FROM_MINI_PROGRAM,
                "SdkVersion": _SDK_VERSION,
            },
        },
    )


def check_terminal(value: object) -> int:
    """Return a terminal type that Tencent knows; else raise `ValueError`."""
    if type(value) is int and value in TERMINAL_TYPES:
        return value
    raise ValueError(f"must be one of {', '.join(map(str, TERMINAL_TYPES))}")


def roomsig_of(answer: Mapping[str, Any] | str) -> str:
    """Return the roomsig: ``JSON.stringify(RspBody)``, byte for byte as a mini-program makes it.

    Args:
        answer: Tencent's answer, as text or parsed.

    Raises:
        RoomsigRefused: for both shapes of a refusal, inside RspHead or at top level.
        RoomsigUnusable: for anything else without a usable RspBody.
    """
    try:
        parsed = js_parse(answer) if isinstance(answer, str) else answer
        return _roomsig_of(parsed)
    except RecursionError:
        raise RoomsigUnusable("The answer is nested too deeply.") from None
    except (TypeError, UnicodeError):
        raise RoomsigUnusable("The answer holds something that JSON can't.") from None
    except RoomsigError:
        raise
    except ValueError:
        raise RoomsigUnusable("The answer is not JSON.") from None


def _roomsig_of(answer: object) -> str:
    if not isinstance(answer, Mapping):
        raise RoomsigUnusable("The answer is not a JSON object.")
    head = answer.get("RspHead")
    for place in (answer, head):
        if isinstance(place, Mapping):
            _refuse_failure(place)
    if not isinstance(head, Mapping) or not _is_whole(head.get("ErrorCode")):
        raise RoomsigUnusable("The answer has no RspHead with an ErrorCode.")
    body = answer.get("RspBody")
    if not isinstance(body, Mapping) or not body:
        raise RoomsigUnusable("The answer has no RspBody, or an empty one.")
    return js_stringify(body)


def _refuse_failure(place: Mapping[str, Any]) -> None:
    code = place.get("ErrorCode")
    if _is_whole(code) and code:
        if abs(code) > _CODE_MAX:
            raise RoomsigUnusable("The answer's ErrorCode is no number of Tencent's.")
        raise RoomsigRefused(int(code), _cleaned(place.get("ErrorInfo")))
    if place.get("ActionStatus", "OK") != "OK":
        raise RoomsigUnusable("The answer says that it failed, without a code.")


def _is_whole(value: object) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def _cleaned(info: object) -> str:
    if not isinstance(info, str):
        return ""
    return "".join(character for character in info if character.isprintable())[:_INFO_MAX]
