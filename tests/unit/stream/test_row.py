"""The row of the lake: what the schema lets through, and how it is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.roster.members import Reason
from chalicelib.roster.signal import Source
from chalicelib.stream.errors import BadRow
from chalicelib.stream.row import COLUMNS, Row, check_row, row_text
from chalicelib.trtc.identifiers import STR_ROOM_PATTERN, USER_ID_PATTERN, Room, parse_room
from tests.support.lake import APP, T0, good_row

REPORT = good_row(ev="report", id=f"{APP}/7/anna/5/1", ver=None, delta=0, reason=None)


def test_the_columns_are_those_of_the_table() -> None:
    """The named tuple and the table have the same columns, in the same order."""
    assert tuple(COLUMNS) == Row._fields
    assert all(name == name.lower() for name in COLUMNS)


def wrong_column(row: Row) -> str | None:
    """The column that is not as the schema says, or None."""
    try:
        check_row(row)
    except BadRow as error:
        return error.column
    return None


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_one_of_joins_or_of_leaves(reason: Reason) -> None:
    """Each reason belongs to one event, but for replays, which belong to both."""
    join = wrong_column(good_row(reason=reason))
    leave = wrong_column(good_row(ev="leave", delta=-1, reason=reason))
    joins = reason in {Reason.LISTED, Reason.ENTERED, Reason.REPLAY}
    assert join == (None if joins else "reason")
    assert leave == ("reason" if joins and reason is not Reason.REPLAY else None)


@pytest.mark.parametrize(
    "row",
    [
        good_row(),
        good_row(room="s:MTIz", id=f"{APP}/s:MTIz/3/0"),
        good_row(lag_ms=-40),
        good_row(source="relay"),
        good_row(ver=10**10 - 1, id=f"{APP}/7/9999999999/4999"),
        REPORT,
    ],
)
def test_good_rows_pass(row: Row) -> None:
    """Numeric and string rooms, clocks that differ by a little, reports."""
    check_row(row)


@pytest.mark.parametrize(
    ("column", "changes"),
    [
        ("v", {"v": 2}),
        ("ev", {"ev": "enter"}),
        ("app", {"app": 0}),
        ("app", {"app": True}),
        ("app", {"app": str(APP)}),
        ("room", {"room": "007"}),
        ("room", {"room": "s:"}),
        ("user", {"user": ""}),
        ("user", {"user": "a\nb"}),
        ("user", {"user": None}),
        ("t", {"t": 0}),
        ("t", {"t": 1.5}),
        ("t", {"t": True}),
        ("t", {"t": 10**13}),
        ("lag_ms", {"lag_ms": None}),
        ("lag_ms", {"lag_ms": 10**13}),
        ("delta", {"delta": -1}),
        ("delta", {"delta": 1.0}),
        ("ver", {"ver": 0}),
        ("ver", {"ver": None}),
        ("ver", {"ver": 10**10}),
        ("source", {"source": "nobody"}),
        ("reason", {"reason": None}),
        ("reason", {"reason": "lease"}),
        ("id", {"id": f"{APP}/7/4/0"}),
        ("id", {"id": f"{APP}/8/3/0"}),
        ("id", {"id": f"{APP}/7/3/"}),
        ("id", {"id": f"{APP}/7/3/0/1"}),
        ("id", {"id": f'{APP}/7/3/0","v":"'}),
    ],
)
def test_a_bad_column_is_named(column: str, changes: dict[str, Any]) -> None:
    """The first column that is not as the schema says, without what it holds."""
    with pytest.raises(BadRow) as caught:
        check_row(good_row(**changes))
    assert caught.value.column == column
    assert str(caught.value).startswith(f"{column} ")


@pytest.mark.parametrize(
    ("column", "changes"),
    [
        ("ver", {"ver": 3}),
        ("reason", {"reason": "left"}),
        ("delta", {"delta": 1}),
        ("id", {"id": f"{APP}/7/berta/5/1"}),
        ("id", {"id": f"{APP}/7/anna/5"}),
    ],
)
def test_a_report_changes_nothing(column: str, changes: dict[str, Any]) -> None:
    """It has no version and no reason, and its id names its reporter."""
    with pytest.raises(BadRow) as caught:
        check_row(REPORT._replace(**changes))
    assert caught.value.column == column


def test_a_row_is_one_line_of_json() -> None:
    """Compact, in the order of the columns."""
    text = row_text(good_row())
    assert text == (
        f'{{"v":1,"id":"{APP}/7/3/0","ev":"join","app":{APP},"room":"7","user":"anna","t":{T0},'
        '"ver":3,"delta":1,"source":"client","reason":"listed","lag_ms":250,"by":"anna","confirmed":1}'
    )
    assert json.loads(text) == good_row()._asdict()


@given(
    (st.integers(1, 2**32 - 1) | st.from_regex(STR_ROOM_PATTERN, fullmatch=True)).map(parse_room),
    st.from_regex(USER_ID_PATTERN, fullmatch=True),
    st.integers(1, 10**13 - 1),
    st.sampled_from(sorted(Source)),
)
def test_a_row_that_is_as_the_schema_says_is_written_as_json_would(
    room: Room, user: str, t: int, source: Source
) -> None:
    """Written out by hand it is what the encoder makes of it, whatever its texts are."""
    key = room.key
    row = good_row(room=key, user=user, t=t, source=source, id=f"{APP}/{key}/3/0")
    check_row(row)
    assert row_text(row) == json.dumps(row._asdict(), separators=(",", ":"))


def test_a_column_without_a_value_is_left_out() -> None:
    """Which Parquet shows as null; JSON's null is not sent."""
    assert COLUMNS.keys() - json.loads(row_text(REPORT)).keys() == {"ver", "reason"}
