"""Rows of the lake made by hand, in DuckDB's memory or as files."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from roomgate.analytics.files import write_partitions
from roomgate.analytics.lake import COLUMNS
from roomgate.analytics.sql import for_duckdb, query

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from roomgate.analytics.sql import Value

DAY = "2026-03-02"
APP = 1400000001
MINUTE_MS = 60_000
NOW = 1_800_000_000


class LakeRow(NamedTuple):
    """One row, with where it arrived."""

    v: int
    id: str
    ev: str
    app: int
    room: str
    user: str
    t: int
    ver: int | None
    delta: int
    source: str
    reason: str | None
    lag_ms: int
    by: str | None
    confirmed: int
    dt: str
    hour: str

    def arrived(self, minutes: int) -> LakeRow:
        """The same row, that many minutes after it was recorded."""
        at = f"{utc(self.t + self.lag_ms + minutes * MINUTE_MS):%Y-%m-%d %H}"
        return self._replace(dt=at[:10], hour=at[11:])


def utc(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)


def ms(text: str) -> int:
    """Unix ms of a time of DAY (``10:01:30``), or of a date and time."""
    whole = text if "T" in text else f"{DAY}T{text}"
    return round(dt.datetime.fromisoformat(f"{whole}+00:00").timestamp() * 1000)


def step(
    at: str,
    room: str,
    ver: int,
    user: str,
    reason: str,
    *,
    lag_ms: int = 500,
    source: str = "client",
    app: int = APP,
    place: int = 0,
) -> LakeRow:
    """A join (``listed``, ``entered``) or a leave (any other reason), delivered 5 minutes after."""
    delta = 1 if reason in {"listed", "entered"} else -1
    row = LakeRow(
        v=1,
        id=f"{app}/{room}/{ver}/{place}",
        ev="join" if delta > 0 else "leave",
        app=app,
        room=room,
        user=user,
        t=ms(at),
        ver=ver,
        delta=delta,
        source=source,
        reason=reason,
        lag_ms=lag_ms,
        by=None if source == "tencent" or reason == "lease" else user,
        confirmed=int(reason != "lease"),
        dt="",
        hour="",
    )
    return row.arrived(5)


# A morning in two rooms. In room 8 dee was inside since long ago.
MORNING = (
    step("09:00:00", "7", 1, "ann", "listed"),
    step("10:01:30", "7", 2, "bob", "listed"),
    step("10:02:00", "7", 3, "ann", "witnessed", lag_ms=3000),
    step("10:02:10", "8", 39, "eve", "listed"),
    step("10:03:10", "7", 4, "bob", "grace", lag_ms=11_000),
    step("10:03:20", "7", 5, "bob", "listed"),
    step("10:04:30", "8", 40, "dee", "lease", lag_ms=150_000),
    step("10:12:10", "8", 41, "eve", "witnessed", lag_ms=1000),
    step("10:33:20", "7", 6, "bob", "left", lag_ms=200, source="tencent"),
)


def filled(rows: Iterable[LakeRow]) -> duckdb.DuckDBPyConnection:
    """A database whose table ``events`` holds the rows."""
    connection = duckdb.connect()
    columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE events ({columns}, dt VARCHAR, hour VARCHAR)")
    marks = ", ".join("?" * len(LakeRow._fields))
    if listed := list(rows):
        connection.executemany(f"INSERT INTO events VALUES ({marks})", listed)  # noqa: S608 (question marks)
    return connection


def write_rows(rows: Iterable[LakeRow], folder: Path, name: str = "rows-{i}") -> None:
    """Write rows as the lake's files."""
    with filled(rows) as connection:
        write_partitions(connection, "SELECT * FROM events", folder, name)


def asked(
    connection: duckdb.DuckDBPyConnection, name: str, since: str, until: str, **values: Value
) -> list[tuple[Any, ...]]:
    """What a named query answers, times as texts."""
    known: dict[str, Value] = {"since": ms(since) // 1000, "until": ms(until) // 1000}
    known |= values
    ran = connection.execute(for_duckdb(query(name).bound(known, NOW)))
    return [tuple(_plain(value) for value in row) for row in ran.fetchall()]


def _plain(value: Any) -> Any:
    return f"{value:%d %H:%M:%S}" if isinstance(value, dt.datetime) else value
