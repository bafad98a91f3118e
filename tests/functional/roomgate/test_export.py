"""``roomgate events export``: the lake's rows once more, which changes no query's answer."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.stream.rows import rows_of
from chalicelib.table.archive import Archive
from chalicelib.table.client import transient_failures
from chalicelib.table.errors import StoreUnavailable
from chalicelib.table.forgetting import Forgetting
from chalicelib.table.item_keys import RoomKey, change_key
from chalicelib.trtc.identifiers import parse_room
from roomgate.analytics.backfill import Wanted
from roomgate.analytics.sql import names
from roomgate.operator.errors import BUSY, UNREACHABLE, explained
from roomgate.operator.event_store import TABLE_VARIABLE
from tests.functional.roomgate.conftest import BOTO, STACK
from tests.functional.roomgate.morning import BUCKET, LISTS, TABLE, know_a_morning, make_lake
from tests.support.lake import change_item, good_row, joins
from tests.support.lake_rows import APP, LakeRow, ms, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from chalicelib.table.table import EventTable
    from tests.functional.roomgate.conftest import Cli

DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
ASKED = ("--since", "2026-03-02", "--until", "2026-03-03")


@pytest.fixture
def table(aws: None, monkeypatch: pytest.MonkeyPatch) -> EventTable:  # noqa: ARG001 (its account)
    """An event table that knows a room's morning, and somebody in another application."""
    monkeypatch.setenv(TABLE_VARIABLE, TABLE)
    return know_a_morning()


def answers(cli: Cli, folder: Path) -> dict[str, Any]:
    """What every named query answers, and all rows without repeats."""
    here = ("--folder", str(folder), *ASKED)
    found = {name: cli.done("analytics", "query", name, *here)["rows"] for name in names()}
    columns = ", ".join(name for name in LakeRow._fields if name not in {"dt", "hour"})
    sql = f"SELECT DISTINCT {columns} FROM events ORDER BY id"  # noqa: S608 (our own columns)
    found["all"] = cli.done("analytics", "query", sql, *here)["rows"]
    return found


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def exported(table: EventTable) -> list[dict[str, Any]]:
    """The rows that the exporter makes of the table, by their ids, as a query shows them."""
    assert table
    items = Archive(boto3.client("dynamodb"), TABLE).everything()
    rows = [row._asdict() for item in items for row in rows_of(item)]
    return sorted(rows, key=lambda row: str(row["id"]))


def test_the_rows_are_those_that_the_exporter_made(
    cli: Cli, table: EventTable, tmp_path: Path
) -> None:
    """All of them, in the folders of the hours in which they were recorded."""
    done = cli.done("events", "export", *DAY, "--into", str(tmp_path))
    rows = exported(table)
    assert [row["ev"] for row in rows].count("leave") == 1
    assert (done["rows"], done["bad"], done["into"]) == (len(rows), 0, str(tmp_path))
    assert answers(cli, tmp_path)["all"] == rows
    assert sorted(path.rpartition("/")[0] for path in done["files"]) == [
        "dt=2026-03-02/hour=09",
        "dt=2026-03-02/hour=10",
        "dt=2026-03-02/hour=11",
    ]
    assert files(tmp_path).keys() == {f"rows/{path}" for path in done["files"]}


def test_twice_is_as_good_as_once(cli: Cli, table: EventTable, tmp_path: Path) -> None:
    """The same again writes the same files; a time that overlaps changes no query's answer."""
    assert table
    cli.done("events", "export", *DAY, "--into", str(tmp_path))
    once, written = answers(cli, tmp_path), files(tmp_path)
    assert once["peak_concurrency"][0]["users"] == 3
    cli.done("events", "export", *DAY, "--into", str(tmp_path))
    assert (answers(cli, tmp_path), files(tmp_path)) == (once, written)
    part = ("--from", "2026-03-02T09:58:20Z", "--to", "2026-03-02T10:30")
    cli.done("events", "export", *part, "--into", str(tmp_path))
    assert answers(cli, tmp_path) == once
    assert files(tmp_path).items() >= written.items()


