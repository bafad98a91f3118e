"""Test keys, made at run time and used nowhere else."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)


def pem_of_new_key(curve: ec.EllipticCurve | None = None) -> str:
    """A new EC private key as PKCS8 PEM, on P-256 unless another curve is named."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def new_secret() -> str:
    """A new HMAC secret in the form of Tencent's console: 64 hex characters."""
    return secrets.token_hex(32)
