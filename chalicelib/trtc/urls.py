"""Write and read the room:// URLs that a mini-program's <live-pusher> takes.

There are two kinds: ``room://cloud.tencent.com?…roomsig=…`` for clients that ask for a roomsig, and
``room://cloud.tencent.com/rtc?…`` for current clients (WeChat from 7.0.8), which need none.

::

    ValueError
    └── BadRoomUrl   .reason   a URL, or a part of one, that no client could use
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import unquote_to_bytes

from chalicelib.trtc.identifiers import (
    ROOM_ID_MAX,
    BadIdentifier,
    NumberRoom,
    Room,
    SdkAppId,
    UserId,
    check_sdk_app_id,
    check_user_id,
    parse_room,
)
from chalicelib.trtc.js import js_encode, js_parse, js_stringify

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BadRoomUrl", "RoomUrl", "js_encode", "parse_room_url", "room_url", "rtc_url"]

Scene = Literal["videocall", "live"]

_ROOMSIG_START: Final = "room://cloud.tencent.com?"
_RTC_START: Final = "room://cloud.tencent.com/rtc?"
_SCENES: Final = ("videocall", "live")
_PURE_AUDIO_MODES: Final = (1, 2)
_BIZ: Final = {"pure_audio_push_mod": "pure_audio", "record_id": "record_id"}
_NAME: Final = re.compile(r"[A-Za-z_]+")
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_ENCODED: Final = re.compile(r"(?:[^%#\s]|%[0-9A-Fa-f]{2})*")
_KNOWN: Final = frozenset(
    ("sdkappid", "roomid", "strroomid", "userid", "roomsig", "bizbuf", "usersig", "privatemapkey")
)


class BadRoomUrl(ValueError):
    """A room URL, or a part for one, that no client could use.

    Attributes:
        reason: a sentence that a caller can act on; it never repeats the URL.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RoomUrl(NamedTuple):
    """The parts of a room URL, decoded; it carries tickets, so its repr shows none.

    ``roomsig`` stands in the first kind of URL only, ``user_sig`` in the second.
    ``options`` are all other parameters, by their names in the URL.
    """

    sdk_app_id: SdkAppId
    user_id: UserId
    room: Room
    roomsig: str | None = None
    pure_audio: int | None = None
    record_id: int | None = None
    user_sig: str | None = None
    private_map_key: str | None = None
    options: Mapping[str, str] = MappingProxyType({})

    def __repr__(self) -> str:
        """Hide the tickets."""
        return f"RoomUrl({self.sdk_app_id}, {self.user_id!r}, {self.room!r}, ...)"


def room_url(
    *,
    sdk_app_id: SdkAppId,
    user_id: UserId,
    room: NumberRoom,
    roomsig: str,
    pure_audio: int | None = None,
    record_id: int | None = None,
) -> str:
    """Return the URL for a client that has a roomsig.

    Args:
        sdk_app_id: the application.
        user_id: the only user who can use the URL.
        room: a numeric room.
        roomsig: what `roomsig.roomsig_of` returned.
        pure_audio: 1 or 2, Tencent's pure_audio_push_mod.
        record_id: the number under which Tencent records the stream.

    Raises:
        BadRoomUrl: the roomsig or an option is unusable.
    """
    if not _is_roomsig(roomsig):
        raise BadRoomUrl("The roomsig is not a JSON object that holds anything.")
    parameters = {
        "sdkappid": str(sdk_app_id),
        "roomid": str(room),
        "userid": user_id,
        "roomsig": roomsig,
    }
    if biz := _biz(pure_audio, record_id):
        parameters["bizbuf"] = js_stringify({"Str_uc_params": biz})
    return _ROOMSIG_START + _query(parameters)


def rtc_url(
    *,
    sdk_app_id: SdkAppId,
    user_id: UserId,
    room: Room,
    user_sig: str,
    private_map_key: str,
    scene: Scene = "videocall",
    encode_small: bool = False,
    black_stream: bool = False,
    stream_id: str | None = None,
    record_id: str | None = None,
    pure_audio_mode: int | None = None,
    receive_mode: int | None = None,
) -> str:
    """Return the URL for a current client, which uses the two tickets and no roomsig.

    Args:
        sdk_app_id: the application.
        user_id: the only user who can use the URL.
        room: a numeric or a string room.
        user_sig: the user's userSig.
        private_map_key: the user's privateMapKey for the room.
        scene: ``videocall`` or ``live``.
        encode_small: also send a small picture.
        black_stream: go on sending a black picture while the camera is off.
        stream_id: the name of the stream on Tencent's CDN.
        record_id: the caller's own name for the recording.
        pure_audio_mode: 1 or 2; for sound without a picture.
        receive_mode: Tencent's recvmode.

    Raises:
        BadRoomUrl: an option is unusable.
    """
    if scene not in _SCENES:
        raise BadRoomUrl(f"The scene must be one of {', '.join(_SCENES)}.")
    optional = {
        "streamid": stream_id,
        "userdefinerecordid": record_id,
        "privatemapkey": private_map_key,
        "pureaudiomode": _optional_number("pureaudiomode", pure_audio_mode),
        "recvmode": _optional_number("recvmode", receive_mode),
    }
    parameters = {
        "sdkappid": str(sdk_app_id),
        "roomid" if room.number is not None else "strroomid": str(room),
        "userid": user_id,
        "usersig": user_sig,
        "appscene": scene,
        "encsmall": str(int(encode_small)),
        "cloudenv": "PRO",
        "enableBlackStream": str(int(black_stream)),
        **{name: value for name, value in optional.items() if value is not None},
    }
    return _RTC_START + _query(parameters)