def test_rows_that_the_lake_has_already_count_once(
    cli: Cli, table: EventTable, tmp_path: Path
) -> None:
    """They arrived there later, and so lie in other folders, under other names."""
    rows = [LakeRow(**row, dt="", hour="").arrived(10) for row in exported(table)]
    write_rows(rows, tmp_path, "of-firehose-{i}")
    before = answers(cli, tmp_path)
    cli.done("events", "export", *DAY, "--into", str(tmp_path))
    assert answers(cli, tmp_path) == before


def test_the_deployed_lake_is_filled(cli: Cli, table: EventTable, tmp_path: Path) -> None:
    """Without a folder the rows go into its bucket, twice under the same keys."""
    make_lake()
    assert table
    told = cli.told("events", "export", *DAY)
    assert told == f"5 row(s) in 3 file(s) are in s3://{BUCKET}.\n"
    cli.done("analytics", "sync", "--folder", str(tmp_path / "copied"))
    cli.done("events", "export", *DAY, "--into", str(tmp_path / "made"))
    assert files(tmp_path / "copied") == files(tmp_path / "made")
    cli.done("events", "export", *DAY)
    listed = BOTO.client("s3").list_objects_v2(Bucket=BUCKET)
    assert listed["KeyCount"] == 3


def test_rows_go_by_when_they_were_recorded() -> None:
    """From the first moment on, and before the last one; when they happened does not count."""
    row = good_row(t=1000, lag_ms=500)
    spans = {
        (begin, end): Wanted(begin, end).takes(row) for begin, end in pairwise((0, 1500, 1501))
    }
    assert spans == {(0, 1500): False, (1500, 1501): True}


def test_one_application_is_chosen(cli: Cli, table: EventTable, tmp_path: Path) -> None:
    """The others' rows are left out."""
    done = cli.done("events", "export", *DAY, "--app", str(APP + 1), "--into", str(tmp_path))
    assert (done["rows"], [row["user"] for row in answers(cli, tmp_path)["all"]]) == (1, ["dora"])
    assert table


def test_reports_are_rows_on_request(cli: Cli, table: EventTable, tmp_path: Path) -> None:
    """As the exporter makes them where it is set so; they are nobody's join or leave."""
    assert table
    cli.done("events", "export", *DAY, "--into", str(tmp_path))
    before = answers(cli, tmp_path)
    done = cli.done("events", "export", *DAY, "--reports", "--into", str(tmp_path))
    after = answers(cli, tmp_path)
    assert done["rows"] == 5 + len(LISTS)
    reports = [row for row in after.pop("all") if row["ev"] == "report"]
    assert len(reports) == len(LISTS)
    assert {(row["lag_ms"], row["ver"], row["reason"]) for row in reports} == {(40, None, None)}
    del before["all"]
    assert after == before


def test_what_cannot_be_read_is_left_out_and_said(
    cli: Cli, table: EventTable, tmp_path: Path
) -> None:
    """One broken change does not keep the others back."""
    assert table
    broken: Any = {**change_key(RoomKey(APP, parse_room(8)), 1), "at": {"N": str(ms("10:00:00"))}}
    boto3.client("dynamodb").put_item(TableName=TABLE, Item=broken)
    done = cli.done("events", "export", *DAY, "--into", str(tmp_path))
    assert (done["rows"], done["bad"]) == (5, 1)
    assert "1 item(s) or row(s) are left out: " in done["notes"][0]
    assert len(answers(cli, tmp_path)["all"]) == 5


def test_a_row_that_is_none_is_left_out_and_said(
    cli: Cli, table: EventTable, tmp_path: Path
) -> None:
    """As by the exporter; the others of its change are rows."""
    assert table
    change = change_item("8", 1, joins("erin", "no such user", t=ms("10:00:00")), at=ms("10:00:01"))
    boto3.client("dynamodb").put_item(TableName=TABLE, Item=change)
    done = cli.done("events", "export", *DAY, "--into", str(tmp_path))
    assert (done["rows"], done["bad"]) == (6, 1)
    assert done["notes"][0].startswith("1 item(s) or row(s) are left out: user ")
    users = [row["user"] for row in answers(cli, tmp_path)["all"]]
    assert ("erin" in users, "no such user" in users) == (True, False)


