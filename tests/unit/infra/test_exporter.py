"""How the stream reaches the exporter: what its mapping lets through, and what if it fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.stream.firehose import ROUNDS, TIMEOUT_SECONDS
from chalicelib.table.item_keys import ReporterKey, RoomKey, head_key, snapshot_key
from chalicelib.trtc.identifiers import parse_room
from infra.layout import TEMPLATES
from simulation.stream import FOREVER, Settings, stream_record, wanted
from tests.support.lake import APP, change_item, joins, report

TEMPLATE: dict[str, Any] = json.loads((TEMPLATES / "exporter.json").read_text())
MAPPING = TEMPLATE["Resources"]["Mapping"]["Properties"]
CHANGES, REPORTS = MAPPING["FilterCriteria"]["Filters"]
STREAM_KEEPS = 86_400  # seconds; DynamoDB's streams

CHANGE = change_item("7", 1, joins("anna"))
REPORT = report(ReporterKey(APP, parse_room(7), "anna"))
ROOM = RoomKey(APP, parse_room(7))


def patterns(*, reports: bool) -> list[dict[str, Any]]:
    """The filter's patterns, with or without reports."""
    ((condition, with_them, without),) = REPORTS.values()
    assert (condition, without) == ("WithReports", {"Ref": "AWS::NoValue"})
    return [json.loads(each["Pattern"]) for each in (CHANGES, *([with_them] if reports else []))]


@pytest.mark.parametrize("reports", [False, True])
def test_changes_come_and_reports_by_setting(reports: bool) -> None:  # noqa: FBT001 (a case)
    """Whatever else is written passes the function by, and costs no call."""
    rules = patterns(reports=reports)
    assert wanted(stream_record(CHANGE), rules)
    assert wanted(stream_record(REPORT), rules) is reports
    for key in (head_key(ROOM), snapshot_key(ROOM, 3)):
        assert not wanted(stream_record(key), rules)
    assert not wanted(stream_record({"pk": {"S": "U#1#anna"}, "sk": {"S": "S#1#7"}}), rules)


def test_what_is_changed_or_deleted_is_not_exported_again() -> None:
    """Only an item's first write is."""
    for rule in patterns(reports=True):
        assert not wanted(stream_record(CHANGE, CHANGE), [rule])
        assert not wanted(stream_record(None, CHANGE), [rule])


def test_a_batch_that_fails_is_halved_retried_and_in_the_end_kept() -> None:
    """Retries and age have an end, well before the stream forgets; nothing then is lost."""
    settings = Settings.of(MAPPING | {"FilterCriteria": {}})
    assert settings.bisect
    assert settings.partial
    assert settings.retries != FOREVER
    assert 3600 <= settings.age <= STREAM_KEEPS / 2
    destination = MAPPING["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == {"Ref": "QuarantineBucketArn"}
    assert MAPPING["StartingPosition"] == "TRIM_HORIZON"


def test_the_function_has_time_to_find_out_that_firehose_is_down() -> None:
    """Each round may wait to connect and to read; the pauses between are less than 2 s in all."""
    timeout = TEMPLATE["Resources"]["Exporter"]["Properties"]["Timeout"]
    assert timeout / 2 > ROUNDS * 2 * TIMEOUT_SECONDS + 2
