"""``roomgate analytics query``: named queries and SQL over files, and what is wrong with either."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import pty
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from roomgate.analytics.lake import COLUMNS
from roomgate.analytics.sql import names
from tests.support.lake_rows import APP, MORNING, ms, step, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.functional.roomgate.conftest import Cli

DAY = ("--since", "2026-03-02", "--until", "2026-03-03")
HOUR = "rows/dt=2026-03-02/hour=10"
PEAK = {"day": "2026-03-02T00:00:00Z", "users": 3, "peak_at": "2026-03-02T10:01:30Z"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A lake with the rows of a morning."""
    write_rows(MORNING, tmp_path / "lake")
    return tmp_path / "lake"


@pytest.fixture
def ask(cli: Cli, folder: Path) -> Any:
    """Asks, and gives the rows."""

    def run(*words: str, given: str | None = None) -> list[dict[str, Any]]:
        options = ("--folder", str(folder), *DAY)
        rows: list[dict[str, Any]] = cli.done("analytics", "query", *words, *options, given=given)[
            "rows"
        ]
        return rows

    return run


def test_a_named_query_is_asked(ask: Any) -> None:
    """By its name, with the options in the places of its parameters."""
    assert ask("peak_concurrency") == [PEAK]
    assert [row["room"] for row in ask("busiest_rooms", "--app", str(APP))] == ["8", "7"]
    assert ask("busiest_rooms", "--app", str(APP + 1)) == []
    assert {row["room"] for row in ask("room_concurrency", "--room", "7")} == {"7"}


def test_yesterday_is_asked_about_by_default(cli: Cli, folder: Path) -> None:
    """Of that day nothing is here, so nobody was inside; that the copy may be old is said."""
    facts = cli.done("analytics", "query", "peak_concurrency", "--folder", str(folder))
    assert [row["users"] for row in facts["rows"]] == [0]
    (note,) = facts["notes"]
    assert note.startswith("No row that arrived from ")
    assert "roomgate analytics sync" in note


@pytest.mark.parametrize(
    ("since", "until", "noted"),
    [
        ("2026-03-02T08:00", "2026-03-02T09:00", True),
        ("2026-03-02T08:00", "2026-03-02T09:00:01", False),
        ("2026-03-02T10:59:59", "2026-03-03", False),
        ("2026-03-02T11:00", "2026-03-03", True),
    ],
)
def test_a_time_of_which_nothing_is_here_is_said(
    cli: Cli,
    folder: Path,
    since: str,
    until: str,
    noted: bool,  # noqa: FBT001 (a column)
) -> None:
    """By the hours in which rows arrived: the morning's are nine and ten."""
    words = ("--folder", str(folder), "--since", since, "--until", until)
    facts = cli.done("analytics", "query", "evidence", *words)
    assert ("notes" in facts) is noted


def test_since_alone_means_until_now(cli: Cli, tmp_path: Path) -> None:
    """What happened a minute ago is asked about by when to begin."""
    ago = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    row = step(f"{ago:%Y-%m-%dT%H:%M:%S}", "7", 1, "ann", "listed")
    write_rows([row.arrived(0)], tmp_path)
    since = f"{ago - dt.timedelta(minutes=30):%Y-%m-%dT%H:%M:%S}"
    words = ("--since", since, "--folder", str(tmp_path))
    facts = cli.done("analytics", "query", "joins_leaves", *words)
    assert [row["joins"] for row in facts["rows"]] == [1]


def test_every_query_is_listed_and_runs(cli: Cli, ask: Any) -> None:
    """Without a name all are shown; each of them answers."""
    listed = cli.done("analytics", "query")["queries"]
    assert [each["query"] for each in listed] == names()
    assert "Peak concurrency: " in cli.told("analytics", "query")
    for name in names():
        assert ask(name)