def test_rows_of_forgotten_users_are_said(cli: Cli, table: EventTable, tmp_path: Path) -> None:
    """They have the ids of rows that hold the names, so such rows must go first."""
    assert table
    archive = Archive(boto3.client("dynamodb"), TABLE)
    forgetting = Forgetting(APP, "berta", b"salt")
    for item in archive.everything():
        kept = forgetting.kept(item, lambda _ref: False).item
        assert kept is None or kept is item or archive.replace(item, kept)
    done = cli.done("events", "export", *DAY, "--into", str(tmp_path))
    assert done["notes"][0].startswith("2 row(s) are of forgotten users")
    users = {row["user"] for row in answers(cli, tmp_path)["all"]}
    assert users == {"anna", "carla", "dora", forgetting.pseudonym}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "2026-03-03", "--to", "2026-03-02"), "--from must be before --to"),
        (("--from", "2026-03-02", "--to", "2026-03-02"), "--from must be before --to"),
        (("--from", "yesterday", "--to", "2026-03-02"), "'yesterday': write 2027-01-31"),
        (("--from", "2026-03-02", "--to", "2026-02-30"), "'2026-02-30': write 2027-01-31"),
        (("--from", "2026-03-02"), "Missing option '--to'"),
        ((*DAY, "--app", "0"), "--app"),
    ],
)
def test_times_that_are_none_are_not_understood(
    cli: Cli, words: tuple[str, ...], says: str
) -> None:
    """It says what is wrong, before it asks anything."""
    assert says in cli.misused("events", "export", *words)


def test_nothing_is_said_to_be_nothing(cli: Cli, table: EventTable, tmp_path: Path) -> None:
    """Where nothing was recorded, nothing is written and it is not done."""
    assert table
    words = ("--from", "2026-03-02T12:00", "--to", "2026-03-04", "--into", str(tmp_path))
    said = cli.failed("events", "export", *words)
    assert "keeps nothing that was recorded from 2026-03-02 12:00:00 UTC to 2026-03-04" in said
    assert "keeps nothing of 5 " in cli.failed("events", "export", *words, "--app", "5")
    assert not files(tmp_path)


def test_what_is_missing_is_named(cli: Cli, table: EventTable, tmp_path: Path) -> None:
    """No lake, and a folder that is none."""
    assert table
    assert f"There is no lake in stack {STACK}" in cli.failed("events", "export", *DAY)
    (tmp_path / "file").touch()
    below = str(tmp_path / "file" / "lake")
    assert f"{below} can't be written" in cli.failed("events", "export", *DAY, "--into", below)


def test_without_a_stack_there_is_no_table(cli: Cli, aws: None, tmp_path: Path) -> None:  # noqa: ARG001 (its account)
    """It says how to name one."""
    said = cli.failed("events", "export", *DAY, "--into", str(tmp_path))
    assert TABLE_VARIABLE in said


def test_a_table_that_does_not_answer_is_explained() -> None:
    """In the words for whatever is behind it."""
    with pytest.raises(StoreUnavailable) as caught, transient_failures():
        raise EndpointConnectionError(endpoint_url="https://dynamodb.test")
    assert (explained(caught.value) or "").startswith(UNREACHABLE)
    assert explained(StoreUnavailable()) == BUSY


def test_progress_is_shown_on_a_terminal() -> None:
    """On standard error, and gone when it is done; the answer stands alone on standard output."""
    script = """
from roomgate.commands.events_export import _drawn
from roomgate.commands.output import Output
with Output().waiting("the table") as draw:
    print(len(list(_drawn(range(1500), draw))))
"""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-c", script]
    environ = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=theirs, env=environ, check=True)
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert done.stdout == b"1500\n"
    assert shown.count("Waiting for the table") == 3
    assert shown.endswith("\r\x1b[K")
