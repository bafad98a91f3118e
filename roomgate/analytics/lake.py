"""The lake in a local folder, read with DuckDB: which files count, and queries over their rows.

Files that can't be read as the lake's rows are left out and named; rows of a newer version of the
schema are kept, and their columns that we don't know come last.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import duckdb

from chalicelib.stream import row
from roomgate.analytics.files import ROWS, is_row_file, literal
from roomgate.analytics.sql import BadSql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_TYPES: Final = {"int": "INTEGER", "bigint": "BIGINT", "string": "VARCHAR"}
COLUMNS: Final = {name: _TYPES[column.type] for name, column in row.COLUMNS.items()}
"""DuckDB's type of each column, in the schema's order."""

_PATH: Final = ("dt", "hour")
_HOUR: Final = "dt=%Y-%m-%d/hour=%H"
_PARQUET: Final = {
    "INTEGER": {"INT32"},
    "BIGINT": {"INT32", "INT64"},
    "VARCHAR": {"BYTE_ARRAY"},
}
# Nothing is fetched from anywhere, and no file but those that are named to it is of interest.
_CONFIG: Final[dict[str, Any]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "preserve_insertion_order": "false",
}

_NOT_THE_FILES: Final = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)


class Skipped(NamedTuple):
    """A file that is left out.

    Attributes:
        path: below the lake's folder.
        reason: why, in a sentence's end: ``is no Parquet``.
    """

    path: str
    reason: str


class Table(NamedTuple):
    """What a query gave.

    Attributes:
        columns: their names.
        rows: the values as Python has them.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        """The rows by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Lake:
    """The lake in a folder; ``lake`` makes one.

    Attributes:
        connection: of DuckDB, where the rows are the view ``events``.
        files: those that are read.
        skipped: those that are left out.
        newer: rows of a newer version of the schema.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.connection = connection
        self.skipped: list[Skipped] = []
        self._folder = folder
        found = sorted(path for path in (folder / ROWS).rglob("*") if path.is_file())
        self.files = [path for path in found if self._is_expected(path)]
        self._extra = self._check_schemas()
        self._show()
        self.newer = self._newer()

    def has_arrivals(self, since: int, until: int) -> bool:
        """Whether a file is of an hour from one unix time in seconds on, and before another."""
        first, last = (time.strftime(_HOUR, time.gmtime(at)) for at in (since, until - 1))
        hours = (path.parent.relative_to(self._folder / ROWS).as_posix() for path in self.files)
        return any(first <= hour <= last for hour in hours)

    def run(self, ours: str) -> None:
        """Run a statement in DuckDB's dialect; its result waits in the connection.

        Where it fails every file is read through; those that are broken are left out, and it is run
        once more.

        Raises:
            BadSql: it fails.
        """
        try:
            self.connection.execute(ours)
        except duckdb.InterruptException:
            raise
        except _NOT_THE_FILES as error:
            raise BadSql(f"DuckDB says: {error}") from None
        except duckdb.Error as error:
            if not self._drop_broken():
                raise BadSql(f"DuckDB says: {error}") from None
            self.run(ours)

    def result(self) -> Table:
        """What the statement gave that was run last."""
        names = tuple(column[0] for column in self.connection.description or ())
        return Table(names, self.connection.fetchall())

    def _is_expected(self, path: Path) -> bool:
        """Whether a file lies where rows do; it is named as skipped unless it is hidden."""
        below = path.relative_to(self._folder / ROWS)
        if below.name[:1] in {".", "_"}:
            return False
        if not is_row_file(below.as_posix()):
            self._skip(path, "is not in a folder dt=YYYY-MM-DD/hour=HH")
            return False
        return True

    def _skip(self, path: Path, reason: str) -> None:
        self.skipped.append(Skipped(path.relative_to(self._folder).as_posix(), reason))

    def _check_schemas(self) -> list[str]:
        """Leave out what has not our columns; return the names of columns that are not ours."""
        extra: dict[str, None] = {}
        kept = []
        for path, columns in self._schemas():
            reason = _unfit(columns)
            if reason:
                self._skip(path, reason)
                continue
            kept.append(path)
            extra |= dict.fromkeys(columns)
        self.files = kept
        return [name for name in extra if name not in COLUMNS and name not in _PATH]

    def _schemas(self) -> Iterator[tuple[Path, dict[str, str]]]:
        """Parquet's types of each file's columns, by name; files that have none are left out."""
        try:
            yield from self._schemas_of(self.files)
        except duckdb.Error:  # It says nothing of which one it is that it can't be read.
            for path in self.files:
                try:
                    yield from list(self._schemas_of([path]))
                except duckdb.Error:
                    self._skip(path, "is no Parquet, or a broken one")

    def _schemas_of(self, files: Sequence[Path]) -> Iterator[tuple[Path, dict[str, str]]]:
        if not files:
            return
        found = self.connection.execute(
            "SELECT file_name, name, type FROM parquet_schema(?) WHERE type IS NOT NULL",
            [[_pattern(path) for path in files]],
        ).fetchall()
        for name, columns in groupby(sorted(found), key=lambda column: column[0]):
            yield Path(name), {column: kind for _, column, kind in columns}

    def _show(self) -> None:
        """Make the view."""
        known = [f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in COLUMNS.items()]
        more = [_quoted(name) for name in self._extra]
        selected = ", ".join([*known, *more, *_PATH])
        self.connection.execute(
            f"CREATE OR REPLACE VIEW events AS SELECT {selected} FROM {self._source()}"  # noqa: S608 (ours)
        )

    def _source(self) -> str:
        if not self.files:
            columns = [*COLUMNS, *self._extra, *_PATH]
            nothing = ", ".join(f"CAST(NULL AS VARCHAR) AS {_quoted(name)}" for name in columns)
            return f"(SELECT {nothing} WHERE false)"
        listed = ", ".join(literal(_pattern(path)) for path in self.files)
        return (
            f"read_parquet([{listed}], union_by_name = true, hive_partitioning = true, "
            "hive_types = {'dt': VARCHAR, 'hour': VARCHAR})"
        )

    def _newer(self) -> int:
        self.run(f"SELECT count(*) FROM events WHERE v > {row.VERSION}")  # noqa: S608 (a number)
        (counted,) = self.connection.fetchall()
        return int(counted[0])

    def _drop_broken(self) -> bool:
        """Read every file through, leave out those that can't be; return whether there are any."""
        broken = [path for path in self.files if not self._is_sound(path)]
        for path in broken:
            self._skip(path, "is a broken Parquet")
        self.files = [path for path in self.files if path not in broken]
        if broken:
            self._show()
        return bool(broken)

    def _is_sound(self, path: Path) -> bool:
        read = "SELECT bit_xor(hash(COLUMNS(*))) FROM read_parquet(?, hive_partitioning = false)"
        try:
            self.connection.execute(read, [_pattern(path)]).fetchall()
        except duckdb.Error:
            return False
        return True


