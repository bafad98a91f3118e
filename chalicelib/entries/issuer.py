"""Issuing: a userSig, a privateMapKey, or a whole entry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.auth.report_tokens import Claims, mint
from chalicelib.entries.applications import application_of, refuse_key, refuse_store_down
from chalicelib.errors import ApiError, FieldError
from chalicelib.stores.store import StoreError
from chalicelib.tickets import CODECS, issue_private_map_key, issue_user_sig
from chalicelib.trtc import ALL, names_of, role_of, roomsig_request, rtc_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.auth.caller import Caller
    from chalicelib.auth.report_tokens import ReportTokenKeys
    from chalicelib.keys.applications import Application, Applications
    from chalicelib.stores.settings import Bounds
    from chalicelib.tickets import SigningKey
    from chalicelib.trtc import Room, RoomsigRequest, Scene, SdkAppId, UserId


class UserSigRequest(NamedTuple):
    """Ask for a userSig; ``ttl`` in seconds, None for the application's default."""

    sdk_app_id: SdkAppId
    user_id: UserId
    ttl: int | None = None


class RoomTicketRequest(NamedTuple):
    """Ask for a privateMapKey; ``privileges`` are Tencent's bits, ``ttl`` as in UserSigRequest."""

    sdk_app_id: SdkAppId
    user_id: UserId
    room: Room
    privileges: int = ALL
    ttl: int | None = None


class EntryRequest(NamedTuple):
    """Ask for all that a user needs to enter a room.

    Attributes:
        user_sig_ttl: seconds, or None for the application's default.
        private_map_key_ttl: seconds, or None for the application's default.
        terminal_type: of the roomsig request (Tencent: 4 Android, 2 iOS, 1 what the sample
            component sends).
        scene: ``videocall`` or ``live``, for the rtc URL.
        encode_small: also send a small picture, for the rtc URL.
        stream_id: the name of the stream on Tencent's CDN, for the rtc URL, or None.
        record_id: the caller's own name for the recording, for the rtc URL, or None.
        pure_audio_mode: 1 or 2; sound without a picture, for the rtc URL, or None.
        receive_mode: Tencent's recvmode, for the rtc URL, or None.
    """

    sdk_app_id: SdkAppId
    user_id: UserId
    room: Room
    privileges: int = ALL
    user_sig_ttl: int | None = None
    private_map_key_ttl: int | None = None
    terminal_type: int = 1
    scene: Scene = "videocall"
    encode_small: bool = False
    stream_id: str | None = None
    record_id: str | None = None
    pure_audio_mode: int | None = None
    receive_mode: int | None = None


class IssuedUserSig(NamedTuple):
    """A userSig.

    Attributes:
        expires_at: unix time in seconds.
        key_id: names the key that signed.
    """

    sdk_app_id: int
    user_id: str
    user_sig: str
    expires_at: int
    key_id: str

    def __repr__(self) -> str:
        return f"IssuedUserSig({self.sdk_app_id}, {self.user_id!r}, …)"


class IssuedPrivateMapKey(NamedTuple):
    """A privateMapKey.

    Attributes:
        privileges: their names.
        expires_at: unix time in seconds.
        key_id: names the key that signed.
    """

    sdk_app_id: int
    user_id: str
    room: Room
    privileges: list[str]
    private_map_key: str
    expires_at: int
    key_id: str

    def __repr__(self) -> str:
        return f"IssuedPrivateMapKey({self.sdk_app_id}, {self.user_id!r}, {self.room!r}, …)"


class ReportGrant(NamedTuple):
    """What a member needs to report and to read its room's roster.

    Attributes:
        url: takes the reports.
        roster_url: answers who is in the room, for the same token.
        token: the report token.
        epoch: unix ms; orders the tokens of one member.
        expires_at: unix time in seconds.
    """

    url: str
    roster_url: str
    token: str
    epoch: int
    expires_at: int

    def __repr__(self) -> str:
        return f"ReportGrant({self.url!r}, …, {self.epoch})"


