"""The lake's named queries against a scan of the same files, on ten million generated rows.

Costs are CPU seconds of this process, all its threads together: on two cores that others use too,
time on the clock says more of them. A scan reads every column of every row and keeps one number of
each. Memory is bounded; what does not fit goes to files.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from bench.figures import BenchError, Figure
from bench.lake_rows import life_of, write_lake
from infra.layout import BUILD
from roomgate.analytics.files import literal
from roomgate.analytics.lake import COLUMNS, Lake, lake
from roomgate.analytics.sql import DAY, for_duckdb, names, query

ROWS: Final = 10_000_000
_DAYS: Final = 7
_BEGIN: Final = 1_793_577_600  # 2 November 2026, a Monday.
_MEMORY: Final = "3GB"
_THREADS: Final = 2
_MOST_TIMES_A_SCAN: Final = 25
_HOUR: Final = "dt=2026-11-04/hour=18"
"""A busy one, whose rows are written once more in other formats."""

_JSON: Final = "gzipped JSON lines"
_FORMS: Final = {
    "Parquet, Snappy": "parquet, COMPRESSION snappy",
    "Parquet, gzip": "parquet, COMPRESSION gzip",
    _JSON: "json, COMPRESSION gzip",
}
"""What DuckDB calls them. Firehose's Parquet is Snappy unless told otherwise; ours is gzip."""

_KEPT: Final = ", ".join(f'bit_xor(hash("{name}"))' for name in COLUMNS)
_SCAN: Final = f"SELECT {_KEPT} FROM events"  # noqa: S608 (ours)


def query_figures(rows: int = ROWS) -> list[Figure]:
    """One figure for each named query, and one for the files' size."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lake-", dir=BUILD) as folder:
        return _figures(Path(folder), rows)


def _figures(folder: Path, rows: int) -> list[Figure]:
    with lake(folder) as maker:
        _bound(maker)
        made = write_lake(maker.connection, life_of(rows, _BEGIN * 1000, _DAYS), folder)
    with lake(folder) as found:
        _bound(found)
        scans, costs = [], {}
        for name in names():
            scans.append(_cpu_seconds(found, _SCAN))
            costs[name] = _cpu_seconds(found, _text(name))
        scan = statistics.median(scans)
        peer = f"a scan of all columns of {made:,} rows"
        figures = [
            Figure(name, cost, peer, scan, "s", cost / scan, _MOST_TIMES_A_SCAN)
            for name, cost in costs.items()
        ]
        return [*figures, *_sizes(found, folder)]


def _bound(found: Lake) -> None:
    """Hold DuckDB to the memory and the cores that the figures are about."""
    found.connection.execute(f"SET memory_limit = '{_MEMORY}'")
    found.connection.execute(f"SET threads = {_THREADS}")


def _text(name: str) -> str:
    """A query about all of the rows."""
    whole = {"since": _BEGIN, "until": _BEGIN + (_DAYS + 1) * DAY}
    # Counted and not fetched: what Python makes of a million rows is not the query's.
    ours = for_duckdb(query(name).bound(whole, _BEGIN))
    return f"SELECT bit_xor(hash(COLUMNS(*))) FROM ({ours}) AS answer"  # noqa: S608 (ours)


def _cpu_seconds(found: Lake, text: str) -> float:
    start = time.process_time()
    found.run(text)
    return time.process_time() - start


def _sizes(found: Lake, folder: Path) -> list[Figure]:
    """Bytes a row, of one hour's rows as they arrive, in Parquet and in gzipped JSON lines."""
    hour = f"FROM read_parquet({literal(f'{folder}/rows/{_HOUR}/*')}, hive_partitioning = false)"
    found.run(f"SELECT count(*) {hour}")
    rows = int(found.result().rows[0][0])
    if not rows:
        raise BenchError(f"There are no rows in {_HOUR}.")
    sizes = {}
    for form, copied in _FORMS.items():
        into = folder / "once-more"
        found.run(
            f"COPY (SELECT * {hour} ORDER BY t + lag_ms) TO {literal(str(into))} (FORMAT {copied})"
        )
        sizes[form] = into.stat().st_size / rows
    json = sizes.pop(_JSON)
    return [
        Figure(f"a row of {form}", size, _JSON, json, "B", size / json)
        for form, size in sizes.items()
    ]
