"""Numbers in paths and queries: what they may look like, and what is said of others."""

from __future__ import annotations

import pytest

from chalicelib.api.parameters import integer
from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.schema import Integer

LIMIT = Integer(0, 100)
FORM = "must be a whole number, in digits without a leading zero"
BOUNDS = "must be between 0 and 100"


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("100", 100)])
def test_digits_are_a_number(text: str, number: int) -> None:
    """Written in the one way in which a number is."""
    assert integer("limit", text, LIMIT) == number


@pytest.mark.parametrize("text", ["101", "-1", "1" + "0" * 16, "9" * 5_000, "-" + "9" * 5_000])
def test_a_number_out_of_bounds_is_told_the_bounds(text: str) -> None:
    """As in a body, however long it is: it is a whole number, so that is not what is wrong."""
    with pytest.raises(InvalidRequest) as caught:
        integer("limit", text, LIMIT)
    assert caught.value.errors == (FieldError("limit", BOUNDS),)


@pytest.mark.parametrize(
    "text", ["", "x", "1.0", "1e1", "+1", " 1", "1\n", "007", "-0", "1_0", "\u0661"]
)
def test_what_is_no_number_is_told_its_form(text: str) -> None:
    """Nor is it one with zeros before it, as in a room's key: each thing has one path."""
    with pytest.raises(InvalidRequest) as caught:
        integer("limit", text, LIMIT)
    assert caught.value.errors == (FieldError("limit", FORM),)