class Entry(NamedTuple):
    """All that a user needs to enter a room.

    Attributes:
        privileges: their names.
        key_id: names the key that signed both tickets.
        user_sig_expires_at: unix time in seconds.
        private_map_key_expires_at: unix time in seconds.
        roomsig_request: for the client to send; None for a string room, which has no roomsig.
        rtc_url: the ``room://`` URL of clients that need no roomsig.
        report: what the member needs to report.
    """

    sdk_app_id: int
    user_id: str
    room: Room
    privileges: list[str]
    key_id: str
    user_sig: str
    user_sig_expires_at: int
    private_map_key: str
    private_map_key_expires_at: int
    roomsig_request: RoomsigRequest | None
    rtc_url: str
    report: ReportGrant

    def __repr__(self) -> str:
        return f"Entry({self.sdk_app_id}, {self.user_id!r}, {self.room!r}, …)"


class Issuer:
    """Issues tickets and entries to callers.

    Args:
        applications: settings and signing keys.
        report_keys: the keys of report tokens.
        webhook_url: webhook's base URL, where members report and read their room's roster.
        on_failure: called with the error when a key in KMS does not sign.
    """

    def __init__(
        self,
        applications: Applications,
        report_keys: ReportTokenKeys,
        webhook_url: str,
        on_failure: Callable[[StoreError], None] = lambda _error: None,
    ) -> None:
        self._applications = applications
        self._report_keys = report_keys
        self._report_url = f"{webhook_url}/v1/userlist-reports"
        self._roster_url = f"{webhook_url}/v1/roster"
        self._on_failure = on_failure

    def user_sig(self, caller: Caller, request: UserSigRequest, now: int) -> IssuedUserSig:
        """A userSig; raises ApiError.

        Args:
            caller: who asks; needs the action ``issue``.
            request: whom the userSig is for.
            now: unix time in seconds.
        """
        app_id, user_id = request.sdk_app_id, request.user_id
        caller.may("issue", app_id, user_id=user_id)
        application = application_of(self._applications, app_id)
        ttl = _ttl(request.ttl, application.settings.user_sig_ttl, caller, "ttl")
        ticket = self._issue(
            issue_user_sig, application.key, sdk_app_id=app_id, user_id=user_id, now=now, ttl=ttl
        )
        return IssuedUserSig(app_id, user_id, ticket, now + ttl, application.key.key_id)

    def private_map_key(
        self, caller: Caller, request: RoomTicketRequest, now: int
    ) -> IssuedPrivateMapKey:
        """A privateMapKey; raises ApiError.

        Args:
            caller: who asks; needs the action ``issue``.
            request: who enters which room.
            now: unix time in seconds.
        """
        app_id, user_id, room = request.sdk_app_id, request.user_id, request.room
        caller.may("issue", app_id, user_id=user_id, room=room)
        application = application_of(self._applications, app_id)
        _check_room_kind(application, room)
        ttl = _ttl(request.ttl, application.settings.private_map_key_ttl, caller, "ttl")
        ticket = self._private_map_key(application.key, request, now, ttl)
        return IssuedPrivateMapKey(
            app_id,
            user_id,
            room,
            names_of(request.privileges),
            ticket,
            now + ttl,
            application.key.key_id,
        )

    def entry(self, caller: Caller, request: EntryRequest, now_ms: int) -> Entry:
        """All that a user needs to enter a room; raises ApiError.

        Args:
            caller: who asks; needs the action ``issue``.
            request: who enters which room.
            now_ms: unix time in ms; also the report token's epoch.
        """
        now = now_ms // 1000
        app_id, user_id, room = request.sdk_app_id, request.user_id, request.room
        caller.may("issue", app_id, user_id=user_id, room=room)
        application = application_of(self._applications, app_id)
        _check_room_kind(application, room)
        bounds = application.settings
        sig_ttl = _ttl(request.user_sig_ttl, bounds.user_sig_ttl, caller, "userSigTtl")
        map_ttl = _ttl(
            request.private_map_key_ttl, bounds.private_map_key_ttl, caller, "privateMapKeyTtl"
        )
        claims = Claims(
            app_id,
            user_id,
            room,
            epoch=now_ms,
            ends=now + map_ttl,
            role=role_of(request.privileges),
            scene=request.scene,
        )
        token = mint(self._token_key(), claims)
        key = application.key
        user_sig = self._issue(
            issue_user_sig, key, sdk_app_id=app_id, user_id=user_id, now=now, ttl=sig_ttl
        )
        private_map_key = self._private_map_key(key, request, now, map_ttl)
        return Entry(
            app_id,
            user_id,
            room,
            names_of(request.privileges),
            key.key_id,
            user_sig,
            now + sig_ttl,
            private_map_key,
            now + map_ttl,
            _roomsig_request(request, user_sig, private_map_key),
            rtc_url(
                sdk_app_id=app_id,
                user_id=user_id,
                room=room,
                user_sig=user_sig,
                private_map_key=private_map_key,
                scene=request.scene,
                encode_small=request.encode_small,
                stream_id=request.stream_id,
                record_id=request.record_id,
                pure_audio_mode=request.pure_audio_mode,
                receive_mode=request.receive_mode,
            ),
            ReportGrant(self._report_url, self._roster_url, token, now_ms, now + map_ttl),
        )

    def _issue(
        self, issue: Callable[..., str], key: SigningKey, *, sdk_app_id: int, **fields: Any
    ) -> str:
        try:
            return issue(key, sdk_app_id=sdk_app_id, **fields)
        except StoreError as error:  # A key in KMS, and KMS is down or refuses.
            self._on_failure(error)
            raise refuse_key(error, sdk_app_id) from None

    def _private_map_key(
        self, key: SigningKey, request: RoomTicketRequest | EntryRequest, now: int, ttl: int
    ) -> str:
        return self._issue(
            issue_private_map_key,
            key,
            sdk_app_id=request.sdk_app_id,
            user_id=request.user_id,
            room=request.room,
            privileges=request.privileges,
            now=now,
            ttl=ttl,
        )

    def _token_key(self) -> Any:
        try:
            return self._report_keys.get()[0]
        except StoreError as error:
            raise refuse_store_down(error) from None


