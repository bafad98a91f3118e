"""The envelope of a ticket: JSON, deflated, in base64 with Tencent's alphabet, and back.

Opening accepts one spelling for each content, since real issuers write no other, and limits the
size of the text and of the JSON.
"""

from __future__ import annotations

import binascii
import re
import zlib
from functools import lru_cache
from typing import Any, Final

from chalicelib.json_text import parse_json
from chalicelib.tickets.errors import (
    BadBase64,
    BadDeflate,
    BadJson,
    EmptyTicket,
    OversizedTicket,
    WrongAlphabet,
)

MAX_CHARACTERS: Final = 16 * 1024
"""Of a ticket's text; real tickets have some 200 to 520."""
MAX_INFLATED: Final = 16 * 1024
"""Bytes of the JSON inside."""

_TO_TENCENT: Final = bytes.maketrans(b"+/=", b"*-_")
_FROM_TENCENT: Final = bytes.maketrans(b"*-_", b"+/=")
_TENCENT: Final = re.compile(r"[A-Za-z0-9*-]+_{0,2}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")

_LAST_BLOCK_STORED: Final = b"\x01"


def seal(head: str, rest: str) -> str:
    """Return a ticket's text for its JSON, in two parts (ASCII, under 64 KB each).

    Deflating a whole ticket takes two thirds of the time of its signature, mostly for the Huffman
    code of text that hardly changes. So the head is deflated once, and the rest follows in a stored
    block (RFC 1951 section 3.2.4), which any inflater reads. The ticket is 15 to 25 % longer than
    zlib's and takes a third less time.

    Args:
        head: the part that the tickets of one application share.
        rest: the remaining text.
    """
    deflated, checksum = _deflated(head)
    stored = rest.encode("ascii")
    size = len(stored)
    sizes = size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
    end = zlib.adler32(stored, checksum).to_bytes(4, "big")
    framed = deflated + _LAST_BLOCK_STORED + sizes + stored + end
    return binascii.b2a_base64(framed, newline=False).translate(_TO_TENCENT).decode("ascii")


@lru_cache(maxsize=1024)
def _deflated(head: str) -> tuple[bytes, int]:
    """Return the start of a zlib stream, up to a whole byte, and its checksum so far."""
    content = head.encode("ascii")
    deflater = zlib.compressobj()
    return deflater.compress(content) + deflater.flush(zlib.Z_SYNC_FLUSH), zlib.adler32(content)


def unseal(text: str) -> bytes:
    """Return the bytes inside a ticket's text, at most `MAX_INFLATED`; raises `MalformedTicket`."""
    return inflate(decode_text(text))


def decode_text(text: str) -> bytes:
    """Decode the base64, in Tencent's alphabet or the plain one, but not in a mix of both.

    The padding is required: every known issuer writes it.
    """
    if not text:
        raise EmptyTicket
    if len(text) > MAX_CHARACTERS:
        raise OversizedTicket(
            f"The ticket has {len(text)} characters; no real one has over {MAX_CHARACTERS}.",
            MAX_CHARACTERS,
        )
    if not text.isascii():
        raise _wrong_alphabet(text)
    data = text.encode("ascii")
    is_plain = b"+" in data or b"/" in data or b"=" in data
    try:
        return decode_base64(data if is_plain else data.translate(_FROM_TENCENT))
    except BadBase64:
        if _TENCENT.fullmatch(text) or _PLAIN.fullmatch(text):
            raise
        raise _wrong_alphabet(text) from None


def decode_base64(text: bytes) -> bytes:
    """Decode plain base64 in its canonical spelling; raises `BadBase64`."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise BadBase64(
            f"The base64 is cut short or damaged: {len(text)} characters, where the number must be"
            " a multiple of 4, padding counted."
        ) from None
    if binascii.b2a_base64(data, newline=False) != text:
        raise BadBase64("The base64 is damaged: its last bits, which carry nothing, are not zero.")
    return data


def inflate(data: bytes) -> bytes:
    """Decompress zlib; raises `BadDeflate`, or `OversizedTicket` before it inflates too much."""
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(data, MAX_INFLATED + 1)
    except zlib.error:
        raise BadDeflate("The ticket is damaged: what it holds is no sound zlib stream.") from None
    if len(content) > MAX_INFLATED:
        raise OversizedTicket(
            f"The ticket inflates to more than {MAX_INFLATED} bytes; no real one does.",
            MAX_INFLATED,
        )
    if not inflater.eof:
        raise BadDeflate("The ticket is cut short: its zlib stream has no end.", truncated=True)
    if inflater.unused_data:
        raise BadDeflate("The ticket holds more than one zlib stream.")
    return content


def parse_members(content: bytes) -> dict[str, Any]:
    """Read a ticket's JSON object, strictly: UTF-8, no member twice, no NaN; raises `BadJson`."""
    try:
        members = parse_json(content.decode())
    except RecursionError:
        raise BadJson("The ticket's JSON is nested too deeply.") from None
    except ValueError:
        raise BadJson("What the ticket holds is not JSON, or names a member twice.") from None
    if not isinstance(members, dict):
        raise BadJson("What the ticket holds is not one JSON object.")
    return members


def _wrong_alphabet(text: str) -> WrongAlphabet:
    """Point at the first character at which the text is in neither alphabet."""
    longest = max(_prefix(_TENCENT, text), _prefix(_PLAIN, text))
    return WrongAlphabet(longest, text[longest])


def _prefix(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match else 0
