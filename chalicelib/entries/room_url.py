"""Room URLs: made from the roomsig answer of Tencent that the client fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.errors import ApiError, FieldError
from chalicelib.trtc import RoomsigRefused, RoomsigUnusable, room_url, roomsig_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.auth.caller import Caller
    from chalicelib.trtc.identifiers import NumberRoom, SdkAppId, UserId

PLACE = "#/answer"


class RoomUrlRequest(NamedTuple):
    """Ask for a room URL.

    Attributes:
        answer: Tencent's answer to the roomsig request, parsed or as text.
        pure_audio: 1 or 2 for bizbuf's pure_audio_push_mod, or None.
        record_id: for bizbuf, or None.
    """

    sdk_app_id: SdkAppId
    user_id: UserId
    room: NumberRoom
    answer: Mapping[str, Any] | str
    pure_audio: int | None = None
    record_id: int | None = None

    def __repr__(self) -> str:
        return f"RoomUrlRequest({self.sdk_app_id}, {self.user_id!r}, {self.room}, …)"


def room_url_for(caller: Caller, request: RoomUrlRequest) -> str:
    """The ``room://`` URL.

    Raises:
        ApiError: the caller lacks a right; ``roomsig-refused``, with Tencent's code explained; or
            ``roomsig-unusable``.
    """
    app_id, user_id, room = request.sdk_app_id, request.user_id, request.room
    caller.may("issue", app_id, user_id=user_id, room=room)
    return room_url(
        sdk_app_id=app_id,
        user_id=user_id,
        room=room,
        roomsig=_roomsig(request.answer),
        pure_audio=request.pure_audio,
        record_id=request.record_id,
    )


def _roomsig(answer: Mapping[str, Any] | str) -> str:
    try:
        return roomsig_of(answer)
    except RoomsigRefused as refused:
        info = f" Tencent says: {refused.info}" if refused.info else ""
        detail = f"Tencent's code {refused.code}: {refused.explanation}{info}"
        wrong = FieldError(PLACE, f"carries ErrorCode {refused.code}")
        raise ApiError(
            "roomsig-refused", detail, errors=(wrong,), tencent_code=refused.code
        ) from None
    except RoomsigUnusable as unusable:
        wrong = FieldError(PLACE, unusable.reason)
        raise ApiError("roomsig-unusable", unusable.reason, errors=(wrong,)) from None
