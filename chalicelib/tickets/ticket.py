"""A ticket of any version that was opened, but not checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.tickets.envelope import decode_base64
from chalicelib.tickets.errors import BadBase64, BadMember
from chalicelib.tickets.userbuf import MEMBER as USERBUF
from chalicelib.tickets.userbuf import parse_userbuf
from chalicelib.trtc.identifiers import USER_ID_CHARACTERS, USER_ID_PATTERN

if TYPE_CHECKING:
    from chalicelib.tickets.userbuf import Userbuf

USER_SIG: Final = "userSig"
PRIVATE_MAP_KEY: Final = "privateMapKey"

NUMBER_MAX: Final = 9_999_999_999
"""Ten digits: the largest sdkAppId, time or ttl that is read."""

FREE_TEXT: Final = r"[A-Za-z0-9_.@:-]{0,64}"
DECIMAL: Final = r"0|[1-9][0-9]{0,9}"
POSITIVE: Final = r"[1-9][0-9]{0,9}"
_RULES: Final = {
    USER_ID_PATTERN: f"must be 1 to 32 of the characters {USER_ID_CHARACTERS}",
    FREE_TEXT: "must be a string of at most 64 letters, digits and _.@:-",
    DECIMAL: "must be a string that holds a decimal number, without leading zeros",
    POSITIVE: "must be a string that holds a decimal number, without leading zeros, at least 1",
}


class Ticket(NamedTuple):
    """A ticket's claims, the content that its issuer signed, and the signature.

    Nothing here may be trusted before a key has verified it. ``issued_at`` is in unix seconds,
    ``ttl`` in seconds.
    """

    algorithm: str
    sdk_app_id: int
    user_id: str
    issued_at: int
    ttl: int
    userbuf: Userbuf | None
    content: bytes
    signature: bytes

    def __repr__(self) -> str:
        """Hide the signature, and with it the ticket."""
        return f"Ticket({self.algorithm}, {self.kind})"

    @property
    def kind(self) -> str:
        """``userSig`` or ``privateMapKey``."""
        return USER_SIG if self.userbuf is None else PRIVATE_MAP_KEY

    @property
    def ends_at(self) -> int:
        """The first unix second in which it is no longer valid.

        The earlier end counts: some issuers read the clock twice, so that a userbuf's end is a
        second off that of its envelope.
        """
        end = self.issued_at + self.ttl
        return end if self.userbuf is None else min(end, self.userbuf.ends_at)


def bad_text(members: dict[str, Any], name: str, pattern: str) -> BadMember | None:
    """Return the error of a member that must be a string of one of the patterns above, or None.

    Values become lines of the signed content; a value with a line break would become two lines.
    """
    value = members.get(name)
    if isinstance(value, str) and "\n" in value:
        return BadMember(name, "holds a line break, which injects a line into what is signed")
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        return BadMember(name, _RULES[pattern])
    return None


def read_signature(value: object) -> bytes:
    """Decode TLS.sig, in which some issuers put line breaks; raises `BadMember`."""
    if isinstance(value, str):
        value = value.replace("\r", "").replace("\n", "")
    return _base64("TLS.sig", value)


def read_userbuf(value: object) -> Userbuf | None:
    """Decode TLS.userbuf; None in a userSig, which has none.

    Raises:
        BadMember: it is not a userbuf in base64.
    """
    return None if value is None else parse_userbuf(_base64(USERBUF, value))


def _base64(name: str, value: object) -> bytes:
    try:
        if isinstance(value, str) and value:
            return decode_base64(value.encode("ascii"))
    except (BadBase64, UnicodeEncodeError):
        pass
    raise BadMember(name, "must be a string that holds canonical base64")
