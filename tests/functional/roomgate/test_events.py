"""`roomgate events` and `roomgate users`, on moto's event table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import boto3
import pytest

from chalicelib.roster.view import view_of
from chalicelib.table.forgetting import PREFIX
from chalicelib.table.item_keys import RoomKey, change_key, report_key
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import parse_room
from roomgate.operator.event_store import TABLE_VARIABLE
from tests.functional.roomgate.conftest import APP
from tests.support.event_table import create_table, report
from tests.support.lists import plain_view

if TYPE_CHECKING:
    from tests.functional.roomgate.conftest import Cli

ROOM = RoomKey(int(APP), parse_room(7))
NOW = int(time.time() * 1000) - 120_000
LISTS = [("anna", ""), ("berta", "anna"), ("anna", "berta"), ("carla", "anna berta")]


@pytest.fixture
def table(aws: None, monkeypatch: pytest.MonkeyPatch) -> EventTable:  # noqa: ARG001 (its account)
    """An event table in which three members have reported a room."""
    client = boto3.client("dynamodb")
    create_table(client, "events")
    monkeypatch.setenv(TABLE_VARIABLE, "events")
    table = EventTable(client, "events")
    for seq, (user, others) in enumerate(LISTS):
        sent = report(
            parse_room(7), view_of(user, dict.fromkeys(others.split())), seq, app=int(APP)
        )
        at = NOW + 1000 * seq
        RoomWriter(table).record(sent._replace(received=at), at)
    return table


def lose(table: EventTable, version: int) -> None:
    """Let the room's head be as if a change had been folded wrongly: carla is not there."""
    room = table.room(ROOM)
    RoomWriter(table).correct(ROOM, {"anna", "berta"}, NOW + 5000)
    assert table.room(ROOM).head.version == room.head.version + 1 == version


def test_a_roster_that_holds_is_confirmed(cli: Cli, table: EventTable) -> None:
    """What is stored, folded once more, gives the same members."""
    version = table.room(ROOM).head.version
    done = cli.done("events", "replay", APP, "7")
    assert done == {
        "version": version,
        "members": ["anna", "berta", "carla"],
        "missing": [],
        "surplus": [],
        "reports": 4,
        "agrees": True,
    }
    assert "the same 3 members" in cli.told("events", "replay", APP, "7", "--thorough")


def test_a_roster_that_does_not_hold_is_corrected_on_request(cli: Cli, table: EventTable) -> None:
    """By one more change, with the reason replay; without --write nothing is changed."""
    lose(table, 4)
    result = cli.run("events", "replay", APP, "7")
    assert result.exit_code == 1
    assert "+ carla  by the replay, not by the roster" in result.stdout
    assert table.room(ROOM).head.version == 4
    done = cli.done("events", "replay", APP, "7", "--write")
    assert (done["missing"], done["corrected"]) == (["carla"], 5)
    assert set(table.members(table.room(ROOM))) == {"anna", "berta", "carla"}
    change = table.change(ROOM, 5)
    assert change is not None
    assert [(each.user, each.reason) for each in change.transitions] == [("carla", "replay")]
    assert cli.done("events", "replay", APP, "7")["agrees"]


def test_a_report_that_nobody_folded_is_found_in_the_whole_table(
    cli: Cli, table: EventTable
) -> None:
    """Its reporter is unknown to the room's history, so only --thorough can find it."""
    sent = report(parse_room(7), view_of("zoe", {"carla": None}), 0, app=int(APP))._replace(
        received=NOW + 9000
    )
    table.store(sent, table.room(ROOM), dict)
    assert cli.done("events", "replay", APP, "7")["agrees"]
    result = cli.run("events", "replay", APP, "7", "--thorough")
    assert result.exit_code == 1
    assert "+ zoe" in result.stdout


def test_a_report_beside_a_roster_that_is_gone_is_explained(cli: Cli, table: EventTable) -> None:
    """Where reports are kept for longer than history is, there may be nothing to read them by."""
    many = plain_view(300)
    sent = report(parse_room(7), many, 0, app=int(APP))._replace(received=NOW + 9000)
    RoomWriter(table).record(sent, NOW + 9000)
    again = report(parse_room(7), many, 1, app=int(APP))._replace(received=NOW + 12_000)
    RoomWriter(table).record(again, NOW + 12_000)
    client = boto3.client("dynamodb")
    client.delete_item(TableName="events", Key=change_key(ROOM, 4))
    assert "no longer kept" in cli.failed("events", "replay", APP, "7")


def test_a_room_that_was_never_seen_is_said_so(cli: Cli, table: EventTable) -> None:
    """There is nothing to fold."""
    assert table
    assert "Nothing is stored of room 8" in cli.failed("events", "replay", APP, "8")
    assert "room" in cli.misused("events", "replay", APP, "0")


def test_without_a_stack_there_is_no_table(cli: Cli, aws: None) -> None:  # noqa: ARG001 (its account)
    """It says how to name one."""
    assert TABLE_VARIABLE in cli.failed("events", "replay", APP, "7")
    assert TABLE_VARIABLE in cli.failed("users", "forget", APP, "berta")
    # Nor is the salt of its pseudonyms left in a stack that a wrong name made up.
    assert boto3.client("ssm").describe_parameters()["Parameters"] == []


def test_a_user_is_forgotten(cli: Cli, table: EventTable) -> None:
    """First it is said what would be done; a user that is in a room has to leave first."""
    would = cli.run("users", "forget", APP, "berta", "--dry-run")
    assert would.exit_code == 1
    assert "1 items would be deleted" in would.stdout
    assert "in these rooms, or they were just written: 7" in would.stdout
    RoomWriter(table).correct(ROOM, {"anna", "carla"}, NOW + 60_000)
    told = cli.told("users", "forget", APP, "berta")
    assert "1 items deleted" in told
    assert PREFIX in told
    client = boto3.client("dynamodb")
    assert "berta" not in str(client.scan(TableName="events")["Items"])
    again = cli.done("users", "forget", APP, "berta")
    assert (again["deleted"], again["changed"], again["later"]) == (0, 0, [])
    assert again["pseudonym"] in told
    key = report_key(report(parse_room(7), view_of("berta", {}), app=int(APP)).place, 0, 0)
    assert key["pk"]["S"] not in str(client.scan(TableName="events")["Items"])
