"""Issue userSig and privateMapKey, after a check of everything that is signed."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from chalicelib.tickets import codecs
from chalicelib.tickets.errors import StringRoomNeedsHmac, Unsignable
from chalicelib.tickets.userbuf import ENDS_AT_MAX, Userbuf, pack_userbuf
from chalicelib.trtc.identifiers import Room, check_sdk_app_id, check_user_id, parse_room
from chalicelib.trtc.privileges import check_privileges

if TYPE_CHECKING:
    from chalicelib.tickets.codec import SigningKey


def issue_user_sig(key: SigningKey, *, sdk_app_id: int, user_id: str, now: int, ttl: int) -> str:
    """Return a userSig.

    Args:
        key: the application's key; it decides the ticket's version.
        sdk_app_id: the application.
        user_id: the user.
        now: unix seconds; the start of the ticket's validity.
        ttl: seconds of validity; Tencent advises a day or more.

    Raises:
        BadIdentifier: an sdkAppId, userId or room is outside its limits.
        Unsignable: a time or a ttl is out of bounds.
    """
    _check_times(now, ttl)
    return _issue(key, check_sdk_app_id(sdk_app_id), check_user_id(user_id), now, ttl)


def issue_private_map_key(
    key: SigningKey,
    *,
    sdk_app_id: int,
    user_id: str,
    room: Room,
    privileges: int,
    now: int,
    ttl: int,
) -> str:
    """Return a privateMapKey.

    Args:
        key: the application's key; it decides the ticket's version.
        sdk_app_id: the application.
        user_id: the user.
        room: the one room that the ticket opens.
        privileges: as bits.
        now: unix seconds; the start of the ticket's validity.
        ttl: seconds of validity; hours at least, as clients re-use it after a network change.

    Raises:
        BadIdentifier: an sdkAppId, userId or room is outside its limits.
        BadPrivileges: the privileges don't exist.
        StringRoomNeedsHmac: the room is a string, and the key's algorithm knows numbers only.
        Unsignable: a time or a ttl is out of bounds.
    """
    _check_times(now, ttl)
    room = parse_room(room)
    if room.number is None and not codecs.CODECS[key.algorithm].string_rooms:
        raise StringRoomNeedsHmac
    userbuf = Userbuf(
        check_user_id(user_id),
        check_sdk_app_id(sdk_app_id),
        room,
        now + ttl,
        check_privileges(privileges),
    )
    return _issue(key, sdk_app_id, user_id, now, ttl, userbuf=_base64(pack_userbuf(userbuf)))


def _check_times(now: int, ttl: int) -> None:
    if now < 0 or ttl < 1 or now + ttl > ENDS_AT_MAX:
        raise Unsignable("ttl", f"must be at least 1 s and end by {ENDS_AT_MAX} (unix time)")


def _issue(
    key: SigningKey,
    sdk_app_id: int,
    user_id: str,
    now: int,
    ttl: int,
    *,
    userbuf: str | None = None,
) -> str:
    codec = codecs.CODECS[key.algorithm]
    signature = _base64(key.sign(codec.content(sdk_app_id, user_id, now, ttl, userbuf)))
    return codec.write(sdk_app_id, user_id, now, ttl, userbuf, signature=signature)


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")
