from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
import pytest
import sqlglot

from roomgate.analytics.files import is_row_file
from roomgate.analytics.sql import (
    FOLDER,
    BadSql,
    Parameter,
    UnknownQuery,
    bound,
    for_duckdb,
    names,
    query,
)
from tests.support.lake_rows import MORNING, NOW, filled

if TYPE_CHECKING:
    from roomgate.analytics.sql import Value

DAY: dict[str, Value] = {"since": 1772409600, "until": 1772496000}
NAMES = names()


def test_a_parameter_gives_way_to_a_literal_of_its_type() -> None:
    """Timestamps are unix seconds in UTC, texts stand in quotes."""
    values: dict[str, Value] = DAY | {"app": 7, "room": "s:it's"}
    text = "SELECT :since, :until, :app, :room"
    assert bound(text, values) == (
        "SELECT TIMESTAMP '2026-03-02 00:00:00', TIMESTAMP '2026-03-03 00:00:00', 7, 's:it''s'"
    )


def test_nothing_but_parameters_gives_way() -> None:
    """Comments, texts, names and casts stay as they are, and so does the layout."""
    text = "SELECT ':since' -- :since\n  , \":since\", a::int /* :nothing */\nFROM  e"
    assert bound(text, DAY) == text


@pytest.mark.parametrize("value", ["' OR 1 = 1 --", "''", "\\'", "a'; DROP TABLE events; --", "“"])
def test_no_value_is_read_as_sql(value: str) -> None:
    """Whatever a text holds, it comes out as that text."""
    told = duckdb.execute(for_duckdb(bound("SELECT :room", {"room": value}))).fetchall()
    assert told == [(value,)]


def test_an_unknown_parameter_is_named_with_those_there_are() -> None:
    """It never reaches a database as a placeholder."""
    with pytest.raises(BadSql, match=r"no parameter :when \(there are: since, until\)"):
        bound("SELECT :when", DAY)


@pytest.mark.parametrize(
    "text",
    ["", ";", "-- nothing", "SELECT 1; SELECT 2", "DELETE FROM events", "SELEC 1", "SELECT ("],
)
def test_what_is_not_one_query_is_refused(text: str) -> None:
    """Before any database sees it; what is said has no colours of a terminal in it."""
    with pytest.raises(BadSql) as caught:
        for_duckdb(text)
    assert "\x1b" not in str(caught.value)


def test_an_unknown_query_is_told_with_its_nearest() -> None:
    """A slip of the finger, or half a name."""
    with pytest.raises(UnknownQuery) as caught:
        query("concurency")
    assert caught.value.near[0] == "concurrency"
    with pytest.raises(UnknownQuery):
        query("../analytics/evidence")


@pytest.mark.parametrize(
    ("default", "kind", "value", "expression"),
    [
        ("today", "timestamp", 1_799_971_200, "CAST(current_date AS timestamp)"),
        (
            "today - 7",
            "timestamp",
            1_799_971_200 - 7 * 86_400,
            "CAST(current_date - INTERVAL '7' DAY AS timestamp)",
        ),
        ("0", "bigint", 0, "0"),
        ("''", "varchar", "", "''"),
    ],
)
def test_a_default_is_the_same_here_and_in_athena(
    default: str, kind: str, value: Value, expression: str
) -> None:
    """Here it is worked out from the clock that is given, there whenever the query runs."""
    parameter = Parameter("name", kind, "what", default)
    assert parameter.value(NOW) == value
    assert parameter.expression() == expression


@pytest.mark.parametrize("name", NAMES)
def test_each_query_says_what_it_is(name: str) -> None:
    """What it answers, its parameters with defaults, its columns, in lines not too long."""
    text = query(name).text
    head = text.partition("WITH\n")[0]
    assert query(name).title.endswith((".", "?"))
    assert "\n-- Parameters:\n" in head
    assert "\n-- Columns:\n" in head
    assert {"since", "until", "app"} <= set(query(name).parameters)
    assert set(query(name).parameters) == set(
        re.findall(r"(?<!:):([a-z]+)", text.split("WITH\n")[1])
    )
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_query_runs_as_it_is(name: str) -> None:
    """Athena has it with defaults in the places of parameters; its comment stays readable."""
    saved = query(name).saved()
    assert saved.partition("WITH\n")[0] == query(name).text.partition("WITH\n")[0]
    with filled(MORNING) as connection:
        connection.execute(saved)
        assert connection.description


@pytest.mark.parametrize("name", NAMES)
def test_each_query_reads_some_hours_and_drops_repeats(name: str) -> None:
    """Partitions bound it by day and by hour, both as constants; rows are distinct by their id."""
    parsed = sqlglot.parse_one(query(name).bound(DAY, NOW), read="trino")
    tables = [table for table in parsed.find_all(sqlglot.exp.Table) if table.name == "events"]
    (table,) = tables
    select = table.parent_select
    assert select is not None
    assert select.args["distinct"]
    assert select.expressions[0].name == "id"
    read = [
        {column.name for column in each.find_all(sqlglot.exp.Column)}
        for each in select.find_all(sqlglot.exp.Between)
    ]
    assert sorted(read, key=len) == [{"dt"}, {"dt", "hour"}]


def test_every_file_is_a_query() -> None:
    """Nothing else lies in the folder, but for what queries share."""
    files = sorted(path.name for path in FOLDER.iterdir() if path.is_file())
    assert files == [f"{name}.sql" for name in NAMES]


def test_what_is_shared_is_shared() -> None:
    """Each part begins more than one query, which holds it whole."""
    for part in (FOLDER / "shared").iterdir():
        text = part.read_text().rstrip()
        assert sum(f"{text},\n" in query(name).text for name in NAMES) > 1, part.name


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("dt=2026-03-02/hour=09/a.parquet", True),
        ("dt=2026-03-02/hour=23/no suffix", True),
        ("dt=2026-03-02/hour=24/a", False),
        ("dt=2026-03-02/hour=9/a", False),
        ("dt=2026-3-2/hour=09/a", False),
        ("dt=2026-03-02/hour=09/", False),
        ("dt=2026-03-02/hour=09/.a", False),
        ("dt=2026-03-02/hour=09/_a", False),
        ("dt=2026-03-02/hour=09/more/a", False),
        ("dt=2026-03-02/hour=09/../a", False),
        ("/dt=2026-03-02/hour=09/a", False),
        ("a", False),
    ],
)
def test_rows_lie_in_hours_of_days(path: str, expected: bool) -> None:  # noqa: FBT001 (a column)
    """Anything else in the lake's folder is none of them."""
    assert is_row_file(path) is expected
