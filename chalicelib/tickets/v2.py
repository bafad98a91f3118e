"""Version 2 of the tickets (HMAC-SHA256): what is signed, and how it is written and read.

Note the names: ``TLS.sdkappid`` and ``TLS.expire``, where version 1 has other ones, and numbers.
"""

from __future__ import annotations

from typing import Any, Final

from chalicelib.tickets import ticket
from chalicelib.tickets.envelope import seal
from chalicelib.tickets.errors import BadMember
from chalicelib.tickets.ticket import NUMBER_MAX, Ticket
from chalicelib.trtc.algorithms import HMAC
from chalicelib.trtc.identifiers import USER_ID_PATTERN

VERSION_MEMBER: Final = "TLS.ver"
"""Stands in version 2 only."""

_VERSION: Final = "2.0"
_HEAD: Final = '{"TLS.ver":"2.0","TLS.sdkappid":%s,"TLS.expire":%s,"TLS.identifier":"'
_REST: Final = '%s","TLS.time":%s,"TLS.sig":"%s"%s}'
"""The JSON of a ticket: what one application's have in common, and what differs."""


def content(sdk_app_id: int, user_id: str, issued_at: int, ttl: int, userbuf: str | None) -> bytes:
    """Return what is signed, from values that hold no line break: so no two tickets share it.

    Tencent: ``name:value`` lines, each ended by LF; the userbuf's line for a privateMapKey only.
    """
    last = "" if userbuf is None else f"TLS.userbuf:{userbuf}\n"
    return (
        f"TLS.identifier:{user_id}\nTLS.sdkappid:{sdk_app_id}\n"
        f"TLS.time:{issued_at}\nTLS.expire:{ttl}\n{last}"
    ).encode("ascii")


def write(
    sdk_app_id: int, user_id: str, issued_at: int, ttl: int, userbuf: str | None, *, signature: str
) -> str:
    """Return the ticket's text; no value holds a character that JSON would escape."""
    last = "" if userbuf is None else f',"TLS.userbuf":"{userbuf}"'
    return seal(_HEAD % (sdk_app_id, ttl), _REST % (user_id, issued_at, signature, last))


def read(members: dict[str, Any]) -> Ticket:
    """Read a ticket's members; unknown ones are ignored; raises `BadMember`."""
    if members.get(VERSION_MEMBER) != _VERSION:
        raise BadMember(VERSION_MEMBER, f'must be "{_VERSION}"')
    if bad := ticket.bad_text(members, "TLS.identifier", USER_ID_PATTERN):
        raise bad
    user_id = members["TLS.identifier"]
    sdk_app_id = _whole(members, "TLS.sdkappid", 1)
    issued_at = _whole(members, "TLS.time")
    ttl = _whole(members, "TLS.expire")
    userbuf = members.get("TLS.userbuf")
    return Ticket(
        HMAC,
        sdk_app_id,
        user_id,
        issued_at,
        ttl,
        ticket.read_userbuf(userbuf),
        content(sdk_app_id, user_id, issued_at, ttl, userbuf),
        ticket.read_signature(members.get("TLS.sig")),
    )


def _whole(members: dict[str, Any], name: str, least: int = 0) -> int:
    value = members.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= NUMBER_MAX:
        return value
    raise BadMember(name, f"must be a whole number from {least} to {NUMBER_MAX}")
