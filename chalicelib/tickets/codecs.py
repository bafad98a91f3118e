"""The table of algorithms: one row for each, its name declared in `trtc.algorithms`.

An application's key decides how its tickets are written and checked; a ticket never does.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from chalicelib.tickets import ecdsa_sha256, hmac_sha256
from chalicelib.tickets.errors import BadKey, BadMember

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.tickets.codec import Codec, SigningKey
    from chalicelib.tickets.ticket import Ticket

CODECS: Mapping[str, Codec] = MappingProxyType(
    {codec.algorithm: codec for codec in (ecdsa_sha256.CODEC, hmac_sha256.CODEC)}
)
"""Name of the algorithm -> codec."""

_VERSION: Final = "TLS.ver"


def load_key(algorithm: str, text: str) -> SigningKey:
    """Read an application's key as the console hands it out.

    Args:
        algorithm: one of `CODECS`.
        text: for ECDSA a PEM file (PKCS8 or SEC1), for HMAC the secret; white space around is fine.

    Raises:
        BadKey: with a reason for whoever installed it.
    """
    if algorithm not in CODECS:
        raise BadKey(f"The algorithm must be one of {', '.join(CODECS)}.")
    return CODECS[algorithm].load_key(text)


def read_ticket(members: dict[str, Any]) -> Ticket:
    """Read a ticket's members in the version that they are written in; raises `BadMember`."""
    for codec in CODECS.values():
        if _is_written_by(codec, members):
            return codec.read(members)
    versions = " or ".join(f'"{codec.version}"' for codec in CODECS.values() if codec.version)
    raise BadMember(_VERSION, f"must be {versions}")


def _is_written_by(codec: Codec, members: dict[str, Any]) -> bool:
    if codec.version is None:
        return _VERSION not in members
    return bool(members.get(_VERSION) == codec.version)
