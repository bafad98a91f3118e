"""What the issuer's routes take and answer: each declared once, for decoding, encoding, OpenAPI."""

from __future__ import annotations

from typing import Final, NamedTuple

from chalicelib.api.vocabulary import (
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
from chalicelib.entries import (
    Entry,
    EntryRequest,
    InspectionRequest,
    IssuedPrivateMapKey,
    IssuedUserSig,
    ReportGrant,
    RoomTicketRequest,
    RoomUrlRequest,
    UserSigRequest,
)
from chalicelib.keys.applications import StatedKey
from chalicelib.schema import (
    Array,
    Checked,
    Field,
    Flag,
    Foreign,
    Integer,
    Nullable,
    OneOf,
    Record,
    Text,
)
from chalicelib.tickets import ALGORITHMS, PRIVATE_MAP_KEY, USER_SIG
from chalicelib.tickets.explain import Check, Explanation, Verdict
from chalicelib.trtc import ROOM_ID_MAX, TERMINAL_TYPES, RoomsigRequest, check_terminal

BODY_MOST: Final = 64 * 1024  # bytes

TERMINALS = Checked(
    check_terminal,
    {
        "type": "integer",
        "enum": list(TERMINAL_TYPES),
        "description": "Tencent's TerminalType: 4 Android, 2 iOS, 1 the sample component",
    },
)
STREAM_ID = Text(64, least=1, pattern="[A-Za-z0-9_-]*", description="rtc URL: streamid")
RECORD_ID = Text(64, least=1, pattern="[A-Za-z0-9_-]*", description="rtc URL: userdefinerecordid")
"""Tencent: at most 64 bytes of letters, digits, hyphens and underscores."""
SCENES = OneOf({"videocall": "videocall", "live": "live"}, "appscene of the rtc URL")
KIND = OneOf({kind: kind for kind in (USER_SIG, PRIVATE_MAP_KEY)}, "what the ticket is")
# Each byte of an answer can become three of the URL.
ROOM_URL = Text(4 * BODY_MOST, description="room://…, for live-pusher's url")


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
    Field(
        "smallStream",
        Flag("rtc URL: also send a small picture (encsmall)"),
        "encode_small",
        required=False,
        default=False,
    ),
    Field("streamId", STREAM_ID, "stream_id", required=False),
    Field("recordId", RECORD_ID, "record_id", required=False),
    Field(
        "pureAudioMode",
        Integer(1, 2, "rtc URL: sound without a picture"),
        "pure_audio_mode",
        required=False,
    ),
    Field("receiveMode", Integer(1, 4, "rtc URL: recvmode"), "receive_mode", required=False),
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
    Field("kind", KIND, "kind", required=False),
)

_OBJECT = Foreign((dict,), {"type": "object"})

USER_SIG_ANSWER = Record(
    IssuedUserSig,
    APPLICATION_FIELD,
    USER_FIELD,
    Field("userSig", TICKET, "user_sig"),
    Field("expiresAt", UNIX_SECONDS, "expires_at"),
    Field("keyId", KEY_ID, "key_id"),
)
ROOM_TICKET_ANSWER = Record(
    IssuedPrivateMapKey,
    APPLICATION_FIELD,
    USER_FIELD,
    *ROOM_FIELDS,
    Field("privileges", PRIVILEGE_NAMES, "privileges"),
    Field("privateMapKey", TICKET, "private_map_key"),
    Field("expiresAt", UNIX_SECONDS, "expires_at"),
    Field("keyId", KEY_ID, "key_id"),
)
ROOMSIG_REQUEST = Record(
    RoomsigRequest,
    Field("method", OneOf({"POST": "POST"}), "method"),
    Field("url", Text(4096), "url"),
    Field("headers", _OBJECT, "headers"),
    Field("body", _OBJECT, "body"),
)
REPORT = Record(
    ReportGrant,
    Field("url", Text(2048, description="POST the lists here"), "url"),
    Field("rosterUrl", Text(2048, description="GET who is in the room here"), "roster_url"),
    Field("token", Text(2048, description="for Authorization: Bearer"), "token"),
    Field("epoch", UNIX_MS, "epoch"),
    Field("expiresAt", UNIX_SECONDS, "expires_at"),
)
ENTRY_ANSWER = Record(
    Entry,
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


class RoomUrlAnswer(NamedTuple):
    """A ``room://`` URL."""

    room_url: str


ROOM_URL_ANSWER = Record(RoomUrlAnswer, Field("roomUrl", ROOM_URL, "room_url"))

VERDICT = Record(
    Verdict,
    Field("code", Integer(-(2**31), 2**31, "Tencent's code; 0 where nothing is wrong"), "code"),
    Field("name", Text(64), "name"),
    Field("cause", Text(4096, description="the likely cause, in words"), "cause"),
)
CHECK = Record(
    Check,
    Field("name", Text(32), "name"),
    Field("passed", Foreign((bool, type(None)), {"type": ["boolean", "null"]}), "passed"),
    Field("note", Text(4096), "note"),
)
INSPECTION_ANSWER = Record(
    Explanation,
    Field("kind", Nullable(KIND), "kind"),
    Field("fields", _OBJECT, "fields"),
    Field("verdict", VERDICT, "verdict"),
    Field("keyId", Nullable(KEY_ID), "key_id"),
    Field("checks", Array(CHECK, 16), "checks"),
)
STATE = OneOf(
    {state: state for state in ("current", "previous", "pending", "candidate")},
    "current: signs; previous: still verifies; pending: in rotation; candidate: waits for one",
)
PUBLIC_KEY = Record(
    StatedKey,
    Field("keyId", KEY_ID, "key_id"),
    Field("state", STATE, "state"),
    Field("since", UNIX_SECONDS, "since", required=False),
    Field("algorithm", OneOf({name: name for name in ALGORITHMS}), "algorithm"),
    Field("publicKey", Text(1024, description="PEM; ECDSA only"), "public_key", required=False),
)


class ApplicationKeys(NamedTuple):
    """The keys of an application."""

    sdk_app_id: int
    keys: list[StatedKey]


KEYS_ANSWER = Record(
    ApplicationKeys, APPLICATION_FIELD, Field("keys", Array(PUBLIC_KEY, 4), "keys")
)
