"""Deflate (RFC 1951) for texts that differ in a few values only.

zlib makes a Huffman code for every text anew, which takes it two thirds of the time of a signature.
Here the code is the fixed one of the RFC (3.2.6), in which every character of a ticket has eight
bits, so that all but the values is deflated once for all tickets whose values are as long. That
takes a quarter of the time, any inflater reads it, and a ticket comes out a tenth longer.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

_LITERALS: Final = bytes(int(f"{0x30 + byte & 0xFF:08b}"[::-1], 2) for byte in range(256))
"""ASCII character -> its code, whose first bit is the lowest."""
_BETWEEN: Final = "\n"
"""Stands in no value."""
_BETWEEN_CODE: Final = _BETWEEN.encode().translate(_LITERALS)
_VALUE: Final = "\0"
"""Stands for a character of a value, which matches nothing."""

_LAST_BLOCK_FIXED_CODE: Final = (0b011, 3)
_END_BITS: Final = 7
_MATCH_MIN: Final = 3
_MATCH_MAX: Final = 10
"""The longest match whose length takes no extra bits; more is not worth the trouble."""


class _Plan(NamedTuple):
    """A text deflated but for its values: what is known of it, where the values go, its size."""

    known: int
    places: tuple[int, ...]
    size: int


class Template:
    """A text with gaps, of which all but the gaps is deflated only once.

    Args:
        text: ASCII; its gaps, one at least, are written ``%s``.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._pieces = tuple(text.split("%s"))
        self._values = _BETWEEN.join(["%s"] * (len(self._pieces) - 1))

    def fill(self, values: tuple[object, ...]) -> tuple[bytes, bytes]:
        """Return the text with its gaps filled, plain and deflated.

        Args:
            values: for each gap what stands there, of printable ASCII characters.
        """
        codes = (self._values % values).encode("ascii").translate(_LITERALS).split(_BETWEEN_CODE)
        known, places, size = _plan(self._pieces, tuple(map(len, codes)))
        for code, place in zip(codes, places, strict=True):
            known |= int.from_bytes(code, "little") << place
        return (self.text % values).encode("ascii"), known.to_bytes(size, "little")


@lru_cache(maxsize=1024)
def _plan(pieces: tuple[str, ...], lengths: tuple[int, ...]) -> _Plan:
    known, bits = _LAST_BLOCK_FIXED_CODE
    places = []
    text = ""
    for piece, length in zip(pieces, (*lengths, 0), strict=True):
        start, text = len(text), text + piece
        while start < len(text):
            code, size, spelled = _token(text, start)
            known |= code << bits
            start, bits = start + spelled, bits + size
        places.append(bits)
        text, bits = text + _VALUE * length, bits + 8 * length
    return _Plan(known, tuple(places[:-1]), (bits + _END_BITS + 7) // 8)


def _token(text: str, start: int) -> tuple[int, int, int]:
    """Return what to write there: a code, how many bits it has, how many characters it spells."""
    length, distance = _longest_match(text, start)
    if not length:
        return _LITERALS[ord(text[start])], 8, 1
    extra = max((distance - 1).bit_length() - 2, 0)
    symbol = 2 * extra + (distance - 1 >> extra)
    # Two symbols, of seven and five bits, highest bit first; the extra bits lowest first (3.2.5).
    symbols = int(f"{length - 2:07b}{symbol:05b}"[::-1], 2)
    return symbols | (distance - 1 & (1 << extra) - 1) << 12, 12 + extra, length


def _longest_match(text: str, start: int) -> tuple[int, int]:
    """Return length and distance of the longest text before that goes on as this; 0 if none."""
    length, distance = 0, 0
    for longer in range(_MATCH_MIN, _MATCH_MAX + 1):
        piece = text[start : start + longer]
        found = text.rfind(piece, 0, start + longer - 1)
        if found < 0 or _VALUE in piece or len(piece) < longer:
            break
        length, distance = longer, start - found
    return length, distance
