"""What rows the items of the event table make."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.stream.errors import BadItem
from chalicelib.stream.row import check_row, row_text
from chalicelib.stream.rows import rows_of, rows_of_record
from chalicelib.table.item_keys import ReporterKey
from chalicelib.trtc.identifiers import parse_room
from simulation.stream import stream_record
from tests.support.lake import APP, T0, change_item, expected_row, good_row, joins, leaves, report

AT = T0 + 700
CHANGE = change_item("7", 3, [*joins("anna", "berta"), *leaves("carl", t=T0 - 5)], at=AT)
LONG = change_item("7", 4, joins(*(f"user-{number:04}" for number in range(500))), at=AT)
REPORT = report(ReporterKey(APP, parse_room("room"), "anna"), received=AT)


def test_a_change_makes_a_row_for_each_transition() -> None:
    """In their order, which the id says too; the lag is from when it happened to the change."""
    transitions = [*joins("anna", "berta"), *leaves("carl", t=T0 - 5)]
    rows = rows_of(CHANGE)
    wanted = [expected_row("7", 3, place, each, AT) for place, each in enumerate(transitions)]
    assert [json.loads(row_text(row)) for row in rows] == wanted
    assert [row.lag_ms for row in rows] == [700, 700, 705]
    assert {row.recorded for row in rows} == {AT}


def test_a_squeezed_change_makes_the_same_rows_from_table_and_stream() -> None:
    """The table gives bytes, the stream base64."""
    assert "B" in LONG["transitions"]
    rows = rows_of(LONG)
    assert len(rows) == 500
    assert rows_of_record(stream_record(LONG), reports=False) == rows
    for row in rows:
        check_row(row)


def test_a_report_makes_a_row_if_reports_are_asked_for() -> None:
    """At the time at which its list was true."""
    assert rows_of(REPORT) == []
    (row,) = rows_of(REPORT, reports=True)
    check_row(row)
    assert row == good_row(
        id=f"{APP}/s:cm9vbQ/anna/5/1",
        ev="report",
        room="s:cm9vbQ",
        t=AT - 40,
        ver=None,
        delta=0,
        reason=None,
        lag_ms=40,
    )


@pytest.mark.parametrize(
    ("pk", "sk"),
    [
        (f"R#{APP}#7", "HEAD"),
        (f"R#{APP}#7", "ROSTER#0000000003"),
        (f"C#{APP}#7", "1600000000000#103#anna"),
        (f"U#{APP}#anna", "S#1600000000000#7"),
    ],
)
def test_other_items_make_no_rows(pk: str, sk: str) -> None:
    """Heads, snapshots, callbacks and sessions stay in the table."""
    assert rows_of({"pk": {"S": pk}, "sk": {"S": sk}}, reports=True) == []


def test_only_what_is_put_is_exported() -> None:
    """Not what `users forget` changes, nor what TTL deletes."""
    assert len(rows_of_record(stream_record(CHANGE), reports=False)) == 3
    assert rows_of_record(stream_record(CHANGE, CHANGE), reports=False) == []
    assert rows_of_record(stream_record(None, CHANGE), reports=False) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"at": {"N": "soon"}},
        {"at": {"S": "1"}},
        {"pk": {"S": "R#1"}},
        {"pk": {}},
        {"sk": {"S": "T#x"}},
        {"transitions": {"N": "1"}},
        {"transitions": {"S": "["}},
        {"transitions": {"S": "[" * 100_000}},
        {"transitions": {"S": "7"}},
        {"transitions": {"S": "[[1]]"}},
        {"transitions": {"S": '[[1,1,"=","client","listed",7]]'}},
        {"transitions": {"S": '[[1,"1","=","client","listed","anna"]]'}},
        {"transitions": {"S": '[[1,1,"=","nobody","listed","anna"]]'}},
        {"transitions": {"S": '[["in",1,"=","client","listed","anna"]]'}},
        {"transitions": {"B": b"\x00\x01"}},
        {"transitions": {"B": b"\xff" * 9}},
        {"transitions": {"B": "text"}},
    ],
)
def test_a_change_that_cannot_be_read_says_so_and_not_what_it_holds(
    broken: dict[str, Any],
) -> None:
    """Whatever is wrong with it, it is the one error that the exporter knows what to do about."""
    with pytest.raises(BadItem) as caught:
        rows_of(CHANGE | broken)
    assert "anna" not in caught.value.reason


@pytest.mark.parametrize("name", ["pk", "sk", "at", "transitions"])
def test_a_missing_attribute_is_named(name: str) -> None:
    """Also where there is no image at all."""
    with pytest.raises(BadItem, match=f"{name} is missing"):
        rows_of({key: value for key, value in CHANGE.items() if key != name})
    record = stream_record(CHANGE)
    del record["dynamodb"]["NewImage"]
    with pytest.raises(BadItem, match="NewImage is missing"):
        rows_of_record(record, reports=False)


@pytest.mark.parametrize("squeezed", ["no base64", "AA", 7, None])
def test_a_stream_record_that_cannot_be_decoded_says_so(squeezed: Any) -> None:
    """As one that cannot be read."""
    record = stream_record(LONG)
    record["dynamodb"]["NewImage"]["transitions"] = {"B": squeezed}
    with pytest.raises(BadItem):
        rows_of_record(record, reports=False)
