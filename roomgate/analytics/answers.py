"""What a query gave, as people and programs want it: a table, CSV, JSON, Parquet."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

import duckdb

from roomgate.analytics.files import literal
from roomgate.analytics.sql import BadSql, for_duckdb
from roomgate.commands.output import table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from roomgate.analytics.lake import Lake, Table
    from roomgate.commands.output import Output

_WHOLE: Final = 100
_LOOK_SECONDS: Final = 0.1


def asked(output: Output, lake: Lake, text: str) -> Table:
    """Run a query in Trino's dialect, and show on a terminal how far it is; raises BadSql."""
    _watched(output, lake, for_duckdb(text))
    return lake.result()


def write_parquet(output: Output, lake: Lake, text: str, into: Path) -> int:
    """Write what a query gives into a file of Parquet; return how many rows; raises BadSql."""
    ours, path = for_duckdb(text), literal(str(into))
    _watched(output, lake, f"COPY ({ours}) TO {path} (FORMAT parquet, COMPRESSION zstd)")
    (written,) = lake.connection.fetchall()
    return int(written[0])


def as_text(found: Table) -> str:
    """Columns for a person; numbers to the right, times in UTC."""
    texts = cells(found)
    for place, name in enumerate(found.columns):
        if is_numeric(found, place):
            width = max(len(name), *(len(row[place]) for row in texts))
            for row in texts:
                row[place] = row[place].rjust(width)
    return table(found.columns, texts)


def cells(found: Table) -> list[list[str]]:
    """The values as texts for a person; times as exact as their column needs."""
    columns = zip(*found.rows, strict=True)
    return [list(row) for row in zip(*map(_column, columns), strict=True)]


def is_numeric(found: Table, place: int) -> bool:
    """Whether a column holds numbers."""
    return any(isinstance(row[place], int | float) for row in found.rows)


def as_csv(found: Table) -> str:
    """Comma-separated, with a head (RFC 4180, but lines end as here); null is nothing."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(found.columns)
    writer.writerows([[plain(value) for value in row] for row in found.rows])
    return written.getvalue().removesuffix("\n")


def as_json(found: Table) -> dict[str, Any]:
    """The columns, and the rows by column."""
    rows = [dict(zip(found.columns, map(plain, row), strict=True)) for row in found.rows]
    return {"columns": list(found.columns), "rows": rows}


def plain(value: Any) -> Any:
    """A value of DuckDB's as JSON has it; a time as RFC 3339, in UTC."""
    if isinstance(value, dt.datetime):
        return value.isoformat().removesuffix("+00:00") + "Z"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    return str(value)


def _column(values: Sequence[Any]) -> list[str]:
    times = [value for value in values if isinstance(value, dt.datetime)]
    if all(value.time() == dt.time() for value in times):
        form = "%Y-%m-%d"
    else:
        form = "%Y-%m-%d %H:%M:%S" if any(value.second for value in times) else "%Y-%m-%d %H:%M"
    return [_for_people(value, form) for value in values]


def _for_people(value: Any, form: str) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.strftime(form)
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1 else f"{value:.1f}"
    if isinstance(value, list | tuple | dict):
        return json.dumps(plain(value), ensure_ascii=False)
    return str(value)


def _watched(output: Output, lake: Lake, ours: str) -> None:
    """Run a statement of DuckDB; show how far it is, as DuckDB itself reckons."""
    run = _Run(lake, ours)
    try:
        run.start()
        with output.progress("Asking", _WHOLE) as reached:
            while not run.over.wait(_LOOK_SECONDS):
                reached(int(lake.connection.query_progress()))
            reached(_WHOLE)
    finally:
        run.give_up()
    if run.error:
        raise run.error


class _Run(Thread):
    """A statement of DuckDB on its way; DuckDB itself takes no notice of Ctrl-C.

    Attributes:
        over: whether it has ended. Not is_alive(): in Python 3.11 a Ctrl-C during join() makes that
            false though the thread goes on.
        error: what came of it, if it failed.
    """

    def __init__(self, lake: Lake, ours: str) -> None:
        super().__init__()
        self.over = Event()
        self.error: BadSql | duckdb.Error | None = None
        self._lake = lake
        self._ours = ours
        self._given_up = Event()

    def run(self) -> None:
        """Run it; in the thread."""
        try:
            if not self._given_up.is_set():
                self._lake.run(self._ours)
        except (BadSql, duckdb.Error) as error:
            self.error = error
        finally:
            self.over.set()

    def give_up(self) -> None:
        """End it, if it has not ended; begun or not, it does nothing more after this."""
        self._given_up.set()
        # What has not quite begun does not hear the first one.
        while self.ident is not None and not self.over.wait(_LOOK_SECONDS):
            self._lake.connection.interrupt()
