from __future__ import annotations

import string
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.tickets.deflate import Template

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)
# Few characters, so that there is much to match.
REPETITIVE = st.text('a":,', max_size=80)
PIECES = (PRINTABLE | REPETITIVE).map(lambda text: text.replace("%", "/"))


def inflated(deflated: bytes) -> bytes:
    """What zlib makes of a raw stream; it must end where its bytes do."""
    inflater = zlib.decompressobj(-15)
    content = inflater.decompress(deflated)
    assert inflater.eof
    assert not inflater.unused_data
    return content


@given(st.lists(st.tuples(PIECES, PRINTABLE | REPETITIVE), min_size=1, max_size=6), PIECES)
@settings(deadline=None, max_examples=300)
def test_zlib_inflates_what_a_template_deflates(parts: list[tuple[str, str]], last: str) -> None:
    """Whatever the pieces and the values, empty ones too, zlib reads them as they were meant."""
    template = Template("".join(f"{piece}%s" for piece, _ in parts) + last)
    content, deflated = template.fill(tuple(value for _, value in parts))
    assert content.decode() == "".join(piece + value for piece, value in parts) + last
    assert inflated(deflated) == content


@pytest.mark.parametrize("distance", [1, 2, 3, 4, 5, 8, 9, 12, 13, 64, 65, 1000, 4096, 4097, 9000])
def test_a_match_may_be_near_or_far(distance: int) -> None:
    """Every way of writing a distance is read back."""
    unit = (string.ascii_lowercase + "-" * 9000)[:distance]
    content, deflated = Template((unit * 26)[: distance + 26] + "%s").fill(("",))
    assert inflated(deflated) == content
    assert len(deflated) < len(content)


def test_numbers_are_values_too() -> None:
    """A value is written as str() has it."""
    content, deflated = Template('{"a":%s,"b":"%s"}').fill((7, "x"))
    assert inflated(deflated) == content == b'{"a":7,"b":"x"}'


@pytest.mark.parametrize("value", ["é", "\ud800", "a\nb"])
def test_other_characters_are_not_deflated(value: str) -> None:
    """They are no part of any ticket; better no stream than a wrong one."""
    with pytest.raises(ValueError, match=r"codec|zip"):
        Template("%s %s").fill((value, value))