def test_sql_is_asked_in_the_dialect_of_athena(ask: Any) -> None:
    """What DuckDB calls otherwise is translated; the options stand for parameters here too."""
    told = ask(
        "SELECT date_format(from_unixtime(min(t) / 1000), '%H:%i') AS first, "
        "approx_distinct(user) AS users, :app AS app, :since AS since FROM events"
    )
    assert told == [{"first": "09:00", "users": 4, "app": 0, "since": "2026-03-02T00:00:00Z"}]


def test_sql_answers_as_in_athena_wherever_it_is_asked(folder: Path) -> None:
    """Times with a zone are told, in UTC and not in ours; whole numbers divide into whole ones."""
    sql = (
        "SELECT from_unixtime(min(t) / 1000) AS first, min(t) / 3600000 AS hours, -7 / 2 AS cut, "
        "7 / 2.0 AS exact, date_format(from_unixtime(max(t) / 1000), '%H:%i') AS last FROM events"
    )
    words = ("analytics", "query", sql, "--folder", str(folder), "--json")
    done = subprocess.run(
        [sys.executable, "-m", "roomgate", *words],
        env={**os.environ, "TZ": "Asia/Shanghai"},
        text=True,
        capture_output=True,
        check=True,
    )
    (row,) = json.loads(done.stdout)["rows"]
    assert row == {
        "first": "2026-03-02T09:00:00Z",
        "hours": ms("09:00:00") // 3_600_000,
        "cut": -3,
        "exact": 3.5,
        "last": "10:33",
    }


def test_sql_is_read_from_standard_input(ask: Any) -> None:
    """Long SQL comes from a file; its comments may hold what looks like a parameter."""
    given = "-- how many :things\nSELECT count(*) AS rows, ':since' AS text FROM events;\n"
    assert ask("-", given=given) == [{"rows": 9, "text": ":since"}]


def test_each_format_holds_the_same(cli: Cli, folder: Path, tmp_path: Path) -> None:
    """A table for people, CSV, JSON and Parquet for programs; to a file where one is named."""
    words = ("analytics", "query", "evidence", "--folder", str(folder), *DAY)
    rows = cli.done(*words)["rows"]
    assert cli.told(*words, "--format", "json") == cli.told(*words, "--json")
    read = list(csv.DictReader(io.StringIO(cli.told(*words, "--format", "csv"))))
    assert [row["evidence"] for row in read] == [row["evidence"] for row in rows]
    assert [float(row["share"]) for row in read] == [row["share"] for row in rows]
    lines = cli.told(*words).splitlines()
    assert lines[0].split() == [name.upper() for name in rows[0]]
    assert lines[1].split() == ["witnessed", "2", "0.400", "1000", "3000", "3000", "3000"]
    peak = cli.told("analytics", "query", "peak_concurrency", "--folder", str(folder), *DAY)
    assert peak.splitlines()[1].split() == ["2026-03-02", "3", "2026-03-02", "10:01:30"]
    for form in ("parquet", "csv", "json", "table"):
        cli.told(*words, "--format", form, "--output", str(tmp_path / form))
    kept = duckdb.read_parquet(str(tmp_path / "parquet"))
    assert kept.columns == list(rows[0])
    assert kept.fetchall() == [tuple(row.values()) for row in rows]
    assert (tmp_path / "csv").read_text() == cli.told(*words, "--format", "csv")
    assert (tmp_path / "json").read_text() == cli.told(*words, "--json")
    assert (tmp_path / "table").read_text() == cli.told(*words)


