"""HMAC-SHA256: its secrets, and version 2 of the tickets, which they sign.

Version 2 has names of its own, ``TLS.sdkappid`` and ``TLS.expire``, and numbers where version 1 has
strings.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any, Final

from chalicelib.tickets import ticket
from chalicelib.tickets.codec import KEY_ID_CHARACTERS, Codec
from chalicelib.tickets.envelope import seal
from chalicelib.tickets.errors import BadKey, BadMember, BadSignature
from chalicelib.tickets.ticket import NUMBER_MAX, Ticket
from chalicelib.trtc.algorithms import HMAC
from chalicelib.trtc.identifiers import USER_ID_PATTERN

_SECRET: Final = re.compile(r"[!-~]+")
_SECRET_MIN: Final = 32
"""Tencent's secrets have 64 characters; half of one was cut short."""
_SECRET_MAX: Final = 512

_HEAD: Final = '{"TLS.ver":"2.0","TLS.sdkappid":%s,"TLS.expire":%s,"TLS.identifier":"'
_REST: Final = '%s","TLS.time":%s,"TLS.sig":"%s"%s}'
"""The JSON of a ticket: the part that one application's tickets share, and the rest."""


class HmacKey:
    """An HMAC secret for v2 tickets; its ASCII text is the key."""

    algorithm = HMAC

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode("ascii")
        digest = hashlib.sha256(b"roomgate keyId\n" + self._secret).hexdigest()
        self.key_id = digest[:KEY_ID_CHARACTERS]

    def __repr__(self) -> str:
        """Name the key."""
        return f"HmacKey({self.algorithm}, {self.key_id})"

    def sign(self, content: bytes) -> bytes:
        """Return the MAC over the content, 32 bytes."""
        return hmac.digest(self._secret, content, "sha256")

    def verify(self, content: bytes, signature: bytes) -> None:
        """Return if this secret made the MAC over the content; else raise `BadSignature`."""
        if not hmac.compare_digest(self.sign(content), signature):
            raise BadSignature((self.key_id,))


def load_key(text: str) -> HmacKey:
    """Read a secret as the console shows it, with white space around it; raises `BadKey`."""
    secret = text.strip()
    if not secret:
        raise BadKey("The secret is empty.")
    if "-----BEGIN" in secret:
        raise BadKey("The secret is a PEM file: its algorithm is ECDSA-SHA256.")
    if not _SECRET.fullmatch(secret):
        raise BadKey("The secret has white space inside, or characters that are not ASCII.")
    if not _SECRET_MIN <= len(secret) <= _SECRET_MAX:
        raise BadKey(
            f"The secret has {len(secret)} characters; from {_SECRET_MIN} to {_SECRET_MAX} are"
            " needed. Is it cut short?"
        )
    return HmacKey(secret)


def content(sdk_app_id: int, user_id: str, issued_at: int, ttl: int, userbuf: str | None) -> bytes:
    """Return the bytes to sign. No value holds a line break, so no two tickets share them.

    Tencent's format: ``name:value`` lines, each with an LF at its end; a privateMapKey has a line
    for its userbuf.
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
    if error := ticket.bad_text(members, "TLS.identifier", USER_ID_PATTERN):
        raise error
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


CODEC: Final = Codec(
    HMAC,
    version="2.0",
    string_rooms=True,
    pem_keys=False,
    load_key=load_key,
    content=content,
    write=write,
    read=read,
)
