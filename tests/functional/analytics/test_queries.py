"""Each named query on rows made by hand, with the answer worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.lake_rows import Life, write_lake
from roomgate.analytics.lake import lake
from roomgate.analytics.sql import DAY, Value, for_duckdb, names, query
from tests.support.lake_rows import APP, MORNING, NOW, asked, filled, ms, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

WHOLE = ("2026-03-02T00:00:00", "2026-03-03T00:00:00")
HOUR = 3600


@pytest.fixture(scope="module")
def morning() -> Iterator[duckdb.DuckDBPyConnection]:
    with filled(MORNING) as connection:
        yield connection


def test_concurrency_of_each_minute(morning: duckdb.DuckDBPyConnection) -> None:
    """Who came before is inside, who goes at a minute's first moment is not; no minute lacks."""
    answer = asked(morning, "concurrency", "10:00:00", "10:06:00")
    assert answer == [
        ("02 10:00:00", 2, 2, 0),  # ann, who came at nine, and dee.
        ("02 10:01:00", 3, 3, 1),  # And bob.
        ("02 10:02:00", 3, 3, 2),  # Without ann, but soon with eve.
        ("02 10:03:00", 3, 3, 1),  # bob goes and comes.
        ("02 10:04:00", 3, 2, 1),  # dee goes.
        ("02 10:05:00", 2, 2, 0),  # bob and eve.
    ]


def test_concurrency_of_each_room_and_minute(morning: duckdb.DuckDBPyConnection) -> None:
    """A row for each minute in which somebody came or went, beginning with who was inside."""
    answer = asked(morning, "room_concurrency", *WHOLE)
    assert answer == [
        (APP, "7", "02 09:00:00", 1, 1),
        (APP, "7", "02 10:01:00", 2, 2),
        (APP, "7", "02 10:02:00", 1, 1),
        (APP, "8", "02 10:02:00", 2, 2),
        (APP, "7", "02 10:03:00", 1, 1),
        (APP, "8", "02 10:04:00", 2, 1),
        (APP, "8", "02 10:12:00", 1, 0),
        (APP, "7", "02 10:33:00", 1, 0),
    ]
    assert asked(morning, "room_concurrency", *WHOLE, room="8") == [
        row for row in answer if row[1] == "8"
    ]


def test_peak_concurrency_of_each_day(morning: duckdb.DuckDBPyConnection) -> None:
    """The most at once and since when; a day without a row has who was inside before."""
    assert asked(morning, "peak_concurrency", *WHOLE) == [("02 00:00:00", 3, "02 10:01:30")]
    with filled(MORNING[:2]) as two:
        assert asked(two, "peak_concurrency", WHOLE[0], "2026-03-04T00:00:00") == [
            ("02 00:00:00", 2, "02 10:01:30"),
            ("03 00:00:00", 2, "03 00:00:00"),
        ]


def test_busiest_rooms(morning: duckdb.DuckDBPyConnection) -> None:
    """Room 8 held dee from midnight to 10:04:30 and eve for 600 s; room 7 three visits."""
    assert asked(morning, "busiest_rooms", *WHOLE) == [
        (APP, "8", 2, "02 10:02:10", 1, pytest.approx((36_270 + 600) / HOUR)),
        (APP, "7", 2, "02 10:01:30", 3, pytest.approx((3720 + 100 + 1800) / HOUR)),
    ]
    # Within the window alone: ann and dee for a minute and a half, bob for the last half.
    assert asked(morning, "busiest_rooms", "10:00:30", "10:02:00") == [
        (APP, "7", 2, "02 10:01:30", 1, pytest.approx(120 / HOUR)),
        (APP, "8", 1, "02 10:00:30", 0, pytest.approx(90 / HOUR)),
    ]


def test_session_durations(morning: duckdb.DuckDBPyConnection) -> None:
    """Of 100, 600, 1,800 and 3,720 s by nearest rank; dee's session has no length that is known."""
    assert asked(morning, "session_durations", *WHOLE) == [
        (5, 1, 1555.0, 100.0, 100.0, 600.0, 1800.0, 3720.0, 3720.0, 3720.0)
    ]


def test_session_durations_of_nobody() -> None:
    """Nothing to measure is no length, not one of 0 s."""
    with filled(()) as nothing:
        assert asked(nothing, "session_durations", *WHOLE) == [(0, 0, *[None] * 8)]


def test_session_histogram(morning: duckdb.DuckDBPyConnection) -> None:
    """Each length in one row, a length at a bound in the upper one; rows without sessions too."""
    answer = asked(morning, "session_histogram", *WHOLE)
    assert len(answer) == 14
    assert [row for row in answer if row[2]] == [
        (60, 120, 1),
        (600, 1200, 1),
        (1800, 3600, 1),
        (3600, 7200, 1),
    ]
    assert [row[1] for row in answer[:-1]] == [row[0] for row in answer[1:]]