def parse_room_url(url: str) -> RoomUrl:
    """Parse a room URL of either kind; raises `BadRoomUrl` and nothing else."""
    try:
        if url.startswith(_RTC_START):
            return _parse_rtc(_parameters(url.removeprefix(_RTC_START)))
        if url.startswith(_ROOMSIG_START):
            return _parse_roomsig(_parameters(url.removeprefix(_ROOMSIG_START)))
    except BadIdentifier as bad:
        raise BadRoomUrl(f"The URL's {bad}.") from None
    raise BadRoomUrl(f"A room URL starts with {_ROOMSIG_START} or {_RTC_START}")


def _query(parameters: Mapping[str, str]) -> str:
    try:
        return "&".join(f"{name}={js_encode(value)}" for name, value in parameters.items())
    except UnicodeError:
        raise BadRoomUrl("A parameter holds half a character (a lone surrogate).") from None


def _is_roomsig(roomsig: str) -> bool:
    try:
        parsed = js_parse(roomsig)
    except (ValueError, RecursionError):
        return False
    return isinstance(parsed, dict) and bool(parsed)


def _biz(pure_audio: int | None = None, record_id: int | None = None) -> dict[str, int]:
    biz = {}
    if pure_audio is not None:
        if pure_audio not in _PURE_AUDIO_MODES:
            raise BadRoomUrl("pure_audio must be 1 or 2.")
        biz["pure_audio_push_mod"] = pure_audio
    if record_id is not None:
        if not 0 <= record_id <= ROOM_ID_MAX:
            raise BadRoomUrl(f"record_id must be from 0 to {ROOM_ID_MAX}.")
        biz["record_id"] = record_id
    return biz


def _optional_number(name: str, value: int | None) -> str | None:
    if value is None:
        return None
    if not 0 <= value <= ROOM_ID_MAX:
        raise BadRoomUrl(f"{name} must be from 0 to {ROOM_ID_MAX}.")
    return str(value)


def _parameters(query: str) -> dict[str, str]:
    """Decode a query as decodeURIComponent does: a ``+`` is a plus, and each name stands once."""
    parameters: dict[str, str] = {}
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if not equals or not _NAME.fullmatch(name) or name in parameters:
            raise BadRoomUrl("The URL's query must be name=value parts, each name once.")
        parameters[name] = _decode(value)
    return parameters


def _decode(value: str) -> str:
    try:
        if _ENCODED.fullmatch(value):
            return unquote_to_bytes(value).decode()
    except UnicodeError:
        pass
    raise BadRoomUrl("A parameter of the URL is not percent-encoded UTF-8.")


def _who_and_where(parameters: Mapping[str, str]) -> tuple[SdkAppId, UserId, Room]:
    if "roomid" in parameters and "strroomid" in parameters:
        raise BadRoomUrl("The URL names two rooms.")
    name = parameters.get("strroomid")
    return (
        check_sdk_app_id(_number(parameters.get("sdkappid"))),
        check_user_id(parameters.get("userid")),
        parse_room(_number(parameters.get("roomid")) if name is None else name),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _DECIMAL.fullmatch(text) else None


def _parse_roomsig(parameters: dict[str, str]) -> RoomUrl:
    sdk_app_id, user_id, room = _who_and_where(parameters)
    if room.number is None:
        raise BadIdentifier(room.field, "has no roomsig: use a numeric room or the rtc URL")
    roomsig = parameters.get("roomsig", "")
    if not _is_roomsig(roomsig):
        raise BadRoomUrl("The URL has no roomsig that is a JSON object and holds anything.")
    biz = _parse_biz(parameters.get("bizbuf"))
    return RoomUrl(
        sdk_app_id,
        user_id,
        room,
        roomsig=roomsig,
        pure_audio=biz.get("pure_audio_push_mod"),
        record_id=biz.get("record_id"),
        options=_options(parameters),
    )


def _parse_rtc(parameters: dict[str, str]) -> RoomUrl:
    sdk_app_id, user_id, room = _who_and_where(parameters)
    if not parameters.get("usersig"):
        raise BadRoomUrl("The URL has no usersig.")
    return RoomUrl(
        sdk_app_id,
        user_id,
        room,
        user_sig=parameters["usersig"],
        private_map_key=parameters.get("privatemapkey"),
        options=_options(parameters),
    )


def _options(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if name not in _KNOWN}


def _parse_biz(text: str | None) -> dict[str, int]:
    if text is None:
        return {}
    try:
        biz = js_parse(text)["Str_uc_params"]
        numbers = {name: _whole(biz[name]) for name in _BIZ if name in biz}
        return _biz(**{_BIZ[name]: number for name, number in numbers.items()})
    except (ValueError, TypeError, LookupError, RecursionError):
        raise BadRoomUrl("The URL's bizbuf is not as Tencent describes it.") from None


def _whole(value: object) -> int:
    # js_parse reads every number as a float.
    if not isinstance(value, float) or not value.is_integer():
        raise BadRoomUrl("A number of the URL's bizbuf is not a whole one.")
    return int(value)
