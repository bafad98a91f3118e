"""The two rules by which JSON texts are parsed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.json_text import NotStrict, parse_foreign_json, parse_json

TWICE = '{"a":1,"b":{"a":2,"a":3}}'
Parse = Callable[[str], Any]
PARSERS = (parse_json, parse_foreign_json)


def test_a_member_named_twice_is_refused_in_texts_of_ours() -> None:
    """At any depth: two readers could take two values."""
    with pytest.raises(NotStrict, match="twice"):
        parse_json(TWICE)


def test_in_foreign_texts_the_last_member_of_a_name_counts() -> None:
    """As for JSON.parse, which reads the same texts in the mini-program."""
    assert parse_foreign_json(TWICE) == {"a": 1, "b": {"a": 3}}


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", '{"a":[NaN]}'])
def test_what_is_no_json_number_is_refused(parse: Parse, constant: str) -> None:
    """Python alone would read it."""
    with pytest.raises(NotStrict, match="no JSON numbers"):
        parse(constant)


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("text", ["", "{", "{} {}", "{'a':1}", "[1,]", "1" * 5000])
def test_what_is_no_json_is_refused(parse: Parse, text: str) -> None:
    """One value, whole; numbers have an end."""
    with pytest.raises(ValueError, match=r"."):
        parse(text)


@pytest.mark.parametrize("parse", PARSERS)
def test_white_space_around_a_text_is_fine(parse: Parse) -> None:
    """JSON's own kinds of it."""
    value = ' \t\r\n{"a":[1,2.5,null,true]} \n'
    assert parse(value) == {"a": [1, 2.5, None, True]}
