from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chalicelib.api.issuer import (
    ENTRY_REQUEST,
    INSPECTION_REQUEST,
    ROOM_TICKET_REQUEST,
    ROOM_URL_REQUEST,
    USER_SIG_REQUEST,
)
from chalicelib.errors import InvalidRequest
from chalicelib.schema import (
    MOST_SHOWN,
    Array,
    Collection,
    DecodeErrors,
    Field,
    Flag,
    Integer,
    Nullable,
    Number,
    OneOf,
    Record,
    Text,
    decode,
)

REQUESTS: dict[str, Record[Any]] = {
    "entry": ENTRY_REQUEST,
    "user-sig": USER_SIG_REQUEST,
    "private-map-key": ROOM_TICKET_REQUEST,
    "room-url": ROOM_URL_REQUEST,
    "inspection": INSPECTION_REQUEST,
}


class Point(NamedTuple):
    x: int
    label: str | int = "none"


POINT = Record(
    Point,
    Field("x", Integer(0, 10), "x"),
    Field("name", Text(5, least=1), "label", required=False, default="none"),
    Field("number", Integer(1, 3), "label", required=False, default="none"),
)


def places(value: Any) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        decode(POINT, value)
    return [wrong.place for wrong in caught.value.errors]


def test_a_record_is_built_from_its_members() -> None:
    """Members fill the arguments that their fields name; absent ones their defaults."""
    assert decode(POINT, {"x": 1, "name": "a"}) == Point(1, "a")
    assert decode(POINT, {"x": 1}) == Point(1, "none")
    assert decode(POINT, {"x": 1, "number": 2}) == Point(1, 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], ["#"]),
        ("x", ["#"]),
        ({}, ["#/x"]),
        ({"x": True}, ["#/x"]),
        ({"x": 1.0}, ["#/x"]),
        ({"x": "1"}, ["#/x"]),
        ({"x": 11}, ["#/x"]),
        ({"x": -1}, ["#/x"]),
        ({"x": None}, ["#/x"]),
        ({"x": 1, "y": 2}, ["#/y"]),
        ({"x": 1, "a/b~\u2028": 2}, ["#/a~1b~0%E2%80%A8"]),
        ({"x": 1, "\ud800 %": 2}, ["#/%3F%20%25"]),
        ({"x": 1, "name": ""}, ["#/name"]),
        ({"x": 1, "name": "a", "number": 1}, ["#/name", "#/number"]),
        ({"y": 1, "name": 7}, ["#/y", "#/x", "#/name"]),
    ],
)
def test_every_wrong_member_is_named(value: Any, expected: list[str]) -> None:
    """A refusal points at each wrong member, not just the first."""
    assert places(value) == expected


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Text(16, least=16), "must have 16 characters"),
        (Text(5, least=1), "must have 1 to 5 characters"),
    ],
)
def test_a_length_is_told_as_one_would_say_it(wanted: Text, said: str) -> None:
    """A range where there is one."""
    with pytest.raises(DecodeErrors) as caught:
        wanted.decode("abcdefg")
    assert [error.detail for error in caught.value.errors] == [said]


def test_a_refusal_stays_short() -> None:
    """A body of thousands of wrong members does not make a problem of thousands of lines."""
    assert len(places({f"m{n}": 0 for n in range(5000)})) == MOST_SHOWN


def test_array_items_are_named_by_index() -> None:
    """An item's pointer carries its index; repeats are refused where items must be unique."""
    names = Array(OneOf({"a": 1, "b": 2}), 3, unique=True)
    assert names.decode(["b", "a"]) == [2, 1]
    with pytest.raises(DecodeErrors) as caught:
        names.decode(["a", "c", 5])
    assert [error.place for error in caught.value.errors] == ["/1", "/2"]
    for bad in (["a", "a"], ["a"] * 4, "a", None):
        with pytest.raises(DecodeErrors):
            names.decode(bad)