def test_joins_and_leaves_of_each_hour(morning: duckdb.DuckDBPyConnection) -> None:
    """Users and rooms count once an hour; an hour in which nothing happens is there."""
    assert asked(morning, "joins_leaves", "08:00:00", "11:00:00") == [
        ("02 08:00:00", 0, 0, 0, 0),
        ("02 09:00:00", 1, 0, 1, 1),
        ("02 10:00:00", 3, 5, 4, 2),
    ]


def test_lifetimes_of_rooms(morning: duckdb.DuckDBPyConnection) -> None:
    """Room 7 lives 3,790 s with two users, then 1,800 s with one; of 8 no birth is known."""
    assert asked(morning, "room_lifetimes", *WHOLE) == [
        (3, 2, 1, 2795.0, 1800.0, 3790.0, 3790.0, 3790.0, 1, 2, 2)
    ]


def test_a_change_that_empties_a_room_ends_its_life_though_others_come_with_it() -> None:
    """What counts is who is inside after the whole change."""
    rows = [
        step("09:00:00", "7", 1, "ann", "listed"),
        step("09:10:00", "7", 2, "ann", "witnessed", place=0),
        step("09:09:00", "7", 2, "bob", "listed", place=1),
        step("09:30:00", "7", 3, "bob", "left"),
    ]
    with filled(rows) as connection:
        ((lives, rooms, _, mean_s, *_),) = asked(connection, "room_lifetimes", *WHOLE)
    assert (lives, rooms, mean_s) == (1, 1, 1800.0)


def test_rejoins_and_flaps(morning: duckdb.DuckDBPyConnection) -> None:
    """bob was back 10 s after he was believed to have gone; nobody else came back."""
    answer = asked(morning, "rejoins", *WHOLE)
    assert answer == [
        ("all", 5, 1, 1, 0.2, 0.2),
        ("witnessed", 2, 0, 0, 0.0, 0.0),
        ("grace", 1, 1, 1, 1.0, 1.0),
        ("lease", 1, 0, 0, 0.0, 0.0),
        ("left", 1, 0, 0, 0.0, 0.0),
    ]


@pytest.mark.parametrize(
    ("back", "rejoins", "flaps"),
    [("10:00:30", 1, 1), ("10:00:30.001", 1, 0), ("10:05:00", 1, 0), ("10:05:00.001", 0, 0)],
)
def test_a_flap_is_back_within_30_seconds_a_rejoin_within_5_minutes(
    back: str, rejoins: int, flaps: int
) -> None:
    """Their bounds count; another user who comes meanwhile is no rejoin."""
    rows = [
        step("09:00:00", "7", 1, "ann", "listed"),
        step("10:00:00", "7", 2, "ann", "grace"),
        step("10:00:01", "7", 3, "bob", "listed"),
        step(back, "7", 4, "ann", "listed"),
    ]
    with filled(rows) as connection:
        assert asked(connection, "rejoins", *WHOLE)[0][:4] == ("all", 1, rejoins, flaps)


def test_returns_on_the_next_and_on_the_seventh_day() -> None:
    """ann comes on days 1, 2 and 8, bob on 1 and 8; days to come are not known."""
    days = {"ann": (1, 2, 8), "bob": (1, 8), "cid": (2,)}
    rows = [
        step(f"2026-03-{day:02}T12:00:00", f"{day}{place}", 1, user, "listed")
        for place, (user, came) in enumerate(days.items())
        for day in came
    ]
    with filled(rows) as connection:
        answer = asked(connection, "returns", "2026-03-01T00:00:00", "2026-03-09T00:00:00")
    assert answer == [
        ("01 00:00:00", 2, 1, 2, 0.5, 1.0),
        ("02 00:00:00", 2, 0, None, 0.0, None),
        ("08 00:00:00", 2, None, None, None, None),
    ]


def test_evidence_of_leaves(morning: duckdb.DuckDBPyConnection) -> None:
    """What Tencent says is a callback; the lags are nearest ranks."""
    assert asked(morning, "evidence", *WHOLE) == [
        ("witnessed", 2, 0.4, 1000, 3000, 3000, 3000),
        ("callback", 1, 0.2, 200, 200, 200, 200),
        ("grace", 1, 0.2, 11_000, 11_000, 11_000, 11_000),
        ("lease", 1, 0.2, 150_000, 150_000, 150_000, 150_000),
    ]


