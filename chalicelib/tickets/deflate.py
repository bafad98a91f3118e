"""Deflate (RFC 1951) for tickets: one block, under a Huffman code that was made beforehand.

zlib makes a new code for every text, which takes it two thirds of the time of a signature. All
tickets are made of the same names and of base64, so that one code fits them all: a ticket comes
out a fifteenth longer, in less than half the time. Any inflater reads it.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

# Every code has a multiple of three bits, so that a text is spelled in octal digits, which int()
# reads quickly. White space stands in no ticket; it only makes the code complete.
_THREE_BITS: Final = '"'
_SIX_BITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTabcdefgimnoprstuvxy_.:,"
_NINE_BITS: Final = "UVWXYZhjklqwz+/-={} \t\r\n"

_END: Final = 256
_LITERALS: Final = 257
_DISTANCES: Final = (1, 1)
"""Code lengths of two distances that are never used: some inflaters want a complete code."""

_NEW_CODE_LAST_BLOCK: Final = "101"
_LENGTH_SYMBOLS: Final = (0, 1, 3, 6, 9, 16, 17, 18)
"""The symbols that code lengths are written in: themselves, or a repetition (16, 17, 18)."""
_LENGTH_ORDER: Final = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1)


class Template:
    """A text with gaps, of which all but the gaps is deflated beforehand.

    Args:
        text: its gaps are written ``%s``; it may hold the characters of tickets only.
    """

    def __init__(self, text: str) -> None:
        pieces = text.split("%s")
        marks = [chr(_LITERALS + place) for place in range(len(pieces))]
        self._text = text
        self._marked = "%s".join(marks)
        spelled = {mark: _spell(piece) for mark, piece in zip(marks, pieces, strict=True)}
        spelled[marks[-1]] = _OCTAL[chr(_END)] + spelled[marks[-1]]
        self._octal = {**_OCTAL, **spelled}.__getitem__

    def fill(self, values: tuple[object, ...]) -> tuple[bytes, bytes]:
        """Return the text with its gaps filled, plain and deflated.

        Args:
            values: for each gap what stands there; characters of base64 and of userids only.
        """
        octal = "".join(map(self._octal, (self._marked % values)[::-1]))
        bits = int(octal, 8) << _HEADER_BITS | _HEADER
        size = (_HEADER_BITS + 3 * len(octal) + 7) // 8
        return (self._text % values).encode("ascii"), bits.to_bytes(size, "little")


def _codes(lengths: dict[int, int]) -> dict[int, str]:
    """Return each symbol's bits, the first one first, for the lengths of its codes (3.2.2)."""
    codes = {}
    code = previous = 0
    for length, symbol in sorted((length, symbol) for symbol, length in lengths.items()):
        code <<= length - previous
        codes[symbol] = format(code, f"0{length}b")
        code, previous = code + 1, length
    return codes


def _number(value: int, bits: int) -> str:
    """Return a number as it stands in the stream: its lowest bit first."""
    return format(value, f"0{bits}b")[::-1]


def _header(lengths: dict[int, int]) -> str:
    """Return the block's header, which tells the lengths of all codes (3.2.7)."""
    tokens = _codes(dict.fromkeys(_LENGTH_SYMBOLS, 3))
    sizes = [_number(3 if symbol in tokens else 0, 3) for symbol in _LENGTH_ORDER]
    written = [lengths.get(symbol, 0) for symbol in range(_LITERALS)]
    runs = [(length, len(list(run))) for length, run in groupby([*written, *_DISTANCES])]
    return "".join(
        [
            _NEW_CODE_LAST_BLOCK,
            _number(0, 5),
            _number(len(_DISTANCES) - 1, 5),
            _number(len(_LENGTH_ORDER) - 4, 4),
            *sizes,
            *(_run(tokens, length, count) for length, count in runs),
        ]
    )


def _run(tokens: dict[int, str], length: int, count: int) -> str:
    """Return how a run of one code length is written."""
    if length == 0 and count > 10:  # noqa: PLR2004 (3.2.7: 18 repeats zeros 11 to 138 times)
        return tokens[18] + _number(count - 11, 7)
    if length == 0 and count > 2:  # noqa: PLR2004 (3.2.7: 17 repeats zeros 3 to 10 times)
        return tokens[17] + _number(count - 3, 3)
    repeated = ""
    while length and count > 3:  # noqa: PLR2004 (3.2.7: 16 repeats the last length 3 to 6 times)
        times = min(count - 1, 6)
        repeated += tokens[16] + _number(times - 3, 2)
        count -= times
    return tokens[length] + repeated + tokens[length] * (count - 1)


def _spell(text: str) -> str:
    return "".join(_OCTAL[character] for character in reversed(text))


_GROUPS: Final = {3: _THREE_BITS, 6: _SIX_BITS, 9: _NINE_BITS + chr(_END)}
_LENGTHS: Final = {ord(symbol): length for length, group in _GROUPS.items() for symbol in group}
_OCTAL: Final = {
    chr(symbol): format(int(code[::-1], 2), f"0{len(code) // 3}o")
    for symbol, code in _codes(_LENGTHS).items()
}
"""Character -> its code in octal digits, highest bit of the stream first."""
_HEADER_TEXT: Final = _header(_LENGTHS)
_HEADER_BITS: Final = len(_HEADER_TEXT)
_HEADER: Final = int(_HEADER_TEXT[::-1], 2)
