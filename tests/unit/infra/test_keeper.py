"""Keeper's template: what it hears of the event table, and what becomes of what fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.layout import FUNCTIONS
from infra.package import target
from infra.package.template import merge_document
from simulation.stream import stream_record, wanted

KEEPER = next(each for each in FUNCTIONS if each.name == "keeper")
RESOURCES: dict[str, Any] = merge_document(KEEPER, target.aws())["Resources"]
MAPPING: dict[str, Any] = RESOURCES["Mapping"]["Properties"]
FILTERS = [json.loads(each["Pattern"]) for each in MAPPING["FilterCriteria"]["Filters"]]

STREAM_FORGETS = 86_400  # seconds
HOUR = 3600


def record(pk: str, sk: str, *, old: bool = False, new: bool = True) -> dict[str, Any]:
    """A record of an item that was inserted, changed or deleted."""
    item = {"pk": {"S": pk}, "sk": {"S": sk}}
    return stream_record(item if new else None, item if old else None)


@pytest.mark.parametrize(
    ("pk", "sk"),
    [
        ("P#1400037025#107688#anna", "E#1600000000000#0000000007"),
        ("C#1400037025#107688", "1600000000000#103#anna"),
        ("R#1400037025#s:YQ", "T#0000000001"),
    ],
)
def test_keeper_hears_what_is_new(pk: str, sk: str) -> None:
    """Reports, callbacks and changes; neither when they are forgotten, nor when a name is."""
    assert wanted(record(pk, sk), FILTERS)
    assert not wanted(record(pk, sk, old=True), FILTERS)
    assert not wanted(record(pk, sk, old=True, new=False), FILTERS)


@pytest.mark.parametrize(
    ("pk", "sk"),
    [
        ("R#1400037025#107688", "HEAD"),
        ("R#1400037025#107688", "ROSTER#0000000001"),
        ("U#1400037025#anna", "S#1600000000000#107688"),
    ],
)
def test_keeper_does_not_hear_itself(pk: str, sk: str) -> None:
    """Heads, snapshots and sessions are not asked for, nor paid for."""
    assert not wanted(record(pk, sk), FILTERS)


def test_nothing_is_lost_and_nothing_blocks_for_ever() -> None:
    """From the oldest record on; what fails is narrowed down, bounded, and kept."""
    assert MAPPING["EventSourceArn"] == {"Ref": "StreamArn"}
    assert MAPPING["StartingPosition"] == "TRIM_HORIZON"
    assert MAPPING["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert MAPPING["BisectBatchOnFunctionError"] is True
    assert 0 < MAPPING["MaximumRetryAttempts"] <= 10_000
    # Retries end before the stream forgets, with time left in which somebody can look.
    assert 0 < MAPPING["MaximumRecordAgeInSeconds"] <= STREAM_FORGETS - 6 * HOUR
    destination = MAPPING["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == {"Ref": "QuarantineBucketArn"}


def test_the_changes_of_a_room_come_in_their_order() -> None:
    """A leave before its join would find no session to close, and leave one open for ever.

    AWS Lambda Developer Guide, "Process DynamoDB records with Lambda": with more batches of a shard
    at once the order is kept of each item (partition and sort key), and a change is an item.
    """
    assert MAPPING["ParallelizationFactor"] == 1


def test_a_sweep_ends_before_the_next_one_begins() -> None:
    """Every minute one run, which is given a minute at most."""
    assert RESOURCES["Sweeper"]["Properties"]["Timeout"] <= 60
