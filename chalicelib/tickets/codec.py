"""What an algorithm consists of: keys that sign and verify, and a version of the tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.tickets.ticket import Ticket

KEY_ID_CHARACTERS: Final = 16
"""Length of a keyId, in hex digits of a SHA-256."""


class VerifyingKey(Protocol):
    """A key that checks a ticket's signature."""

    @property
    def algorithm(self) -> str:
        """One of `trtc.algorithms`."""

    @property
    def key_id(self) -> str:
        """16 hex characters that identify the key and reveal nothing of it."""

    def verify(self, content: bytes, signature: bytes) -> None:
        """Return if this key made the signature over the content; else raise `BadSignature`."""


class SigningKey(VerifyingKey, Protocol):
    """A key that signs tickets as well; it may be in memory or in KMS."""

    def sign(self, content: bytes) -> bytes:
        """Return a signature over the content: DER for ECDSA, the MAC for HMAC."""


class TicketWriter(Protocol):
    """Writes a ticket's text."""

    def __call__(
        self,
        sdk_app_id: int,
        user_id: str,
        issued_at: int,
        ttl: int,
        userbuf: str | None,
        /,
        *,
        signature: str,
    ) -> str:
        """Return the text of a ticket for these values and the signature (base64) over them."""


class Codec(NamedTuple):
    """How tickets of one algorithm are signed, written and read.

    Attributes:
        algorithm: its name, one of `trtc.algorithms`.
        version: the ticket's member ``TLS.ver``; None for tickets without that member.
        string_rooms: whether its privateMapKeys can name a string room.
        pem_keys: whether its keys come as PEM files; else they are secrets, a line of text.
        load_key: reads a key's text as the console hands it out; raises `BadKey`.
        content: the bytes to sign, of sdkAppId, userid, issue time (unix s), ttl (s) and userbuf
            (base64; None in a userSig), all checked before.
        write: the ticket's text, of the same values and the signature (base64).
        read: a ticket, of its JSON members; raises `BadMember`.
    """

    algorithm: str
    version: str | None
    string_rooms: bool
    pem_keys: bool
    load_key: Callable[[str], SigningKey]
    content: Callable[[int, str, int, int, str | None], bytes]
    write: TicketWriter
    read: Callable[[dict[str, Any]], Ticket]
