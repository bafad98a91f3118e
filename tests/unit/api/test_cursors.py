from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.cursors import CURSOR_PATTERN, MOST_CURSOR, Cursors
from chalicelib.errors import InvalidRequest
from chalicelib.trtc import STR_ROOM_MAX_BYTES
from chalicelib.trtc.identifiers import parse_room

NUMBERS = Cursors("numbers", str, int)


def test_the_first_page_needs_no_cursor() -> None:
    """And the last one gives none."""
    assert NUMBERS.position({"limit": "1"}) is None
    assert NUMBERS.after(None) is None


@given(st.integers())
def test_a_cursor_leads_to_its_position(number: int) -> None:
    """It needs no escaping in a query but that of its padding."""
    cursor = NUMBERS.after(number)
    assert cursor is not None
    assert NUMBERS.position({"cursor": cursor}) == number
    assert re.fullmatch(CURSOR_PATTERN, cursor)


@given(st.text(), st.integers(0, 10**10), st.data())
def test_what_was_changed_is_refused(text: str, number: int, data: st.DataObject) -> None:
    """A made-up text, and a cursor with a character changed, left out or doubled."""
    cursor = NUMBERS.after(number)
    assert cursor is not None
    at = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.sampled_from("A9_-=\n é"))
    changed = [
        text,
        cursor[:at] + letter + cursor[at + 1 :],
        cursor[:at] + cursor[at + 1 :],
        cursor[:at] + 2 * cursor[at] + cursor[at + 1 :],
    ]
    for each in changed:
        if each != cursor:
            with pytest.raises(InvalidRequest):
                NUMBERS.position({"cursor": each})


def test_a_position_that_cannot_be_read_is_refused() -> None:
    """Who makes up a digest as well gets the same 400."""
    forged = Cursors("numbers", str, str).after("no number")
    assert forged is not None
    with pytest.raises(InvalidRequest):
        NUMBERS.position({"cursor": forged})


def test_the_longest_cursor_is_short_enough() -> None:
    """That of a session in a string room with the longest name."""
    name = parse_room("x" * STR_ROOM_MAX_BYTES)
    cursor = Cursors("sessions", str, str).after(f"{10**13 - 1}#{name.key}")
    assert cursor is not None
    assert len(cursor) <= MOST_CURSOR
