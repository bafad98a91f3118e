"""Issuing: one userSig, one privateMapKey, or a whole entry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.auth.report_tokens import Claims, mint
from chalicelib.entries.applications import application_of, refuse_key, refuse_store_down
from chalicelib.errors import ApiError, FieldError
from chalicelib.stores.store import StoreError
from chalicelib.tickets import issue_private_map_key, issue_user_sig
from chalicelib.trtc import ALL, names_of, roomsig_request, rtc_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.auth.caller import Caller
    from chalicelib.auth.report_tokens import ReportTokenKeys
    from chalicelib.keys.applications import Application, Applications
    from chalicelib.stores.settings import Bounds
    from chalicelib.tickets import SigningKey
    from chalicelib.trtc import Room, Scene


class UserSigRequest(NamedTuple):
    """Ask for a userSig; ``ttl`` in seconds, None for the application's default."""

    sdk_app_id: int
    user_id: str
    ttl: int | None = None


class RoomTicketRequest(NamedTuple):
    """Ask for a privateMapKey; ``privileges`` are Tencent's bits, ``ttl`` as in UserSigRequest."""

    sdk_app_id: int
    user_id: str
    room: Room
    privileges: int = ALL
    ttl: int | None = None


class EntryRequest(NamedTuple):
    """Ask for all that a user needs to enter a room.

    Attributes:
        user_sig_ttl: seconds, or None for the application's default.
        private_map_key_ttl: likewise.
        terminal_type: of the roomsig request (Tencent: 4 Android, 2 iOS, 1 what the sample
            component sends).
        scene: ``videocall`` or ``live``, for the rtc URL.
    """

    sdk_app_id: int
    user_id: str
    room: Room
    privileges: int = ALL
    user_sig_ttl: int | None = None
    private_map_key_ttl: int | None = None
    terminal_type: int = 1
    scene: Scene = "videocall"