@contextmanager
def lake(folder: Path) -> Iterator[Lake]:
    """Open the lake in a folder, which may be missing or empty."""
    # A query that outgrows the memory goes on in files, which are not to lie where we are called.
    with tempfile.TemporaryDirectory(prefix="roomgate-") as spill:
        config = _CONFIG | {"temp_directory": spill}
        with duckdb.connect(config=config) as connection:
            # It is reckoned for whoever asks, and not printed.
            connection.execute("SET enable_progress_bar = true")
            connection.execute("SET enable_progress_bar_print = false")
            # As Athena: times are in UTC wherever we are, and whole numbers divide into whole ones.
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET integer_division = true")
            yield Lake(connection, folder.resolve())


def _unfit(columns: dict[str, str]) -> str | None:
    """Why a file's columns are not the lake's, or None."""
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        return f"has no column {_listed(missing)}"
    wrong = [name for name, kind in COLUMNS.items() if columns[name] not in _PARQUET[kind]]
    return f"has another type of column {_listed(wrong)}" if wrong else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _pattern(path: Path) -> str:
    """A path as DuckDB takes it: a pattern, in which nothing but the path itself fits."""
    text = str(path).replace("[", "[[]")
    return text.replace("*", "[*]").replace("?", "[?]")


def _quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'
