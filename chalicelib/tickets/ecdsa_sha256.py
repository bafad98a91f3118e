"""ECDSA-SHA256: its keys, and version 1 of the tickets, which they sign."""

from __future__ import annotations

import hashlib
import re
from operator import itemgetter
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.tickets import pem, ticket
from chalicelib.tickets.codec import KEY_ID_CHARACTERS, Codec
from chalicelib.tickets.envelope import seal
from chalicelib.tickets.errors import BadKey, BadMember, BadSignature
from chalicelib.tickets.ticket import DECIMAL, FREE_TEXT, POSITIVE, Ticket
from chalicelib.trtc.algorithms import ECDSA
from chalicelib.trtc.identifiers import USER_ID_PATTERN

_ECDSA_SHA256: Final = ec.ECDSA(hashes.SHA256())
_CURVES: Final[dict[str, ec.EllipticCurve]] = {"P-256": ec.SECP256R1(), "secp256k1": ec.SECP256K1()}
_COORDINATE_BYTES: Final = 32

_HEAD: Final = (
    '{"TLS.account_type":"0","TLS.appid_at_3rd":"0","TLS.version":"201512300000",'
    '"TLS.sdk_appid":"%s","TLS.expire_after":"%s","TLS.identifier":"'
)
_REST: Final = '%s","TLS.time":"%s","TLS.sig":"%s"%s}'
"""The JSON of a ticket: the part that one application's tickets share, and the rest."""

_THIRD: Final = "TLS.appid_at_3rd"
_SIGNED: Final = {
    _THIRD: FREE_TEXT,
    "TLS.account_type": FREE_TEXT,
    "TLS.identifier": USER_ID_PATTERN,
    "TLS.sdk_appid": POSITIVE,
    "TLS.time": DECIMAL,
    "TLS.expire_after": DECIMAL,
}
"""The signed members of every ticket -> pattern. No pattern allows a line feed."""
_BASE64: Final = r"[A-Za-z0-9+/]+={0,2}"
_OWN: Final = re.compile(
    re.escape(_HEAD + _REST)
    % (
        f"({POSITIVE})",
        f"({DECIMAL})",
        f"({USER_ID_PATTERN})",
        f"({DECIMAL})",
        f"({_BASE64})",
        rf'(?:,"TLS\.userbuf":"({_BASE64})")?',
    )
)
_signed = itemgetter(*_SIGNED)
# One match for all six: six matches would cost as much as the rest of reading a ticket.
_SIGNED_VALUES: Final = re.compile("\n".join(f"({pattern})" for pattern in _SIGNED.values()))


class EcdsaPublicKey:
    """The public half of an ECDSA key, which only verifies."""

    algorithm = ECDSA

    def __init__(self, public: ec.EllipticCurvePublicKey, curve: str) -> None:
        self.curve = curve
        der, self.public_pem = pem.write_public(curve, _point(public))
        self.key_id = hashlib.sha256(der).hexdigest()[:KEY_ID_CHARACTERS]
        self._verify = public.verify

    def __repr__(self) -> str:
        """Name the key."""
        return f"{type(self).__name__}({self.algorithm}, {self.key_id})"

    def verify(self, content: bytes, signature: bytes) -> None:
        """Return if this key made the DER signature over the content; else raise `BadSignature`."""
        try:
            self._verify(signature, content, _ECDSA_SHA256)
        except InvalidSignature:
            raise BadSignature((self.key_id,)) from None


class EcdsaKey(EcdsaPublicKey):
    """An ECDSA key on P-256 or secp256k1, for v1 tickets."""

    def __init__(self, private: ec.EllipticCurvePrivateKey, curve: str) -> None:
        super().__init__(private.public_key(), curve)
        self._sign = private.sign

    def sign(self, content: bytes) -> bytes:
        """Return a DER signature over the content; no two are alike."""
        return self._sign(content, _ECDSA_SHA256)


def load_key(text: str) -> EcdsaKey:
    """Read an EC private key (PEM, PKCS8 or SEC1) on P-256 or secp256k1; raises `BadKey`."""
    curve, number, stated_point = pem.read_private(text)
    try:
        private = ec.derive_private_key(number, _CURVES[curve])
    except ValueError:
        raise BadKey("The key is damaged: its number is out of range.") from None
    # A compressed point is another leading byte and the first half of the full point.
    point = _point(private.public_key())
    if stated_point is not None and stated_point[1:] not in {
        point[1:],
        point[1 : 1 + _COORDINATE_BYTES],
    }:
        raise BadKey("The key is damaged: its public half does not belong to its private half.")
    return EcdsaKey(private, curve)


