"""Parse EC keys in PEM files, with a reason for each file that can't be used.

This is done by hand because ``cryptography``'s loader also imports SSH, RSA and ciphers, which
takes 16 ms of a cold start; the file has only a curve and a number that we need. Rules: RFC 7468
(PEM), RFC 5958 (PKCS8), RFC 5915 (SEC1), RFC 5480 (public keys), X.690 (DER).
"""

from __future__ import annotations

import binascii
import re
from typing import Final, NamedTuple

from chalicelib.tickets.errors import BadKey

CURVES: Final = {
    bytes.fromhex("2a8648ce3d030107"): "P-256",
    bytes.fromhex("2b8104000a"): "secp256k1",
}
"""Object identifier -> name of the curves that Tencent uses."""

_EC: Final = bytes.fromhex("2a8648ce3d0201")
_OTHERS: Final = {
    bytes.fromhex("2a864886f70d010101"): "an RSA key",
    bytes.fromhex("2b6570"): "an Ed25519 key",
    bytes.fromhex("2b81040022"): "an EC key on P-384",
    bytes.fromhex("2b81040023"): "an EC key on P-521",
}
_LABELS: Final = {
    "RSA PRIVATE KEY": "an RSA key",
    "DSA PRIVATE KEY": "a DSA key",
    "ENCRYPTED PRIVATE KEY": "an encrypted key",
    "OPENSSH PRIVATE KEY": "an OpenSSH key",
    "PUBLIC KEY": "a public key only",
    "CERTIFICATE": "a certificate",
}
_NEEDED: Final = "needed is an EC private key on P-256 or secp256k1, unencrypted, as PKCS8 or SEC1"
_DAMAGED: Final = "The key file is damaged or cut short."

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_LONGEST: Final = 20_000
_INTEGER, _BITS, _OCTETS, _OID, _SEQUENCE = b"\x02", b"\x03", b"\x04", b"\x06", b"\x30"
_PARAMETERS, _PUBLIC = b"\xa0", b"\xa1"
_LONG_FORM: Final = 0x80
_NUMBER_BYTES: Final = 32
_POINT_BYTES: Final = 65


class EcPrivate(NamedTuple):
    """A private key as it stands in a file.

    ``number`` is the private scalar; ``point`` is the public key as the file states it, if it does.
    """

    curve: str
    number: int
    point: bytes | None

    def __repr__(self) -> str:
        """Hide the number."""
        return f"EcPrivate({self.curve})"


def read_private(text: str) -> EcPrivate:
    """Read an EC private key, PKCS8 or SEC1; an EC PARAMETERS block beside it is ignored.

    Raises:
        BadKey: the text is anything but one such key, with white space around it.
    """
    label, der = _only_block(text)
    try:
        if label == "PRIVATE KEY":
            return _read_pkcs8(der)
        if label == "EC PRIVATE KEY":
            return _read_sec1(der)
    except ValueError:
        raise BadKey(_DAMAGED) from None
    raise _refused(_LABELS.get(label, "no key that Roomgate knows"))


def read_public(text: str) -> tuple[str, bytes]:
    """Read a public key: its curve, and its point, uncompressed; raises `BadKey`."""
    label, der = _only_block(text)
    if label != "PUBLIC KEY":
        raise BadKey("The key file holds no public key.")
    try:
        algorithm, rest = _take(_whole(der, _SEQUENCE), _SEQUENCE)
        bits = _whole(rest, _BITS)
        curve = _curve_of(algorithm)
    except ValueError:
        raise BadKey(_DAMAGED) from None
    if len(bits) != 1 + _POINT_BYTES:
        raise BadKey("The public key's point is not given in full (uncompressed).")
    return curve, bits[1:]


def write_public(curve: str, point: bytes) -> tuple[bytes, str]:
    """Return a public key's DER (SubjectPublicKeyInfo) and its PEM text."""
    oid = next(oid for oid, name in CURVES.items() if name == curve)
    algorithm = _put(_SEQUENCE, _put(_OID, _EC) + _put(_OID, oid))
    der = _put(_SEQUENCE, algorithm + _put(_BITS, b"\0" + point))
    text = binascii.b2a_base64(der, newline=False).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return der, "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])


