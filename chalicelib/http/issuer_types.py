"""What the issuer's routes take and answer."""

from __future__ import annotations

from typing import Final

from chalicelib.entries import (
    EntryRequest,
    InspectionRequest,
    RoomTicketRequest,
    RoomUrlRequest,
    UserSigRequest,
)
from chalicelib.http.schema import Field, Foreign, Integer, OneOf, Record, Text
from chalicelib.rooms import ROOM_ID_MAX
from chalicelib.http.vocabulary import (
    APPLICATION_FIELD,
    KEY_ID,
    PRIVILEGE_FIELDS,
    PRIVILEGE_NAMES,
    ROOM_FIELDS,
    ROOM_ID,
    TICKET,
    TTL,
    UNIX_MS,
    UNIX_SECONDS,
    USER_FIELD,
    USER_ID,
)

BODY_MOST: Final = 64 * 1024  # bytes

TERMINALS = Integer(1, 4, "Tencent's TerminalType: 4 Android, 2 iOS, 1 the sample component")
SCENES = OneOf({"videocall": "videocall", "live": "live"}, "appscene of the rtc URL")
ROOM_URL = Text(32_768, description="room://…, for live-pusher's url")


def _optional_ttl(name: str, into: str) -> Field:
    return Field(name, TTL, into, required=False)


USER_SIG_REQUEST = Record(
    UserSigRequest, APPLICATION_FIELD, USER_FIELD, _optional_ttl("ttl", "ttl")
)
ROOM_TICKET_REQUEST = Record(
    RoomTicketRequest,
    APPLICATION_FIELD,
    USER_FIELD,
    *ROOM_FIELDS,
    *PRIVILEGE_FIELDS,
    _optional_ttl("ttl", "ttl"),
)
ENTRY_REQUEST = Record(
    EntryRequest,
    APPLICATION_FIELD,
    USER_FIELD,
    *ROOM_FIELDS,
    *PRIVILEGE_FIELDS,
    _optional_ttl("userSigTtl", "user_sig_ttl"),
    _optional_ttl("privateMapKeyTtl", "private_map_key_ttl"),
    Field("terminalType", TERMINALS, "terminal_type", required=False, default=1),
    Field("scene", SCENES, "scene", required=False, default="videocall"),
)
ROOM_URL_REQUEST = Record(
    RoomUrlRequest,
    APPLICATION_FIELD,
    USER_FIELD,
    Field("roomId", ROOM_ID, "room"),
    Field(
        "answer",
        Foreign(
            (dict, str),
            {
                "title": "Tencent's answer to the roomsig request, as an object or as its text",
                "type": ["object", "string"],
            },
        ),
        "answer",
    ),
    Field("pureAudioPushMod", Integer(1, 2, "bizbuf: 1 or 2"), "pure_audio", required=False),
    Field("recordId", Integer(0, ROOM_ID_MAX, "bizbuf"), "record_id", required=False),
)
INSPECTION_REQUEST = Record(
    InspectionRequest,
    Field("ticket", Text(65_536, description="any ticket, broken ones too"), "ticket"),
    APPLICATION_FIELD,
    Field("userId", USER_ID, "user_id", required=False),
    *(field._replace(required=False) for field in ROOM_FIELDS),
    Field(
        "kind",
        OneOf({kind: kind for kind in ("userSig", "privateMapKey")}, "what the ticket should be"),
        "kind",
        required=False,
    ),
)

_OBJECT = Foreign((dict,), {"type": "object"})

USER_SIG_ANSWER = Record(
    dict,
    APPLICATION_FIELD,
    USER_FIELD,
    Field("userSig", TICKET, "user_sig"),
    Field("expiresAt", UNIX_SECONDS, "expires_at"),
    Field("keyId", KEY_ID, "key_id"),
)
ROOM_TICKET_ANSWER = Record(
    dict,
    APPLICATION_FIELD,
    USER_FIELD,
    *ROOM_FIELDS,
    Field("privileges", PRIVILEGE_NAMES, "privileges"),
    Field("privateMapKey", TICKET, "private_map_key"),
    Field("expiresAt", UNIX_SECONDS, "expires_at"),
    Field("keyId", KEY_ID, "key_id"),
)
ROOMSIG_REQUEST = Record(
    dict,
    Field("method", OneOf({"POST": "POST"}), "method"),
    Field("url", Text(4096), "url"),
    Field("headers", _OBJECT, "headers"),
    Field("body", _OBJECT, "body"),
)
REPORT = Record(
    dict,
    Field("url", Text(2048, description="POST the lists here"), "url"),
    Field("token", Text(2048, description="for Authorization: Bearer"), "token"),
    Field("epoch", UNIX_MS, "epoch"),
    Field("expiresAt", UNIX_SECONDS, "expires_at"),
)
ENTRY_ANSWER = Record(
    dict,
    APPLICATION_FIELD,
    USER_FIELD,
    *ROOM_FIELDS,
    Field("privileges", PRIVILEGE_NAMES, "privileges"),
    Field("keyId", KEY_ID, "key_id"),
    Field("userSig", TICKET, "user_sig"),
    Field("userSigExpiresAt", UNIX_SECONDS, "user_sig_expires_at"),
    Field("privateMapKey", TICKET, "private_map_key"),
    Field("privateMapKeyExpiresAt", UNIX_SECONDS, "private_map_key_expires_at"),
    Field("roomsigRequest", ROOMSIG_REQUEST, "roomsig_request", required=False),
    Field("rtcUrl", ROOM_URL, "rtc_url"),
    Field("report", REPORT, "report"),
)
ROOM_URL_ANSWER = Record(dict, Field("roomUrl", ROOM_URL, "room_url"))
