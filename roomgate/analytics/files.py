"""The lake's files in a local folder, laid out as in S3: ``rows/dt=YYYY-MM-DD/hour=HH/*``.

What arrived in one hour (UTC) lies in one folder, as Parquet; ``dt`` and ``hour`` stand in the path
only. docs/analytics.md has the columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

ROWS: Final = "rows"
"""The folder, and the prefix in S3, that holds the rows."""

_PARTITION: Final = re.compile(r"dt=(\d{4}-\d{2}-\d{2})/hour=([01]\d|2[0-3])")


def is_row_file(path: str) -> bool:
    """Whether a path below ``rows/`` (with ``/``) is one where rows are expected.

    As in Athena, what begins with ``.`` or ``_`` is no row file.
    """
    partition, _, name = path.rpartition("/")
    return bool(_PARTITION.fullmatch(partition)) and name[:1] not in {"", ".", "_"}


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def write_partitions(
    connection: duckdb.DuckDBPyConnection, select: str, folder: Path, name: str
) -> int:
    """Write rows into the layout, beside the files that are there; return how many.

    Args:
        connection: of DuckDB, in which ``select`` runs.
        select: gives the lake's columns, and ``dt`` and ``hour`` as text.
        folder: the lake's; made if need be.
        name: of the files, without suffix; ``{i}`` becomes a number. Files of the same name in the
            same hour are written over, so a second run with the same rows adds none.
    """
    (folder / ROWS).mkdir(parents=True, exist_ok=True)
    # Sorted, so that all of an hour is written before the next one: one open file at a time.
    into, pattern = literal(str(folder / ROWS)), literal(name)
    done = connection.execute(
        f"COPY (SELECT * FROM ({select}) ORDER BY dt, hour) TO {into} "  # noqa: S608 (ours)
        f"(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (dt, hour), OVERWRITE_OR_IGNORE, "
        f"FILENAME_PATTERN {pattern})"
    )
    (written,) = done.fetchall()
    return int(written[0])
