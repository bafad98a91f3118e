from __future__ import annotations

import contextlib
import json

import pytest
from chalice.app import Request
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.bodies import parse_body, read_json
from chalicelib.errors import ApiError
from tests.support.apps import api_event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_as_python_reads_it(value: object) -> None:
    """What json.dumps writes comes back the same."""
    assert parse_body(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_refused(raw: bytes) -> None:
    """No body whatever raises anything but a refusal."""
    with contextlib.suppress(ApiError):
        parse_body(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a":1}{"b":2}',
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"[NaN]",
        b"[-Infinity]",
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        b"[" * 200_000,
        b"9" * 5000,
        b"{'a':1}",
        '{"a":1}'.encode("utf-16"),
    ],
)
def test_what_is_not_one_strict_json_value_is_refused(raw: bytes) -> None:
    """Broken JSON, duplicate members, NaN, other encodings and endless depth are a 400."""
    with pytest.raises(ApiError) as caught:
        parse_body(raw)
    assert caught.value.code == "malformed-json"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "The body is empty."),
        (b" \n", "The body is empty."),
        (b'{"a": }', "Expecting value at line 1, column 7."),
    ],
)
def test_it_is_said_what_is_broken_and_where(raw: bytes, said: str) -> None:
    """Nothing of the text is repeated."""
    with pytest.raises(ApiError) as caught:
        parse_body(raw)
    assert caught.value.detail == said


def _request(body: bytes, content_type: str | None) -> Request:
    event = api_event("POST", "/", body=body)
    event["headers"] = {} if content_type is None else {"Content-Type": content_type}
    return Request(event)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'],
)
def test_json_in_utf_8_is_read(content_type: str) -> None:
    """The media type is compared as HTTP says: without case, with a charset or none."""
    assert read_json(_request(b"{}", content_type), 10) == {}


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/json; charset=latin-1", "application/jsonx", "text/json"],
)
def test_another_content_type_is_refused(content_type: str | None) -> None:
    """A body that does not say it is JSON is a 415."""
    with pytest.raises(ApiError) as caught:
        read_json(_request(b"{}", content_type), 10)
    assert caught.value.code == "unsupported-media-type"


def test_the_bound_is_in_bytes() -> None:
    """A body of exactly the bound is read; one byte more is a 413."""
    body = '"é"'.encode()
    assert read_json(_request(body, "application/json"), len(body)) == "é"
    with pytest.raises(ApiError) as caught:
        read_json(_request(body, "application/json"), len(body) - 1)
    assert caught.value.code == "body-too-large"
