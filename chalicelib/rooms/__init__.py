"""Rooms: identifiers, privileges, Tencent's codes, the roomsig request and answer, room:// URLs.

May enter: what Tencent says of a room and of entering it. Not: tickets, time, anything that waits.
"""

from chalicelib.rooms.codes import CODES, Code
from chalicelib.rooms.identifiers import (
    ROOM_ID_MAX,
    SDK_APP_ID_MAX,
    STR_ROOM_MAX_BYTES,
    STR_ROOM_PATTERN,
    USER_ID_MAX_BYTES,
    USER_ID_PATTERN,
    BadIdentifier,
    Room,
    check_room,
    check_sdk_app_id,
    check_user_id,
    parse_room_key,
    room_key,
)
from chalicelib.rooms.privileges import (
    ALL,
    ENTER,
    PRIVILEGES,
    ROLES,
    BadPrivileges,
    bits_of,
    check_privileges,
    names_of,
    role_bits,
)
from chalicelib.rooms.roomsig import (
    RoomsigError,
    RoomsigRefused,
    RoomsigRequest,
    RoomsigUnusable,
    roomsig_of,
    roomsig_request,
)
from chalicelib.rooms.urls import (
    BadRoomUrl,
    RoomUrl,
    Scene,
    js_encode,
    parse_room_url,
    room_url,
    rtc_url,
)

__all__ = [
    "ALL",
    "CODES",
    "ENTER",
    "PRIVILEGES",
    "ROLES",
    "ROOM_ID_MAX",
    "SDK_APP_ID_MAX",
    "STR_ROOM_MAX_BYTES",
    "STR_ROOM_PATTERN",
    "USER_ID_MAX_BYTES",
    "USER_ID_PATTERN",
    "BadIdentifier",
    "BadPrivileges",
    "BadRoomUrl",
    "Code",
    "Room",
    "RoomUrl",
    "RoomsigError",
    "RoomsigRefused",
    "RoomsigRequest",
    "RoomsigUnusable",
    "Scene",
    "bits_of",
    "check_privileges",
    "check_room",
    "check_sdk_app_id",
    "check_user_id",
    "js_encode",
    "names_of",
    "parse_room_key",
    "parse_room_url",
    "role_bits",
    "room_key",
    "room_url",
    "roomsig_of",
    "roomsig_request",
    "rtc_url",
]