def _roomsig_request(
    request: EntryRequest, user_sig: str, private_map_key: str
) -> RoomsigRequest | None:
    """The request for the client to send; none for a string room, which has no roomsig."""
    number = request.room.number
    if number is None:
        return None
    return roomsig_request(
        sdk_app_id=request.sdk_app_id,
        user_id=request.user_id,
        room=number,
        user_sig=user_sig,
        private_map_key=private_map_key,
        random=int.from_bytes(os.urandom(4), "big"),
        terminal_type=request.terminal_type,
    )


def _check_room_kind(application: Application, room: Room) -> None:
    algorithm = application.key.algorithm
    if room.number is None and not CODECS[algorithm].string_rooms:
        detail = f"This application signs with {algorithm}, whose tickets know numeric rooms only."
        raise ApiError(
            "string-room-unsupported", detail, errors=(FieldError("#/strRoomId", detail),)
        )


def _ttl(requested: int | None, bounds: Bounds, caller: Caller, member: str) -> int:
    """The ttl in seconds. One outside the bounds is refused, never clipped."""
    if requested is None:
        ttl = min(bounds.default, caller.most_ttl or bounds.default)
    else:
        caller.may_last(requested, member)
        ttl = requested
    if not bounds.least <= ttl <= bounds.most:
        detail = f"must be {bounds.least} to {bounds.most} seconds for this application"
        wrong = FieldError(f"#/{member}", detail)
        raise ApiError("ttl-out-of-bounds", f"The ttl {detail}.", errors=(wrong,))
    return ttl
