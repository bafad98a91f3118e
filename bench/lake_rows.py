"""Lifelike rows for the lake, made by DuckDB alone: calls, flaps, leases, callbacks, repeats.

All follows from a seed by hashing, so that the same numbers come whatever DuckDB's threads do. It
knows nothing of the roster's rule; what it keeps is what docs/analytics.md promises of rows: a
user's joins and leaves in a room alternate, versions of a room have no gaps, a repeat is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from roomgate.analytics.files import write_partitions

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

DAY_MS = 86_400_000

_ROWS_A_ROOM_AND_DAY = 18.8
"""About; measured."""

# A number in [0, 1) that follows from the seed, what it is for, and up to three others.
_CHANCE = """
CREATE OR REPLACE MACRO chance(why, a, b, c) AS
    (hash($seed, why, a, b, c) % 1000003) / 1000003.0
"""

# A room has up to two calls a day, mornings and evenings (UTC), which never touch each other.
_CALLS = """
CREATE OR REPLACE TEMP TABLE calls AS
SELECT
    room, day, part,
    CAST($begin + day * 86400000 + start * 60000 + chance('s', room, day, part) * 240000 AS BIGINT)
        AS begins,
    CAST(least(110, 4 + 22 * exp(1.1 * (chance('l', room, day, part)
        + chance('m', room, day, part) + chance('n', room, day, part) - 1.5) * 2))
        * 60000 AS BIGINT) AS lasts,
    CAST(2 + floor(2.2 / (0.035 + chance('n', room, 0, 0))) AS INTEGER) AS people
