from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.trtc.js import js_encode, js_parse, js_stringify

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

# JSON text -> what JSON.stringify(JSON.parse(text)) gives; noted from Node.js 18.
NODE = {
    "1.0": "1",
    "-0": "0",
    "1e21": "1e+21",
    "1e20": "100000000000000000000",
    "123456789012345680000": "123456789012345680000",
    "12345678901234567890": "12345678901234567000",
    "1e-6": "0.000001",
    "1e-7": "1e-7",
    "1.5e-10": "1.5e-10",
    "123.456": "123.456",
    "5e-324": "5e-324",
    "1.7976931348623157e308": "1.7976931348623157e+308",
    "1e999": "null",
    "-1.25e2": "-125",
    r'"\ud800"': r'"\ud800"',
    r'"\ude00\ud83d"': r'"\ude00\ud83d"',
    r'"\ud83d\ude00"': '"😀"',
    r'"\u0000\u001f\b\f\n\r\t\"\\\/"': r'"\u0000\u001f\b\f\n\r\t\"\\/"',
    '"\x7f\u2028é中"': '"\x7f\u2028é中"',
    '{"b":1,"a":2}': '{"b":1,"a":2}',
    '{"b":1,"10":2,"9":3,"01":4,"-1":5}': '{"9":3,"10":2,"b":1,"01":4,"-1":5}',
    '{"4294967295":1,"4294967294":2}': '{"4294967294":2,"4294967295":1}',
    '{"a":1,"b":2,"a":3}': '{"a":3,"b":2}',
    '{"__proto__":1}': '{"__proto__":1}',
    " [ 1 , [ ] , { } , true , false , null ] ": "[1,[],{},true,false,null]",
}


@pytest.mark.parametrize("text", NODE)
def test_text_comes_out_as_from_javascript(text: str) -> None:
    """Numbers, escapes, order and doubled members are as JavaScript has them."""
    assert js_stringify(js_parse(text)) == NODE[text]


def test_an_int_is_written_as_the_double_it_becomes() -> None:
    """JavaScript has no other numbers, and its Infinity is no JSON."""
    assert js_stringify([2**53 + 1, 10**400, -1]) == "[9007199254740992,null,-1]"


def test_surrogates_that_pair_up_are_written_as_one_character() -> None:
    """A pair is a character, however Python came to hold it."""
    assert js_stringify("\ud83d" + "\ude00") == '"😀"'


@pytest.mark.parametrize("text", ["", "{", "NaN", "-Infinity", "[1,]", "'a'", "01", "\ufeff1"])
def test_text_that_javascript_refuses_is_refused(text: str) -> None:
    """Python's JSON is laxer than JavaScript's."""
    with pytest.raises(ValueError, match=r"JSON|Expecting|Illegal|Extra|BOM"):
        js_parse(text)


@pytest.mark.parametrize("value", [{1: 2}, {1, 2}, b"x", [object()]])
def test_what_json_can_not_hold_is_refused(value: object) -> None:
    """Nothing is written in its place."""
    with pytest.raises(TypeError):
        js_stringify(value)


@given(JSON)
@settings(deadline=None, max_examples=150)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    """Writing loses nothing but infinite numbers, and what was read is written alike again."""
    written = js_stringify(value)
    assert js_stringify(js_parse(written)) == written
    assert js_parse(written) == _finite(value)


def _finite(value: Any) -> Any:
    """The value with null for infinite numbers."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    return value


def test_encoding_is_encode_uri_component() -> None:
    """All but letters, digits and -_.!~*'() is percent-encoded UTF-8."""
    assert js_encode("aZ09-_.!~*'()") == "aZ09-_.!~*'()"
    assert js_encode(' "+/=?&#%é😀') == "%20%22%2B%2F%3D%3F%26%23%25%C3%A9%F0%9F%98%80"


def test_half_a_character_can_not_be_encoded() -> None:
    """As encodeURIComponent, which throws on it."""
    with pytest.raises(UnicodeError):
        js_encode("\ud800")
