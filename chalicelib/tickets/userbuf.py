"""The userbuf of a privateMapKey: user, application, room, privileges and end, in bytes.

Tencent's format: cVer, wAccountLen, buffAccount, dwSdkAppid, dwAuthId, dwExpTime, dwPrivilegeMap,
dwAccountType, and for a string room its length and name; integers are big-endian.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from chalicelib.tickets.errors import BadMember
from chalicelib.trtc.identifiers import BadIdentifier, Room, parse_room

MEMBER: Final = "TLS.userbuf"

ENDS_AT_MAX: Final = 2**32 - 1
"""Unix seconds: dwExpTime has four bytes."""

_HEAD: Final = struct.Struct(">BH")
_NUMBERS: Final = struct.Struct(">IIIII")
_LENGTH: Final = struct.Struct(">H")
_NUMERIC, _STRING = 0, 1


class Userbuf(NamedTuple):
    """The fields of a userbuf; ``ends_at`` in unix seconds, ``privileges`` as bits."""

    user_id: str
    sdk_app_id: int
    room: Room
    ends_at: int
    privileges: int
    account_type: int = 0


def pack_userbuf(userbuf: Userbuf) -> bytes:
    """Encode a userbuf, whose values were checked before."""
    account = userbuf.user_id.encode("ascii")
    room = userbuf.room
    number, name = (int(room), "") if room.number is not None else (0, str(room))
    head = _HEAD.pack(_STRING if name else _NUMERIC, len(account))
    numbers = _NUMBERS.pack(
        userbuf.sdk_app_id, number, userbuf.ends_at, userbuf.privileges, userbuf.account_type
    )
    tail = _LENGTH.pack(len(name)) + name.encode("ascii") if name else b""
    return head + account + numbers + tail


def parse_userbuf(data: bytes) -> Userbuf:
    """Decode a userbuf; raises `BadMember` unless `pack_userbuf` would write these bytes.

    The caller must compare user and application with the envelope's, which are checked. Old
    applications have account types other than 0.
    """
    try:
        return _parse(data)
    except (struct.error, UnicodeDecodeError):
        raise BadMember(MEMBER, "is cut short or damaged") from None
    except BadIdentifier as bad:
        raise BadMember(MEMBER, f"is unusable: its {bad}") from None


def _parse(data: bytes) -> Userbuf:
    version, length = _HEAD.unpack_from(data)
    start = _HEAD.size + length
    sdk_app_id, number, ends_at, privileges, account_type = _NUMBERS.unpack_from(data, start)
    room: int | str = number
    end = start + _NUMBERS.size
    if version == _STRING:
        (length,) = _LENGTH.unpack_from(data, end)
        room = data[end + _LENGTH.size :].decode("ascii")
        if number or length != len(room):
            raise BadMember(MEMBER, "does not describe its string room consistently")
    elif version != _NUMERIC or end != len(data):
        raise BadMember(MEMBER, "has an unknown version, or bytes after its end")
    user_id = data[_HEAD.size : start].decode("ascii")
    return Userbuf(user_id, sdk_app_id, parse_room(room), ends_at, privileges, account_type)
