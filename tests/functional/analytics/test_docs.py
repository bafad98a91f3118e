"""docs/analytics.md says what is so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
import sqlglot

from chalicelib.roster.members import Reason
from infra.layout import ROOT
from roomgate.analytics.lake import COLUMNS
from roomgate.analytics.sql import names
from tests.support.lake_rows import MORNING, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PAGE = (ROOT / "docs" / "analytics.md").read_text()
OURS, ATHENA, ANEW = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


def cells(heading: str) -> list[list[str]]:
    """The rows of the table that follows a line."""
    lines = PAGE[PAGE.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def test_the_columns_are_those_that_are_read() -> None:
    """Their names, their order and DuckDB's types; and where a row lies."""
    told = {row[0]: row[2] for row in cells("| column |")}
    assert list(told.items()) == [*COLUMNS.items(), ("dt", "VARCHAR"), ("hour", "VARCHAR")]


def test_every_reason_is_explained() -> None:
    """Each that the roster knows."""
    assert [row[0] for row in cells("| reason |")] == [
        "listed",
        "entered",
        *(reason for reason in Reason if reason not in {"listed", "entered"}),
    ]


def test_every_named_query_is_listed() -> None:
    """And no other."""
    told = [name for row in cells("| query |") for name in re.findall(r"\w+", row[0])]
    assert sorted(told) == names()


def test_the_sql_for_duckdb_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a copy of the lake, without anything of Roomgate's."""
    write_rows(MORNING, tmp_path)
    monkeypatch.chdir(tmp_path)
    sql = OURS.replace("2026-11-24", "2026-03-02")
    assert sorted(duckdb.execute(sql).fetchall()) == [("join", 4), ("leave", 5)]


def test_a_user_is_gone_from_an_object_that_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody else's rows stay as they are, but that it was nobody's word where it was its."""
    alice = MORNING[0]._replace(user="alice", by="alice")
    other = alice._replace(app=alice.app + 1)
    brought = alice._replace(user="bert", id=alice.id + "9")
    write_rows([alice, other, brought, *MORNING[1:]], tmp_path)
    monkeypatch.chdir(tmp_path)
    (hour,) = tmp_path.glob("rows/*/hour=09/*")
    hour.rename("old.parquet")
    duckdb.execute(ANEW.replace("1400000001", str(alice.app)))
    kept = duckdb.execute("SELECT * FROM 'new.parquet'").fetchall()
    assert kept == [tuple(other[:14]), tuple(brought._replace(by=None)[:14])]


def test_the_sql_for_athena_is_sql() -> None:
    """As far as can be told without Athena."""
    parsed = sqlglot.parse_one(ATHENA, read="athena")
    assert next(column.name for column in parsed.find_all(sqlglot.exp.Column)) == "$path"