def _only_block(text: str) -> tuple[str, bytes]:
    """Return label and DER of the one block in a PEM text, beside EC PARAMETERS."""
    _refuse_no_pem(text)
    if _BLOCK.sub("", text).strip():
        if "-----BEGIN" in _BLOCK.sub("", text):
            raise BadKey("The key file is cut short: a block's END line is missing.")
        raise BadKey("The key file holds text outside its blocks.")
    blocks = [block for block in _BLOCK.findall(text) if block[0] != "EC PARAMETERS"]
    if len(blocks) != 1:
        raise BadKey(f"The key file holds {len(blocks)} keys; {_NEEDED}.")
    label, body = blocks[0]
    if "ENCRYPTED" in body:
        raise _refused("an encrypted key")
    try:
        return label, binascii.a2b_base64("".join(body.split()), strict_mode=True)
    except ValueError:
        raise BadKey(_DAMAGED) from None


def _refuse_no_pem(text: str) -> None:
    if not text.strip():
        raise BadKey("The key is empty.")
    if len(text) > _LONGEST:
        raise BadKey("The key file is too long for a key.")
    if "\\n" in text:
        raise BadKey(r"The key file's line ends are the two characters \n: give it real ones.")
    if "-----BEGIN" not in text:
        raise BadKey(f"The key is no PEM file (is it an HMAC secret?); {_NEEDED}.")


def _refused(what: str) -> BadKey:
    return BadKey(f"The key file holds {what}; {_NEEDED}.")


def _read_pkcs8(der: bytes) -> EcPrivate:
    """Read PrivateKeyInfo: version, algorithm, the SEC1 key; attributes after it are ignored."""
    _, rest = _take(_whole(der, _SEQUENCE), _INTEGER)
    algorithm, rest = _take(rest, _SEQUENCE)
    octets, _ = _take(rest, _OCTETS)
    return _read_sec1(octets, _curve_of(algorithm))


def _read_sec1(der: bytes, curve: str | None = None) -> EcPrivate:
    """Read ECPrivateKey: version, number, and optionally the curve and the point."""
    _, rest = _take(_whole(der, _SEQUENCE), _INTEGER)
    number, rest = _take(rest, _OCTETS)
    point = None
    if rest[:1] == _PARAMETERS:
        parameters, rest = _take(rest, _PARAMETERS)
        own = _curve(parameters)
        if curve not in {None, own}:
            raise BadKey("The key file names two curves.")
        curve = own
    if rest[:1] == _PUBLIC:
        bits, rest = _take(rest, _PUBLIC)
        point = _whole(bits, _BITS)[1:]
    if curve is None:
        raise BadKey("The key itself names no curve (an EC PARAMETERS block is not trusted).")
    if rest or len(number) > _NUMBER_BYTES:
        raise ValueError
    return EcPrivate(curve, int.from_bytes(number, "big"), point)


def _curve_of(algorithm: bytes) -> str:
    oid, parameters = _take(algorithm, _OID)
    if oid != _EC:
        raise _refused(_OTHERS.get(oid, "a key of another kind"))
    return _curve(parameters)


def _curve(parameters: bytes) -> str:
    if parameters[:1] == _SEQUENCE:
        raise _refused("an EC key with its curve's parameters written out")
    oid = _whole(parameters, _OID)
    if oid not in CURVES:
        raise _refused(_OTHERS.get(oid, "an EC key on another curve"))
    return CURVES[oid]


def _whole(data: bytes, tag: bytes) -> bytes:
    body, rest = _take(data, tag)
    if rest:
        raise ValueError
    return body


def _take(data: bytes, tag: bytes) -> tuple[bytes, bytes]:
    """Take one DER value off: its body, and what follows; raises ValueError."""
    start, length = 2, data[1] if len(data) > 1 else -1
    if length > _LONG_FORM:
        start += length - _LONG_FORM
        length = int.from_bytes(data[2:start], "big")
    if data[:1] != tag or not 0 <= length <= len(data) - start:
        raise ValueError
    return data[start : start + length], data[start + length :]


def _put(tag: bytes, body: bytes) -> bytes:
    """Write one DER value, shorter than 128 bytes."""
    return tag + bytes([len(body)]) + body
