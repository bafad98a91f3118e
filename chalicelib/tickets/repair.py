"""Recognise what damaged a ticket on its way, and read its remaining members.

This serves explanations only: a ticket that was repaired here is never accepted.
"""

from __future__ import annotations

import binascii
import re
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from chalicelib.tickets.codecs import read_ticket
from chalicelib.tickets.envelope import MAX_CHARACTERS, parse_members, unseal
from chalicelib.tickets.errors import (
    BadBase64,
    BadDeflate,
    BadJson,
    BadMember,
    EmptyTicket,
    MalformedTicket,
    OversizedTicket,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.tickets.ticket import Ticket

_SALVAGED_MAX: Final = 4096
_STREAM_START: Final = b"\x78"
_TO_PLAIN: Final = str.maketrans("*-_", "+/=")
_FROM_URL: Final = str.maketrans("-_", "+/")
_DATA: Final = re.compile(r"[A-Za-z0-9+/]*")
_MEMBER: Final = re.compile(
    r'"(TLS\.[a-z_0-9]{1,16})"\s*:\s*(?:"([^"\\]{0,256})"|([0-9]{1,10})(?=[,}\s]))'
)


class Reading(NamedTuple):
    """The readable parts of a ticket's text.

    Attributes:
        ticket: None unless the text is a ticket, after a repair if need be.
        members: those that could be read; not to be trusted.
        fault: what is wrong with the text, or None.
    """

    ticket: Ticket | None
    members: dict[str, Any]
    fault: MalformedTicket | None


def examine(text: str) -> Reading:
    """Read as much of a ticket as possible; never raises."""
    if not text.strip():
        return Reading(None, {}, EmptyTicket())
    try:
        return _read(unseal(text), None)
    except OversizedTicket as fault:
        return Reading(None, {}, fault)
    except MalformedTicket as fault:
        return _examine_broken(text, fault)


def _read(content: bytes, fault: MalformedTicket | None) -> Reading:
    try:
        members = parse_members(content)
    except BadJson as error:
        return Reading(None, _loose_members(content), fault or error)
    try:
        return Reading(read_ticket(members), members, fault)
    except BadMember as error:
        return Reading(None, members, fault or error)


def _examine_broken(text: str, fault: MalformedTicket) -> Reading:
    bare = text.strip().strip("\"'")
    for cause, repair in _REPAIRS:
        try:
            return _read(unseal(repair(bare)), MalformedTicket(cause))
        except MalformedTicket:
            continue
    content, sound = _salvage(bare)
    if sound and isinstance(fault, BadBase64 | BadDeflate):
        fault = BadDeflate(
            f"The ticket is cut short after {len(text)} characters: a field too small for it, or a"
            " careless copy, lost its end.",
            truncated=True,
        )
    elif bare == bare.lower() and bare.startswith("ej"):
        fault = BadDeflate("The ticket was turned into lower case, which destroyed it.")
    return Reading(None, _loose_members(content), fault)


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


_REPAIRS: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    (
        "There is white space or a quotation mark around the ticket.",
        lambda text: text,
    ),
    (
        "There are spaces or line breaks inside the ticket.",
        lambda text: "".join(text.split()),
    ),
    (
        "The ticket is percent-encoded (as %2A for *): it was encoded once too often.",
        lambda text: unquote(unquote(text)),
    ),
    (
        "Spaces stand where * was: something took the ticket's * for an encoded space.",
        lambda text: text.replace(" ", "*"),
    ),
    (
        "Spaces stand where + was: the ticket is in plain base64, and a URL decoder changed it.",
        lambda text: text.replace(" ", "+"),
    ),
    (
        "The ticket mixes two alphabets: Tencent's has * - _ for + / =.",
        lambda text: text.translate(_TO_PLAIN),
    ),
    (
        "The ticket's padding, _ at its end, was cut off.",
        lambda text: _padded(text.translate(_TO_PLAIN)),
    ),
    (
        "The ticket is in base64url, the wrong alphabet: Tencent's has * - _ for + / =.",
        lambda text: _padded(text.rstrip("=").translate(_FROM_URL)),
    ),
)
"""Cause and repair. A cause is confirmed if its repair yields an intact zlib stream."""


def _salvage(text: str) -> tuple[bytes, bool]:
    """Inflate the intact beginning of a damaged text.

    Returns:
        At most 4 KB of content, and whether the stream is intact up to the end of the text.
    """
    plain = text[:MAX_CHARACTERS].translate(_TO_PLAIN).rstrip("=")
    match = _DATA.match(plain)
    characters = match[0] if match else ""
    data = _decode(characters)
    inflater = zlib.decompressobj()
    content = b""
    try:
        # One byte at a time, so that an error keeps the content before it.
        for place in range(len(data)):
            content += inflater.decompress(data[place : place + 1], _SALVAGED_MAX)
            if len(content) >= _SALVAGED_MAX:
                break
    except zlib.error:
        return content, False
    sound = len(characters) == len(plain) and data[:1] == _STREAM_START and not inflater.eof
    return content, sound


def _decode(characters: str) -> bytes:
    whole = characters[: len(characters) // 4 * 4]
    return binascii.a2b_base64(whole)


def _loose_members(content: bytes) -> dict[str, Any]:
    """Extract what looks like a ticket's members from anywhere in the content."""
    matches = _MEMBER.findall(content[:_SALVAGED_MAX].decode("latin-1"))
    return {name: int(number) if number else text for name, text, number in matches}