def test_a_word_of_the_client_itself_is_no_callback() -> None:
    """Both have the reason left; the source tells them apart."""
    rows = [
        step("09:00:00", "7", 1, "ann", "listed"),
        step("09:01:00", "7", 2, "ann", "left", source="client"),
    ]
    with filled(rows) as connection:
        assert asked(connection, "evidence", *WHOLE)[0][:2] == ("left", 1)


NAMES = names()
BEGIN = ms("2026-03-01T00:00:00")
LIFE: dict[str, Value] = {"since": BEGIN // 1000 + DAY, "until": BEGIN // 1000 + 9 * DAY}


@pytest.fixture(scope="module")
def lifelike(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Ten days of few rooms, without the repeats that the rows come with."""
    folder = tmp_path_factory.mktemp("lake")
    with filled(()) as maker:
        write_lake(maker, Life(BEGIN, days=10, rooms=12), folder)
    with lake(folder) as found:
        found.connection.execute(
            "CREATE TABLE once AS SELECT * FROM events QUALIFY "
            "row_number() OVER (PARTITION BY id ORDER BY dt, hour) = 1"
        )
        yield found.connection


def answered(connection: duckdb.DuckDBPyConnection, name: str, rows: str) -> list[Any]:
    """What a query answers where ``events`` are other rows."""
    text = for_duckdb(query(name).bound(LIFE, NOW)).replace("FROM events", f"FROM ({rows}) AS e")
    return connection.execute(text).fetchall()


@pytest.mark.parametrize("name", NAMES)
def test_repeats_change_no_answer(lifelike: duckdb.DuckDBPyConnection, name: str) -> None:
    """Delivery is at least once: rows that came twice count once, whenever they came again."""
    once = answered(lifelike, name, "FROM once")
    later = (
        "SELECT * REPLACE (lpad(CAST(least(CAST(hour AS INT) + 1, 23) AS VARCHAR), 2, '0') AS hour)"
    )
    assert answered(lifelike, name, f"FROM once UNION ALL {later} FROM once") == once
    assert answered(lifelike, name, "FROM events") == once
    assert len(once) > 0


ROWS_ARRIVED = """
SELECT * EXCLUDE (came) REPLACE (strftime(came, '%Y-%m-%d') AS dt, strftime(came, '%H') AS hour)
FROM (SELECT *, epoch_ms(t + lag_ms) + INTERVAL '{minutes}' MINUTE AS came FROM once) AS arrived
"""


@pytest.mark.parametrize("name", NAMES)
def test_rows_that_are_an_hour_late_count(lifelike: duckdb.DuckDBPyConnection, name: str) -> None:
    """Partitions are by arrival, which says nothing of when it happened."""
    prompt, late = (ROWS_ARRIVED.format(minutes=minutes) for minutes in (0, 59))
    assert answered(lifelike, name, late) == answered(lifelike, name, prompt)


@pytest.mark.parametrize("name", NAMES)
def test_an_application_is_asked_about_alone(
    lifelike: duckdb.DuckDBPyConnection, name: str
) -> None:
    """With :app the others' rows change nothing, and there are others."""
    ours = f"FROM once WHERE app = {APP}"
    text = for_duckdb(query(name).bound(LIFE | {"app": APP}, NOW))
    asked_alone = lifelike.execute(text.replace("FROM events", "FROM once")).fetchall()
    assert asked_alone == answered(lifelike, name, ours)
    assert asked_alone != answered(lifelike, name, "FROM once")


@pytest.mark.parametrize("name", NAMES)
def test_the_text_as_it_is_written_means_the_same_to_both(
    lifelike: duckdb.DuckDBPyConnection, name: str
) -> None:
    """It keeps to words that Trino and DuckDB share, so the translation changes no answer."""
    text = query(name).bound(LIFE, NOW)
    translated = lifelike.execute(for_duckdb(text)).fetchall()
    assert lifelike.execute(text).fetchall() == translated


@pytest.mark.parametrize("name", NAMES)
def test_a_query_gives_the_columns_that_it_says(
    morning: duckdb.DuckDBPyConnection, name: str
) -> None:
    """Each with the type that its comment names, in that order."""
    kinds = {"timestamp": "TIMESTAMP", "bigint": "BIGINT", "double": "DOUBLE", "varchar": "VARCHAR"}
    columns = query(name).text.partition("-- Columns:\n")[2].partition("\nWITH")[0]
    said = [line.split()[1:3] for line in columns.splitlines() if line.startswith("--   ")]
    told = [(column, kinds[kind]) for column, kind in said if kind in kinds]
    text = for_duckdb(query(name).bound({}, NOW))
    found = morning.execute(f"DESCRIBE {text}").fetchall()
    assert [(row[0], row[1]) for row in found] == told