def test_values_that_json_has_not_are_told_as_it_can(ask: Any) -> None:
    """Lists, maps, dates, and numbers that are none."""
    told = ask(
        "SELECT ARRAY[1, 2] AS l, DATE '2026-03-02' AS d, CAST('nan' AS double) AS n, "
        "CAST(NULL AS bigint) AS x"
    )
    assert told == [{"l": [1, 2], "d": "2026-03-02", "n": None, "x": None}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("peak_concurency",), "Did you mean peak_concurrency"),
        (("zzz",), "There is no query 'zzz'. See them all: roomgate analytics query"),
        (("SELECT nothing FROM events",), "nothing"),
        (("SELECT count(* FROM events",), "can't be read as SQL, at line 1"),
        (("SELECT 'open FROM events",), "can't be read as SQL"),
        (("SELECT * FROM elsewhere",), "elsewhere"),
        (("SELECT :unknown FROM events",), "There is no parameter :unknown (there are: since"),
        (("SELECT 1; SELECT 2",), "one query"),
        (("DROP VIEW events",), "one query"),
        (("COPY events TO 'x.csv'",), "one query"),
        (("SELECT CAST('x' AS bigint) FROM events",), "DuckDB says"),
    ],
)
def test_what_cannot_be_asked_says_why(
    cli: Cli, folder: Path, words: tuple[str, ...], said: str
) -> None:
    """One sentence on standard error, no traceback; no file is blamed for it."""
    told = cli.failed("analytics", "query", *words, "--folder", str(folder))
    assert said in told
    assert "left out" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("evidence", "--since", "2026-13-01"), "2026-13-01"),
        (("evidence", "--until", "yesterday"), "yesterday"),
        (("evidence", "--since", "0001-01-01"), "'0001-01-01': write 2027-01-31"),
        (("evidence", "--since", "1969-12-31", "--until", "2026-01-01"), "'1969-12-31': write"),
        (("evidence", "--until", "9999-12-31T23:00:00"), "'9999-12-31T23:00:00': write"),
        (("evidence", "--since", "2026-03-02", "--until", "2026-03-02"), "before --until"),
        (("evidence", "--until", "2026-03-02"), "before --until"),
        (("returns", "--since", "2100-01-01"), "before --until, but these are 2100-01-01 and 20"),
        (("SELECT 1", "--until", "2026-03-02"), "before --until"),
        (("evidence", "--room", "s:!"), "--room"),
        (("evidence", "--app", "0"), "range"),
        (("evidence", "--format", "xml"), "xml"),
        (("evidence", "--format", "parquet"), "--output FILE"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(cli: Cli, words: tuple[str, ...], said: str) -> None:
    """Exit code 2, with the usage."""
    assert said in cli.misused("analytics", "query", *words)


def test_an_empty_lake_says_how_to_fill_it(cli: Cli, tmp_path: Path) -> None:
    """Where there is no file, or no folder, no query can answer."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        told = cli.failed("analytics", "query", "evidence", "--folder", str(folder))
        assert "roomgate analytics sync" in told


def test_a_file_that_cannot_be_written_says_so(cli: Cli, folder: Path, tmp_path: Path) -> None:
    """For each way in which one is written."""
    for form in ("csv", "parquet"):
        words = ("--format", form, "--output", str(tmp_path / "no" / "file"))
        told = cli.failed("analytics", "query", "evidence", "--folder", str(folder), *DAY, *words)
        assert str(tmp_path / "no" / "file") in told


def test_what_are_no_rows_is_left_out_and_named(cli: Cli, folder: Path) -> None:
    """Foreign and broken files spoil nothing, wherever they are broken."""
    (sound,) = (folder / HOUR).iterdir()
    whole = sound.read_bytes()
    (folder / HOUR / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / HOUR / "text.parquet").write_text("no rows at all, but a text of some length\n")
    (folder / HOUR / "empty.parquet").touch()
    (folder / HOUR / ".half.parquet.part").write_text("not whole yet")
    (folder / HOUR / "_SUCCESS").touch()
    (folder / "rows" / "readme.txt").write_text("hello")
    (folder / "rows" / "dt=2026-03-02" / "hour=24").mkdir()
    (folder / "rows" / "dt=2026-03-02" / "hour=24" / "x.parquet").write_bytes(whole)
    written = "(SELECT 1 AS a) TO", "(SELECT * REPLACE ('x' AS t) FROM '{}') TO"
    for name, text in zip(("foreign", "typed"), written, strict=True):
        into = folder / HOUR / f"{name}.parquet"
        duckdb.execute(f"COPY {text.format(sound)} '{into}' (FORMAT parquet)")
    broken = bytearray(whole)
    broken[40:80] = bytes(byte ^ 0x5A for byte in broken[40:80])
    (folder / HOUR / "flipped.parquet").write_bytes(broken)
    facts = cli.done("analytics", "query", "peak_concurrency", "--folder", str(folder), *DAY)
    assert facts["rows"] == [PEAK]
    named = {note.partition(";")[0] for note in facts["notes"]}
    assert named == {
        f"{HOUR}/cut.parquet is no Parquet, or a broken one",
        f"{HOUR}/text.parquet is no Parquet, or a broken one",
        f"{HOUR}/empty.parquet is no Parquet, or a broken one",
        f"{HOUR}/foreign.parquet has no column {', '.join(COLUMNS)}",
        f"{HOUR}/typed.parquet has another type of column t",
        f"{HOUR}/flipped.parquet is a broken Parquet",
        "rows/readme.txt is not in a folder dt=YYYY-MM-DD/hour=HH",
        "rows/dt=2026-03-02/hour=24/x.parquet is not in a folder dt=YYYY-MM-DD/hour=HH",
    }


def test_rows_of_a_newer_version_are_kept_and_told_of(cli: Cli, folder: Path) -> None:
    """They count, and a column that we don't know can be asked for."""
    newer = step("10:01:40", "9", 1, "flo", "listed")._replace(v=2)
    write_rows([newer], folder, "newer-{i}")
    (path,) = (folder / HOUR).glob("newer-*")
    wider = duckdb.read_parquet(str(path), hive_partitioning=False).project("*, 'new' AS device")
    wider.write_parquet(str(path.with_name("wider.parquet")))
    path.unlink()
    words = ("--folder", str(folder), *DAY)
    facts = cli.done("analytics", "query", "peak_concurrency", *words)
    assert facts["rows"][0]["users"] == PEAK["users"] + 1  # type: ignore[operator]  # A number, as it stands above.
    (note,) = facts["notes"]
    assert note.startswith("1 row(s) are of a newer version of the schema than 1")
    sql = "SELECT device, count(*) AS rows FROM events GROUP BY device ORDER BY rows"
    assert cli.done("analytics", "query", sql, *words)["rows"] == [
        {"device": "new", "rows": 1},
        {"device": None, "rows": 9},
    ]


def test_a_folder_may_have_any_name(cli: Cli, tmp_path: Path) -> None:
    """What would be a pattern, a quote or a partition elsewhere is a name here."""
    folder = tmp_path / "a [lake]*'s?" / "day=1"
    write_rows(MORNING, folder)
    facts = cli.done("analytics", "query", "peak_concurrency", "--folder", str(folder), *DAY)
    assert facts["rows"] == [PEAK]
    assert "notes" not in facts
    sql = cli.done("analytics", "query", "SELECT dt, hour FROM events", "--folder", str(folder))
    assert {(row["dt"], row["hour"]) for row in sql["rows"]} == {
        ("2026-03-02", "09"),
        ("2026-03-02", "10"),
    }


def test_a_folder_that_reads_like_a_partition_is_refused(cli: Cli, tmp_path: Path) -> None:
    """Its name would be taken for the rows' own day."""
    folder = tmp_path / "dt=2026-03-02"
    write_rows(MORNING, folder)
    told = cli.failed("analytics", "query", "evidence", "--folder", str(folder))
    assert "choose another one" in told


def test_a_query_is_given_up_on_ctrl_c(folder: Path) -> None:
    """At once, however much there would be to do, and without a traceback."""
    ours, theirs = pty.openpty()
    crowd = "SELECT count(*) FROM events" + "".join(f", events AS e{n}" for n in range(14))  # noqa: S608 (numbers)
    process = subprocess.Popen(
        [sys.executable, "-m", "roomgate", "analytics", "query", crowd, "--folder", str(folder)],
        stderr=theirs,
        stdout=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    try:
        seen = b""
        while b"Asking" not in seen:
            seen += os.read(ours, 65_536)
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
        seen += os.read(ours, 65_536)
        assert code == 1, seen
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert b"Aborted!" in seen
    assert b"Traceback" not in seen