@pytest.mark.parametrize("name", REQUESTS)
def test_request_schemas_are_json_schemas(name: str) -> None:
    """What OpenAPI shows is a schema of draft 2020-12."""
    Draft202012Validator.check_schema(REQUESTS[name].json_schema())


SOME_VALUES = st.one_of(
    st.sampled_from(
        [1, 0, -1, 255, 2**32, True, None, 1.5, "alice", "", "a b", "live", "anchor", {}, {"a": 1}]
    ),
    st.lists(st.sampled_from(["enter", "sendAudio", "nothing", 3]), max_size=3),
)


@given(
    name=st.sampled_from(sorted(REQUESTS)),
    data=st.data(),
)
def test_decoding_accepts_what_the_schema_accepts(name: str, data: st.DataObject) -> None:
    """The decoder and the JSON Schema printed from it agree on any object."""
    request = REQUESTS[name]
    members = [*request.fields, "unknown"]
    value = data.draw(st.dictionaries(st.sampled_from(members), SOME_VALUES, max_size=9))
    try:
        decode(request, value)
        decoded = True
    except InvalidRequest:
        decoded = False
    assert decoded == Draft202012Validator(request.json_schema()).is_valid(value)


class Shape(NamedTuple):
    points: tuple[Point, ...]
    tags: frozenset[str]
    closed: bool
    width: float
    colour: str | None


SHAPE = Record(
    Shape,
    Field("points", Collection(Array(POINT, 3), tuple), "points"),
    Field("tags", Collection(Array(Text(9), 3, unique=True), frozenset, sorted), "tags"),
    Field("closed", Flag("a ring"), "closed", required=False, default=False),
    Field("width", Number(0, 9), "width"),
    Field("colour", Nullable(OneOf({"red": "#f00", "blue": "#00f"})), "colour"),
)
NAMED = Record(
    Shape,
    SHAPE.fields["points"]._replace(
        type=Collection(Array(Record(Point, *list(POINT.fields.values())[:2]), 3), tuple)
    ),
    *list(SHAPE.fields.values())[1:],
)
"""The same with points that have a name: an alternative needs `when` to be written."""

POINTS = st.builds(Point, st.integers(0, 10), st.text(min_size=1, max_size=5))
SHAPES = st.builds(
    Shape,
    st.lists(POINTS, max_size=3).map(tuple),
    st.frozensets(st.text(max_size=9), max_size=3),
    st.booleans(),
    st.floats(0, 9),
    st.sampled_from([None, "#f00", "#00f"]),
)


@given(SHAPES)
def test_what_is_encoded_decodes_to_the_same(shape: Shape) -> None:
    """One declaration writes and reads, and its schema describes what it writes."""
    encoded = json.loads(json.dumps(NAMED.encode(shape)))
    assert NAMED.decode(encoded) == shape
    Draft202012Validator(NAMED.json_schema()).validate(encoded)


def test_a_member_that_says_nothing_is_left_out() -> None:
    """An optional member stands only where its attribute is not the default."""
    shape = Shape((), frozenset({"b", "a"}), closed=False, width=1.5, colour=None)
    assert SHAPE.encode(shape) == {"points": [], "tags": ["a", "b"], "width": 1.5, "colour": None}
    assert SHAPE.encode(shape._replace(closed=True, colour="#f00"))["colour"] == "red"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"width": True}, "/width"),
        ({"width": "1"}, "/width"),
        ({"width": 9.5}, "/width"),
        ({"tags": ["a", "a"]}, "/tags"),
        ({"tags": "a"}, "/tags"),
        ({"points": [{"x": 1}, {"x": 11}]}, "/points/1/x"),
        ({"colour": "green"}, "/colour"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(change: dict[str, Any], place: str) -> None:
    """Sets, numbers and nulls are as strict as the rest."""
    with pytest.raises(DecodeErrors) as caught:
        SHAPE.decode({"points": [], "tags": [], "width": 1, "colour": None, **change})
    assert [error.place for error in caught.value.errors] == [place]
