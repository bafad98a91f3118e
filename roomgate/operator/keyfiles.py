"""Key files: read with what is wrong and what to do, and made anew."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.tickets import CODECS, ECDSA, BadKey, load_key, load_public_key
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from pathlib import Path

    from chalicelib.tickets import SigningKey, VerifyingKey
    from roomgate.operator.files import Given

_ONLY_OWNER: Final = 0o600
_PRIVATE: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
# What stands in a file that can't be used, and what helps; the first that fits is told.
_ADVICE: Final = (
    (r"ENCRYPTED", "Decrypt it first: openssl pkey -in FILE -out decrypted.pem"),
    (r"BEGIN (PUBLIC KEY|CERTIFICATE)", "Roomgate needs the private key that belongs to it."),
    (r"BEGIN OPENSSH", "Tencent does not hand out such keys: was the right file chosen?"),
)
_DEFAULT_ADVICE: Final = (
    "Take the application's key from Tencent's console again (Application management, the "
    "application, its key), as it is."
)


class KeyFile(NamedTuple):
    """A key that was given, and checked.

    Attributes:
        key: that signs.
        text: what is stored of it: without white space around it.
        trimmed: whether a secret had white space around it.
    """

    key: SigningKey
    text: str
    trimmed: bool

    def __repr__(self) -> str:
        return f"KeyFile({self.key!r})"


def read_key(given: Given, algorithm: str | None = None) -> KeyFile:
    """Read a signing key.

    Args:
        given: a PEM file or an HMAC secret.
        algorithm: of the key; by default ECDSA-SHA256 for a PEM file, else HMAC-SHA256.

    Raises:
        OperatorError: it can't be used; says why, and what to do.
    """
    text = given.text.strip()
    chosen = algorithm or _algorithm_of(text)
    try:
        key = load_key(chosen, text)
    except BadKey as error:
        raise _unusable(given, error) from None
    return KeyFile(key, text, trimmed=not CODECS[chosen].pem_keys and text != given.text)


def read_verifying_key(given: Given, algorithm: str | None = None) -> VerifyingKey:
    """Read a key that checks tickets: a public key as well; raises OperatorError."""
    if "-----BEGIN PUBLIC KEY-----" not in given.text or _PRIVATE.search(given.text):
        return read_key(given, algorithm).key
    try:
        return load_public_key(given.text)
    except BadKey as error:
        raise _unusable(given, error) from None


def write_new_key(path: Path) -> SigningKey:
    """Write a new P-256 private key (PKCS8 PEM), readable by its owner alone.

    Args:
        path: of the file, which must not be there yet.

    Raises:
        OperatorError: it is there, or can't be written.
    """
    text = _new_pem()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER)
    except FileExistsError:
        raise OperatorError(
            f"{path} is there already, and a key is never overwritten. Choose another name."
        ) from None
    except OSError as error:
        raise OperatorError(f"{path} can't be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, _ONLY_OWNER)  # Whatever the umask says.
        file.write(text)
    return load_key(ECDSA, text)


def _new_pem() -> str:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 (only needed here)
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 (likewise)
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def _algorithm_of(text: str) -> str:
    is_pem = "-----BEGIN" in text
    return next(codec.algorithm for codec in CODECS.values() if codec.pem_keys == is_pem)


def _unusable(given: Given, error: BadKey) -> OperatorError:
    fitting = (told for pattern, told in _ADVICE if re.search(pattern, given.text))
    advice = next(fitting, _DEFAULT_ADVICE)
    return OperatorError(f"This key can't be used ({given.name}): {error.reason} {advice}")