def load_public_key(text: str) -> EcdsaPublicKey:
    """Read an EC public key (PEM) on P-256 or secp256k1; raises `BadKey`."""
    curve, point = pem.read_public(text)
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve], point)
    except ValueError:
        raise BadKey("The public key is damaged: its point is not on its curve.") from None
    return EcdsaPublicKey(public, curve)


def content(
    sdk_app_id: int | str,
    user_id: str,
    issued_at: int | str,
    ttl: int | str,
    userbuf: object,
    *,
    account_type: str = "0",
    third: str = f"{_THIRD}:0\n",
) -> bytes:
    """Return the bytes to sign. No value holds a line break, so no two tickets share them.

    Tencent's format: ``name:value`` lines, each with an LF at its end; a privateMapKey has a line
    for its userbuf.
    """
    last = "" if userbuf is None else f"TLS.userbuf:{userbuf}\n"
    return (
        f"{third}TLS.account_type:{account_type}\nTLS.identifier:{user_id}\n"
        f"TLS.sdk_appid:{sdk_app_id}\nTLS.time:{issued_at}\nTLS.expire_after:{ttl}\n{last}"
    ).encode("ascii")


def write(
    sdk_app_id: int, user_id: str, issued_at: int, ttl: int, userbuf: str | None, *, signature: str
) -> str:
    """Return the ticket's text; no value holds a character that JSON would escape."""
    last = "" if userbuf is None else f',"TLS.userbuf":"{userbuf}"'
    return seal(_HEAD % (sdk_app_id, ttl), _REST % (user_id, issued_at, signature, last))


def read(members: dict[str, Any]) -> Ticket:
    """Read a ticket's members; raises `BadMember`.

    Other issuers leave TLS.appid_at_3rd out, use other account types and versions, and add members
    of their own.
    """
    has_third = _THIRD in members
    values = _signed_values(members if has_third else {**members, _THIRD: ""})
    return _ticket(values, members.get("TLS.userbuf"), members.get("TLS.sig"), has_third=has_third)


def read_own(content: bytes) -> Ticket | None:
    """Read the JSON of a ticket of ours in one match, or return None; raises `BadMember`.

    The result is that of `read`. Most tickets are ours, and this takes half the time.
    """
    match = _OWN.fullmatch(content.decode("latin-1"))
    if match is None:
        return None
    sdk_app_id, ttl, user_id, issued_at, signature, userbuf = match.groups()
    return _ticket(("0", "0", user_id, sdk_app_id, issued_at, ttl), userbuf, signature)


def _ticket(
    values: tuple[str, ...], userbuf: object, signature: object, *, has_third: bool = True
) -> Ticket:
    third, account_type, user_id, sdk_app_id, issued_at, ttl = values
    parsed = ticket.read_userbuf(userbuf)
    if parsed is not None and parsed.room.number is None:
        raise BadMember("TLS.userbuf", "names a string room, which ECDSA tickets can't")
    signed = content(
        sdk_app_id,
        user_id,
        issued_at,
        ttl,
        userbuf,
        account_type=account_type,
        third=f"{_THIRD}:{third}\n" if has_third else "",
    )
    return Ticket(
        ECDSA,
        int(sdk_app_id),
        user_id,
        int(issued_at),
        int(ttl),
        parsed,
        signed,
        ticket.read_signature(signature),
    )


def _signed_values(members: dict[str, Any]) -> tuple[str, ...]:
    try:
        match = _SIGNED_VALUES.fullmatch("\n".join(_signed(members)))
    except (KeyError, TypeError):
        match = None
    if match:
        return match.groups()
    errors = (ticket.bad_text(members, name, pattern) for name, pattern in _SIGNED.items())
    raise next(filter(None, errors))


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key's point as X9.62 writes it in full: 04, x, y."""
    numbers = public.public_numbers()
    coordinates = (numbers.x, numbers.y)
    return b"\x04" + b"".join(number.to_bytes(_COORDINATE_BYTES, "big") for number in coordinates)


CODEC: Final = Codec(
    ECDSA,
    version=None,
    string_rooms=False,
    pem_keys=True,
    load_key=load_key,
    content=content,
    write=write,
    read=read,
)
