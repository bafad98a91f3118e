"""Keys that sign and check tickets, read once and never on the hot path.

An application has one algorithm: ECDSA-SHA256 (v1 tickets) or HMAC-SHA256 (v2). The key decides
how a ticket is checked, never the ticket. No repr here shows more than algorithm and key id.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.tickets import pem
from chalicelib.tickets.errors import BadKey, BadSignature
from chalicelib.trtc.algorithms import ALGORITHMS, ECDSA, HMAC

_ECDSA_SHA256: Final = ec.ECDSA(hashes.SHA256())
_CURVES: Final[dict[str, ec.EllipticCurve]] = {"P-256": ec.SECP256R1(), "secp256k1": ec.SECP256K1()}
_COORDINATE_BYTES: Final = 32
_KEY_ID_CHARACTERS: Final = 16
_SECRET: Final = re.compile(r"[!-~]+")
_SECRET_MIN: Final = 32
"""Tencent's secrets have 64 characters; half of one was cut short."""
_SECRET_MAX: Final = 512


class VerifyingKey(Protocol):
    """What checks a ticket's signature."""

    @property
    def algorithm(self) -> str:
        """ECDSA-SHA256 or HMAC-SHA256."""

    @property
    def key_id(self) -> str:
        """16 hex characters that name the key, and tell nothing of it."""

    def verify(self, content: bytes, signature: bytes) -> None:
        """Return if this key made the signature over the content; else raise `BadSignature`."""


class SigningKey(VerifyingKey, Protocol):
    """What signs tickets too, wherever it may lie."""

    def sign(self, content: bytes) -> bytes:
        """Return a signature over the content: DER for ECDSA, the MAC for HMAC."""


class EcdsaPublicKey:
    """The public half of an ECDSA key, which only verifies."""

    algorithm = ECDSA

    def __init__(self, public: ec.EllipticCurvePublicKey, curve: str) -> None:
        self.curve = curve
        der, self.public_pem = pem.write_public(curve, _point(public))
        self.key_id = hashlib.sha256(der).hexdigest()[:_KEY_ID_CHARACTERS]
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


class HmacKey:
    """An HMAC secret, used as the ASCII text that it is, for v2 tickets."""

    algorithm = HMAC

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode("ascii")
        digest = hashlib.sha256(b"roomgate keyId\n" + self._secret).hexdigest()
        self.key_id = digest[:_KEY_ID_CHARACTERS]

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


def load_key(algorithm: str, text: str) -> SigningKey:
    """Read an application's key as the console hands it out.

    Args:
        algorithm: one of `ALGORITHMS`.
        text: for ECDSA a PEM file (PKCS8 or SEC1), for HMAC the secret; white space around is fine.

    Raises:
        BadKey: with a reason for whoever installed it.
    """
    if algorithm == ECDSA:
        return _load_ecdsa(text)
    if algorithm == HMAC:
        return _load_hmac(text)
    raise BadKey(f"The algorithm must be one of {', '.join(ALGORITHMS)}.")


def load_public_key(text: str) -> EcdsaPublicKey:
    """Read an EC public key (PEM) on P-256 or secp256k1; raises `BadKey`."""
    curve, point = pem.read_public(text)
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve], point)
    except ValueError:
        raise BadKey("The public key is damaged: its point is not on its curve.") from None
    return EcdsaPublicKey(public, curve)


def _load_ecdsa(text: str) -> EcdsaKey:
    curve, number, claimed = pem.read_private(text)
    try:
        private = ec.derive_private_key(number, _CURVES[curve])
    except ValueError:
        raise BadKey("The key is damaged: its number is out of range.") from None
    # A compressed point is the first half of the full one under another leading byte.
    point = _point(private.public_key())
    if claimed is not None and claimed[1:] not in {point[1:], point[1 : 1 + _COORDINATE_BYTES]}:
        raise BadKey("The key is damaged: its public half does not belong to its private half.")
    return EcdsaKey(private, curve)


def _load_hmac(text: str) -> HmacKey:
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


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key's point as X9.62 writes it in full: 04, x, y."""
    numbers = public.public_numbers()
    coordinates = (numbers.x, numbers.y)
    return b"\x04" + b"".join(number.to_bytes(_COORDINATE_BYTES, "big") for number in coordinates)
