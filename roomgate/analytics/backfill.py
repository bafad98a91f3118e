"""Rows of the lake made once more from the event table's items, in the lake's own layout.

Whatever else the lake holds, this changes no query's answer: an item makes the very row that the
exporter made of it, with the same id, and queries drop repeats by that. The rows of an hour are one
file, named for what is in it. So the same rows are written over themselves, and other rows of that
hour, of another run, never are.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb

from chalicelib.stream.errors import Poison
from chalicelib.stream.row import check_row, row_text
from chalicelib.stream.rows import rows_of
from chalicelib.table.forgetting import is_pseudonym
from roomgate.analytics.files import ROWS, literal, write_partitions
from roomgate.analytics.lake import COLUMNS
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chalicelib.stream.row import Row
    from chalicelib.table.item_keys import Item

_DIGEST_DIGITS: Final = 16


class Wanted(NamedTuple):
    """Which rows are made.

    Attributes:
        begin: unix ms: recorded then or later.
        end: unix ms: recorded before it.
        app: of one application; None: of all.
        reports: reports make rows too.
    """

    begin: int
    end: int
    app: int | None = None
    reports: bool = False

    def takes(self, row: Row) -> bool:
        """Whether a row is one of them."""
        return self.begin <= row.recorded < self.end and self.app in {None, row.app}


class Seen:
    """What was met while rows were made.

    Attributes:
        rows: how many were made.
        renamed: how many of them are of users that were forgotten, under their pseudonyms.
        bad: how many items, or rows, could not be used, by the reason.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.renamed = 0
        self.bad = Counter[str]()


def rows_from(items: Iterable[Item], wanted: Wanted, seen: Seen) -> Iterator[Row]:
    """Make rows of a table's items, as the exporter does; ``seen`` counts as they are taken."""
    for item in items:
        try:
            rows = rows_of(item, reports=wanted.reports)
        except Poison as error:
            seen.bad[error.reason] += 1
            continue
        for row in filter(wanted.takes, rows):
            try:
                check_row(row)
            except Poison as error:
                seen.bad[error.reason] += 1
                continue
            seen.rows += 1
            seen.renamed += is_pseudonym(row.user)
            yield row


def files_of(rows: Iterable[Row], scratch: Path, prefix: str) -> dict[str, Path]:
    """Write rows to files, one for each hour in which some were recorded.

    Args:
        rows: any, in any order; they are not kept in memory.
        scratch: an empty folder for them.
        prefix: of the files' names.

    Returns:
        The files, by their paths below ``rows/`` of a lake.

    Raises:
        OperatorError: they can't be written.
    """
    try:
        return _files(rows, scratch, prefix)
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise OperatorError(f"Files can't be written in {scratch}: {error}") from None


def write_into(folder: Path, rows: Iterable[Row], prefix: str) -> list[str]:
    """Write rows into a lake in a folder; return the files' paths below ``rows/``.

    Raises:
        OperatorError: they can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A file is seen by queries when it is whole, and not before.
        with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as scratch:
            files = files_of(rows, Path(scratch), prefix)
            for path, file in files.items():
                target = folder / ROWS / path
                target.parent.mkdir(parents=True, exist_ok=True)
                file.replace(target)
    except OSError as error:
        raise OperatorError(f"{folder} can't be written: {error.strerror}.") from None
    return list(files)


def _files(rows: Iterable[Row], scratch: Path, prefix: str) -> dict[str, Path]:
    # Elsewhere: DuckDB takes the path of what it reads for a pattern.
    with tempfile.TemporaryDirectory(prefix="roomgate-") as name, duckdb.connect() as connection:
        text = Path(name) / "rows.json"
        with text.open("w") as file:
            file.writelines(f"{row_text(row)}\n" for row in rows)
        _load(connection, text)
        for day, hour, digest in connection.execute(_HOURS).fetchall():
            chosen = f"SELECT * FROM made WHERE dt = '{day}' AND hour = '{hour}'"  # noqa: S608 (ours)
            write_partitions(connection, chosen, scratch, f"{prefix}-{digest[:_DIGEST_DIGITS]}")
    written = sorted((scratch / ROWS).rglob("*.parquet"))
    return {path.relative_to(scratch / ROWS).as_posix(): path for path in written}


def _load(connection: duckdb.DuckDBPyConnection, text: Path) -> None:
    """Make a table of rows in JSON, with the day and the hour in which they were recorded."""
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in COLUMNS.items())
    lines = (
        f"read_json({literal(str(text))}, format = 'newline_delimited', columns = {{{columns}}})"
    )
    connection.execute(f"SET temp_directory = {literal(str(text.parent))}")
    connection.execute("SET threads = 1")  # One file for each hour, not one of each thread.
    recorded = "epoch_ms(t + lag_ms)"
    hours = f"strftime({recorded}, '%Y-%m-%d') AS dt, strftime({recorded}, '%H') AS hour"
    connection.execute(f"CREATE TABLE made AS SELECT *, {hours} FROM {lines}")  # noqa: S608 (ours)


_LISTED: Final = ", ".join(f'"{name}"' for name in COLUMNS)
# Nulls are skipped, which cannot make two rows look the same: they are those of reports.
_HOURS: Final = f"""
SELECT dt, hour, md5(string_agg(concat_ws(' ', {_LISTED}), chr(10) ORDER BY id))
FROM made GROUP BY dt, hour ORDER BY dt, hour
"""  # noqa: S608 (ours)