FROM (
    SELECT room, day, part, CASE part
        WHEN 0 THEN 420 + 30 * floor(10 * (chance('a', room, day, 0) + chance('b', room, day, 0)))
        ELSE 960 + 30 * floor(5 * (chance('a', room, day, 1) + chance('b', room, day, 1)))
    END AS start
    FROM range($rooms) AS r (room), range($days) AS d (day), range(2) AS p (part)
    WHERE chance('c', room, day, part)
        < (CASE part WHEN 0 THEN 0.5 ELSE 0.7 END)
            * (CASE WHEN ($begin // 86400000 + day + 4) % 7 IN (0, 6) THEN 0.5 ELSE 1 END)
)
"""

# Everyone of a call: regulars of the room, and guests who come once. One visit in 14 is torn.
_VISITS = """
CREATE OR REPLACE TEMP TABLE visits AS
WITH whole AS (
    SELECT
        room, day, part, place,
        CASE WHEN chance('g', room * 16 + day, part, place) < 0.25
            THEN 'guest-' || day || '-' || part || '-' || place || '-' || room
            ELSE 'user-' || room || '-' || place END AS who,
        CAST(begins + (CASE WHEN place = 0 THEN 0 ELSE 1 END)
            * least(lasts * 0.4, 9000 - 60000 * ln(1 - chance('j', room * 16 + day, part, place)))
            AS BIGINT) AS came,
        CAST(begins + lasts * (CASE WHEN chance('e', room * 16 + day, part, place) < 0.6 THEN 1
            ELSE 0.55 + 0.45 * chance('f', room * 16 + day, part, place) END)
            + 9000 * chance('h', room * 16 + day, part, place) AS BIGINT) AS went,
        chance('t', room * 16 + day, part, place) AS torn,
        chance('u', room * 16 + day, part, place) AS hold,
        chance('w', room * 16 + day, part, place) AS how,
        chance('k', room, 0, 0) < 0.3 AS callbacks
    FROM calls, range(people) AS p (place)
)
SELECT *, CAST(came + (went - came) * hold AS BIGINT) AS gone,
    least(CAST(came + (went - came) * hold + 2500 + 60000 * how * how AS BIGINT), went - 1) AS back
FROM whole
"""

# Lag: a list is seconds old, grace is waited for, a lease is noticed when it is over.
_EVENTS = """
CREATE OR REPLACE TEMP TABLE happened AS
WITH ends AS (
    SELECT room, who, came AS t, 1 AS delta, how, callbacks, false AS torn FROM visits
    UNION ALL
    SELECT room, who, went, -1, how, callbacks, false FROM visits
    UNION ALL
    SELECT room, who, gone, -1, how, false, true FROM visits WHERE torn < 0.07 AND back > gone
    UNION ALL
    SELECT room, who, back, 1, how, false, true FROM visits WHERE torn < 0.07 AND back > gone
),
reasoned AS (
    SELECT *, CASE
        WHEN delta = 1 THEN CASE WHEN callbacks THEN 'entered' ELSE 'listed' END
        WHEN torn THEN CASE WHEN how < 0.7 THEN 'grace' ELSE 'witnessed' END
        WHEN callbacks THEN 'left'
        WHEN how < 0.5 THEN 'witnessed' WHEN how < 0.72 THEN 'left' WHEN how < 0.84 THEN 'grace'
        WHEN how < 0.9 THEN 'removed' ELSE 'lease' END AS reason,
        chance('x', hash(room, who), t, delta) AS late
    FROM ends
)
SELECT
    1400000001 + room % 3 // 2 AS app,
    CASE WHEN room % 5 = 4
        THEN 's:' || to_base64(encode('r' || lpad(CAST(room AS VARCHAR), 8, '0')))
        ELSE CAST(1000 + room AS VARCHAR) END AS room,
    who AS user, t, delta, reason,
    CASE WHEN callbacks THEN 'tencent' WHEN room % 17 = 0 THEN 'relay' ELSE 'client' END AS source,
    CAST(CASE reason
        WHEN 'lease' THEN 150000 + late * 20000
        WHEN 'grace' THEN 10000 + late * 2500
        WHEN 'removed' THEN 3000 + late * 9000
        WHEN 'witnessed' THEN 600 + 4000 * late
        ELSE 90 - 450 * ln(1 - late) END AS BIGINT) AS lag_ms,
    late
FROM reasoned
"""

# One row in 200 is delivered twice, the second time up to 40 minutes later.
_ROWS = """
WITH numbered AS (
    SELECT *,
        dense_rank() OVER (PARTITION BY app, room ORDER BY t) AS ver,
        row_number() OVER (PARTITION BY app, room, t ORDER BY user) - 1 AS place
    FROM happened
),
twice AS (
    SELECT *, t + lag_ms + 60000 + 840000 * late AS arrived FROM numbered
    UNION ALL
    SELECT *, t + lag_ms + 60000 + 840000 * late + 2400000 * late FROM numbered
    WHERE chance('d', hash(room, user), t, delta) < 0.005
)
SELECT
    CAST(1 AS INTEGER) AS v,
    app || '/' || room || '/' || ver || '/' || place AS id,
    CASE delta WHEN 1 THEN 'join' ELSE 'leave' END AS ev,
    CAST(app AS BIGINT) AS app, room, user, t, ver, CAST(delta AS INTEGER) AS delta,
    source, reason, lag_ms,
    CASE WHEN source = 'tencent' OR reason = 'lease' THEN NULL ELSE "user" END AS "by",
    CAST(reason <> 'lease' AS INTEGER) AS confirmed,
    strftime(epoch_ms(CAST(arrived AS BIGINT)), '%Y-%m-%d') AS dt,
    strftime(epoch_ms(CAST(arrived AS BIGINT)), '%H') AS hour
FROM twice
"""


class Life(NamedTuple):
    """What is made.

    Attributes:
        begin: unix ms of the first day's beginning (UTC).
        days: how many; Saturdays and Sundays are quiet.
        rooms: how many.
        seed: the same makes the same rows.
    """

    begin: int
    days: int
    rooms: int
    seed: int = 1


def life_of(rows: int, begin: int, days: int, seed: int = 1) -> Life:
    """A life of about so many rows."""
    return Life(begin, days, max(1, round(rows / days / _ROWS_A_ROOM_AND_DAY)), seed)


def write_lake(connection: duckdb.DuckDBPyConnection, life: Life, folder: Path) -> int:
    """Make the rows and write them as the lake's own files; return how many, repeats too.

    Args:
        connection: of DuckDB; gets some temporary tables.
        life: what to make.
        folder: the lake's, which need not exist.
    """
    for text in (_CHANCE, _CALLS, _VISITS, _EVENTS):
        connection.execute(_with(text, life))
    return write_partitions(connection, _with(_ROWS, life), folder, f"rows-{life.seed}-{{i}}")


def _with(text: str, life: Life) -> str:
    """The text with the life's numbers; macros take no parameters of a prepared statement."""
    for name, number in life._asdict().items():
        text = text.replace(f"${name}", str(int(number)))
    return text
