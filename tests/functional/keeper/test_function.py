"""The keeper function's two Lambdas: what they do on AWS's interfaces, log and count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.roster.view import view_of
from chalicelib.stores.settings import Settings
from chalicelib.stores.store import StoreDown
from chalicelib.table.item_keys import RoomKey, user_pk
from chalicelib.table.table import EventTable
from chalicelib.trtc.identifiers import parse_room
from simulation.stream import stream_record
from tests.support.apps import load_app
from tests.support.event_table import EPOCH, create_table, report, stored_items
from tests.support.reports import ENVIRONMENT, STACK, TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from chalicelib.roster.view import View
    from chalicelib.table.reports import Report

BUCKET = "quarantine"
APP = 1400037025
ROOM = RoomKey(APP, parse_room(107688))
TICK: dict[str, Any] = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "0",
    "time": "2026-01-01T00:00:00Z",
    "region": "eu-central-1",
    "resources": [],
    "detail": {},
}


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The function beside an empty table, an empty bucket and one application."""
    for name, value in (ENVIRONMENT | {"ROOMGATE_QUARANTINE_BUCKET": BUCKET}).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        create_table(boto3.client("dynamodb"), TABLE)
        region = {"LocationConstraint": "eu-central-1"}
        boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)  # type: ignore[arg-type]  # Its types list regions.
        set_up(APP)
        yield load_app("keeper")


def set_up(app: int, settings: Settings | None = None) -> None:
    """Store an application's settings."""
    value = (settings or Settings()).to_json()
    boto3.client("ssm").put_parameter(Name=f"/{STACK}/apps/{app}", Value=value, Type="String")


def store(*views: View) -> list[dict[str, Any]]:
    """Store reports that no webhook folds; what the stream tells of them."""
    client = boto3.client("dynamodb")
    table = EventTable(client, TABLE)
    reports = [report(ROOM.room, view, seq, app=APP) for seq, view in enumerate(views)]
    for each in reports:
        room = table.room(ROOM)
        table.store(each, room, lambda room=room: table.members(room))  # type: ignore[misc]  # A default that binds.
    return [stream_record(_item(client, each), None, seq) for seq, each in enumerate(reports, 1)]


def _item(client: Any, sent: Report) -> Any:
    (item,) = stored_items(client, TABLE, sent.place.pk)
    return item


def here() -> set[str]:
    """Who is in the room."""
    table = EventTable(boto3.client("dynamodb"), TABLE)
    return set(table.members(table.room(ROOM)))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged since the last look."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_batch_is_worked_off_and_counted(
    function: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reports are folded; the changes that come of it make sessions when they come."""
    told = store(view_of("anna", {"berta": None}), view_of("berta", {"anna": None}))
    assert function.keep({"Records": told}, None) == {"batchItemFailures": []}
    assert here() == {"anna", "berta"}
    (line,) = lines(capsys)
    counts = {name: value for name, value in line.items() if name[0].isupper()}
    assert counts == {
        "SignalsRefolded": 2,
        "SignalsHealed": 1,
        "SessionsWritten": 0,
        "SessionsMissing": 0,
        "RecordsQuarantined": 0,
        "KeysFailed": 0,
    }
    assert (line["function"], line["stack"], line["records"]) == ("keeper", STACK, 2)
    client = boto3.client("dynamodb")
    items = stored_items(client, TABLE, ROOM.pk)
    (change,) = [item for item in items if item["sk"]["S"].startswith("T#")]
    for written in (2, 0):
        function.keep({"Records": [stream_record(change)]}, None)
        assert lines(capsys)[0]["SessionsWritten"] == written
    assert len(stored_items(client, TABLE, user_pk(APP, "berta"))) == 1


def test_poison_is_an_object_of_the_bucket(
    function: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under keeper/, with the record as it came; the log says where."""
    (told,) = store(view_of("anna", {}))
    del told["dynamodb"]["NewImage"]["hash"]
    assert function.keep({"Records": [told]}, None) == {"batchItemFailures": []}
    s3 = boto3.client("s3")
    (found,) = s3.list_objects_v2(Bucket=BUCKET, Prefix="keeper/")["Contents"]
    body = json.loads(s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read())
    assert body["record"] == told
    where, counted = lines(capsys)
    assert (where["key"], where["reason"]) == (found["Key"], body["reason"])
    assert counted["RecordsQuarantined"] == 1


def test_rooms_are_as_large_as_their_application_allows(function: ModuleType) -> None:
    """As webhook folds them."""
    boto3.client("ssm").delete_parameter(Name=f"/{STACK}/apps/{APP}")
    set_up(APP, Settings(largest_room=2))
    told = store(view_of("anna", {"berta": None, "carla": None}))
    function.keep({"Records": told}, None)
    assert len(here()) == 2


def test_what_is_due_is_settled(function: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each application that is set up; what was due long ago is told as a lag, in seconds."""
    function.keep({"Records": store(view_of("anna", {}))}, None)
    capsys.readouterr()
    function.sweep(TICK, None)
    assert here() == set()
    (line,) = lines(capsys)
    assert (line["RoomsSettled"], line["SweepLeft"], line["SweepFailures"]) == (1, 0, 0)
    assert line["SweepLag"] > line["timestamp"] // 1000 - EPOCH // 1000 - 5 * 3600
    function.sweep(TICK, None)
    assert (lines(capsys)[0]["RoomsSettled"], lines(capsys)) == (0, [])


def test_a_store_that_is_down_is_counted(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sweeper comes again in a minute."""

    def down(name: str) -> list[str]:
        raise StoreDown(name, "ThrottlingException")

    monkeypatch.setattr(function.store, "parameter_names", down)
    function.sweep(TICK, None)
    (line,) = lines(capsys)
    assert (line["SweepFailures"], line["reasons"]) == (1, {"ThrottlingException": 1})