class Issuer:
    """Issues what callers may have.

    Args:
        applications: settings and signing keys.
        report_keys: the keys of report tokens.
        report_url: where members report, webhook's ``POST /v1/userlist-reports``.
        on_failure: told where a key in KMS does not sign.
    """

    def __init__(
        self,
        applications: Applications,
        report_keys: ReportTokenKeys,
        report_url: str,
        on_failure: Callable[[StoreError], None] = lambda _error: None,
    ) -> None:
        self._applications = applications
        self._report_keys = report_keys
        self._report_url = report_url
        self._on_failure = on_failure

    def user_sig(self, caller: Caller, wanted: UserSigRequest, now: int) -> dict[str, Any]:
        """A userSig and when it ends; raises Refusal.

        Args:
            caller: who asks.
            wanted: for whom.
            now: unix time in seconds.
        """
        app_id, user_id = wanted.sdk_app_id, wanted.user_id
        caller.may("issue", app_id, user_id=user_id)
        application = application_of(self._applications, app_id)
        ttl = _ttl(wanted.ttl, application.settings.user_sig_ttl, caller, "ttl")
        ticket = self._issue(
            issue_user_sig, application.key, sdk_app_id=app_id, user_id=user_id, now=now, ttl=ttl
        )
        return {
            "sdkAppId": app_id,
            "userId": user_id,
            "userSig": ticket,
            "expiresAt": now + ttl,
            "keyId": application.key.key_id,
        }

    def private_map_key(
        self, caller: Caller, wanted: RoomTicketRequest, now: int
    ) -> dict[str, Any]:
        """A privateMapKey, what it allows and when it ends; raises Refusal."""
        app_id, user_id, room = wanted.sdk_app_id, wanted.user_id, wanted.room
        caller.may("issue", app_id, user_id=user_id, room=room)
        application = application_of(self._applications, app_id)
        _check_room_kind(application, room)
        ttl = _ttl(wanted.ttl, application.settings.private_map_key_ttl, caller, "ttl")
        ticket = self._private_map_key(application.key, wanted, now, ttl)
        return {
            "sdkAppId": app_id,
            "userId": user_id,
            **room_member(room),
            "privileges": names_of(wanted.privileges),
            "privateMapKey": ticket,
            "expiresAt": now + ttl,
            "keyId": application.key.key_id,
        }

    def entry(self, caller: Caller, wanted: EntryRequest, now_ms: int) -> dict[str, Any]:
        """All that a user needs to enter a room; raises Refusal.

        Args:
            caller: who asks.
            wanted: who enters which room.
            now_ms: unix time in ms; also the report token's epoch.
        """
        now = now_ms // 1000
        app_id, user_id, room = wanted.sdk_app_id, wanted.user_id, wanted.room
        caller.may("issue", app_id, user_id=user_id, room=room)
        application = application_of(self._applications, app_id)
        _check_room_kind(application, room)
        bounds = application.settings
        sig_ttl = _ttl(wanted.user_sig_ttl, bounds.user_sig_ttl, caller, "userSigTtl")
        map_ttl = _ttl(
            wanted.private_map_key_ttl, bounds.private_map_key_ttl, caller, "privateMapKeyTtl"
        )
        claims = Claims(app_id, user_id, room, epoch=now_ms, ends=now + map_ttl)
        token = mint(self._token_key(), claims)
        key = application.key
        user_sig = self._issue(
            issue_user_sig, key, sdk_app_id=app_id, user_id=user_id, now=now, ttl=sig_ttl
        )
        private_map_key = self._private_map_key(key, wanted, now, map_ttl)
        return {
            "sdkAppId": app_id,
            "userId": user_id,
            **room_member(room),
            "privileges": names_of(wanted.privileges),
            "keyId": key.key_id,
            "userSig": user_sig,
            "userSigExpiresAt": now + sig_ttl,
            "privateMapKey": private_map_key,
            "privateMapKeyExpiresAt": now + map_ttl,
            **_roomsig_request(wanted, user_sig, private_map_key),
            "rtcUrl": rtc_url(
                sdk_app_id=app_id,
                user_id=user_id,
                room=room,
                user_sig=user_sig,
                private_map_key=private_map_key,
                scene=wanted.scene,
            ),
            "report": {
                "url": self._report_url,
                "token": token,
                "epoch": now_ms,
                "expiresAt": now + map_ttl,
            },
        }

    def _issue(
        self, issue: Callable[..., str], key: SigningKey, *, sdk_app_id: int, **what: Any
    ) -> str:
        try:
            return issue(key, sdk_app_id=sdk_app_id, **what)
        except StoreError as error:  # A key in KMS, which is down or refuses.
            self._on_failure(error)
            raise refuse_key(error, sdk_app_id) from None

    def _private_map_key(
        self, key: SigningKey, wanted: RoomTicketRequest | EntryRequest, now: int, ttl: int
    ) -> str:
        return self._issue(
            issue_private_map_key,
            key,
            sdk_app_id=wanted.sdk_app_id,
            user_id=wanted.user_id,
            room=wanted.room,
            privileges=wanted.privileges,
            now=now,
            ttl=ttl,
        )

    def _token_key(self) -> Any:
        try:
            return self._report_keys.get()[0]
        except StoreError as error:
            raise refuse_store_down(error) from None


def room_member(room: Room) -> dict[str, Room]:
    """The member that names a room in an answer: ``roomId`` or ``strRoomId``."""
    return {"roomId": room} if isinstance(room, int) else {"strRoomId": room}


def _roomsig_request(
    wanted: EntryRequest, user_sig: str, private_map_key: str
) -> dict[str, dict[str, Any]]:
    """The request for the client to send; none for a string room, which has no roomsig."""
    if not isinstance(wanted.room, int):
        return {}
    request = roomsig_request(
        sdk_app_id=wanted.sdk_app_id,
        user_id=wanted.user_id,
        room=wanted.room,
        user_sig=user_sig,
        private_map_key=private_map_key,
        random=int.from_bytes(os.urandom(4), "big"),
        terminal_type=wanted.terminal_type,
    )
    return {"roomsigRequest": request._asdict()}


def _check_room_kind(application: Application, room: Room) -> None:
    if isinstance(room, str) and application.key.algorithm != "HMAC-SHA256":
        detail = "This application signs with ECDSA, whose tickets know numeric rooms only."
        raise ApiError(
            "string-room-unsupported", detail, errors=(FieldError("#/strRoomId", detail),)
        )


def _ttl(asked: int | None, bounds: Bounds, caller: Caller, member: str) -> int:
    """The ttl in seconds: outside the bounds it is refused, never clipped."""
    if asked is not None:
        caller.may_last(asked, member)
    ttl = min(bounds.default, caller.most_ttl or bounds.default) if asked is None else asked
    if not bounds.least <= ttl <= bounds.most:
        detail = f"must be {bounds.least} to {bounds.most} seconds for this application"
        wrong = FieldError(f"#/{member}", detail)
        raise ApiError("ttl-out-of-bounds", f"The ttl {detail}.", errors=(wrong,))
    return ttl
