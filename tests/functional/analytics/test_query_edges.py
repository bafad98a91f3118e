"""Named queries where answers are easily wrong: bounds, late rows, names that two share, ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.lake_rows import APP, asked, filled, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from tests.support.lake_rows import LakeRow

OTHER = APP + 1
SPAN = ("10:00:00", "11:00:00")
HOUR = 3600

# All is asked about from ten to eleven; of rooms 8 and 9 there is only what came before.
EDGES = (
    # As long ago as is read back; she does not go.
    step("2026-03-01T10:00:00", "8", 1, "dee", "listed"),
    step("08:00:00", "9", 1, "eve", "listed"),
    step("09:50:00", "9", 2, "eve", "left"),
    step("09:00:00", "7", 1, "ann", "listed"),
    # At ten sharp, by a clock that is ahead of the one that recorded it: it came before ten.
    step("10:00:00", "7", 2, "ann", "witnessed", lag_ms=-40).arrived(0),
    step("10:10:00", "7", 3, "bob", "listed"),
    # One change, whose rows do not come in its order.
    step("10:20:05", "7", 4, "bob", "listed", place=1),
    step("10:20:00", "7", 4, "bob", "removed", place=0, lag_ms=5500),
    step("11:00:00", "7", 5, "bob", "left"),
    # Another application has a room and a user of the same names, and as late a row as there is.
    step("10:20:00", "7", 1, "bob", "entered", source="tencent", app=OTHER),
    step(
        "10:59:30", "7", 2, "bob", "lease", source="tencent", app=OTHER, lag_ms=14_460_000
    ).arrived(60),
)


@pytest.fixture(scope="module")
def edges() -> Iterator[duckdb.DuckDBPyConnection]:
    with filled(EDGES) as connection:
        yield connection


def test_concurrency(edges: duckdb.DuckDBPyConnection) -> None:
    """Who goes at the first moment is not inside; who goes at :until is, and that is no minute."""
    answer = asked(edges, "concurrency", *SPAN)
    assert [row[0] for row in answer] == [f"02 10:{minute:02}:00" for minute in range(60)]
    assert [row[1:3] for row in answer] == (
        [(1, 1)] * 10 + [(2, 2)] * 10 + [(3, 3)] * 39 + [(3, 2)]
    )
    assert {place: row[3] for place, row in enumerate(answer) if row[3]} == {
        0: 1,
        10: 1,
        20: 2,
        59: 1,
    }


def test_peak_concurrency(edges: duckdb.DuckDBPyConnection) -> None:
    """The number with which the time begins is one of it."""
    assert asked(edges, "peak_concurrency", *SPAN) == [("02 10:00:00", 3, "02 10:20:05")]
    after = asked(edges, "peak_concurrency", "11:00:00", "12:00:00")
    assert after == [("02 11:00:00", 1, "02 11:00:00")]


def test_room_concurrency(edges: duckdb.DuckDBPyConnection) -> None:
    """Of two rooms with one key in two applications each has its own number."""
    assert asked(edges, "room_concurrency", *SPAN) == [
        (APP, "7", "02 10:00:00", 0, 0),
        (APP, "7", "02 10:10:00", 1, 1),
        (APP, "7", "02 10:20:00", 1, 1),
        (OTHER, "7", "02 10:20:00", 1, 1),
        (OTHER, "7", "02 10:59:00", 1, 0),
    ]


def test_busiest_rooms(edges: duckdb.DuckDBPyConnection) -> None:
    """Time inside ends at :until; a room that was empty all the time is none of them."""
    assert asked(edges, "busiest_rooms", *SPAN) == [
        (APP, "8", 1, "02 10:00:00", 0, 1.0),
        (APP, "7", 1, "02 10:10:00", 2, pytest.approx(2995 / HOUR)),
        (OTHER, "7", 1, "02 10:20:00", 1, pytest.approx(2370 / HOUR)),
    ]


def test_joins_and_leaves(edges: duckdb.DuckDBPyConnection) -> None:
    """The two bobs are two users, in two rooms."""
    assert asked(edges, "joins_leaves", *SPAN) == [("02 10:00:00", 3, 3, 3, 2)]


def test_sessions(edges: duckdb.DuckDBPyConnection) -> None:
    """ann's ended at :since and counts, bob's second at :until and does not."""
    assert asked(edges, "session_durations", *SPAN) == [
        (3, 0, 2190.0, 600.0, 600.0, 2370.0, 3600.0, 3600.0, 3600.0, 3600.0)
    ]
    histogram = [row for row in asked(edges, "session_histogram", *SPAN) if row[2]]
    assert histogram == [(600, 1200, 1), (1800, 3600, 1), (3600, 7200, 1)]


def test_a_session_of_weeks_is_in_the_histogram_too() -> None:
    """In the last row, which has no end."""
    rows = [
        step("2026-03-01T00:00:00", "7", 1, "ann", "listed"),
        step("2026-03-20T00:00:00", "7", 2, "ann", "left"),
    ]
    with filled(rows) as connection:
        answer = asked(
            connection, "session_histogram", "2026-03-01T00:00:00", "2026-03-21T00:00:00"
        )
    assert [row for row in answer if row[2]] == [(864_000, None, 1)] == answer[-1:]


def test_lifetimes(edges: duckdb.DuckDBPyConnection) -> None:
    """Likewise; a change that takes one and brings it back ends no life."""
    assert asked(edges, "room_lifetimes", *SPAN) == [
        (2, 2, 0, 2985.0, 2370.0, 3600.0, 3600.0, 3600.0, 1, 1, 1)
    ]


def test_rejoins(edges: duckdb.DuckDBPyConnection) -> None:
    """bob was back within the same change; eve's leave was before :since."""
    third = pytest.approx(1 / 3)
    assert asked(edges, "rejoins", *SPAN) == [
        ("all", 3, 1, 1, third, third),
        ("lease", 1, 0, 0, 0.0, 0.0),
        ("removed", 1, 1, 1, 1.0, 1.0),
        ("witnessed", 1, 0, 0, 0.0, 0.0),
    ]


def test_evidence(edges: duckdb.DuckDBPyConnection) -> None:
    """A lease is one, though Tencent had vouched for the user; no lag is too long or below 0."""
    third = pytest.approx(1 / 3)
    assert asked(edges, "evidence", *SPAN) == [
        ("lease", 1, third, *[14_460_000] * 4),
        ("removed", 1, third, *[5500] * 4),
        ("witnessed", 1, third, *[-40] * 4),
    ]


def test_returns_are_joins_in_the_same_application() -> None:
    """Who joins twice is one, who leaves on the next day is not back, a namesake is another one."""
    rows = [
        step("2026-03-01T10:00:00", "9", 1, "ann", "listed"),
        step("2026-03-01T23:59:59.999", "7", 1, "ann", "listed"),
        step("2026-03-02T00:00:00", "7", 2, "ann", "left"),
        step("2026-03-01T00:00:00", "7", 3, "bob", "listed"),
        step("2026-03-02T12:00:00", "7", 1, "bob", "listed", app=OTHER),
    ]
    with filled(rows) as connection:
        answer = asked(connection, "returns", "2026-03-01T00:00:00", "2026-03-03T00:00:00")
    assert [row[:3] for row in answer] == [("01 00:00:00", 2, 0), ("02 00:00:00", 1, None)]


# zed was inside since long ago; one change takes it out and back in. Its rows come the wrong way.
BLINK = (
    step("10:05:03", "5", 9, "zed", "listed", place=1),
    step("10:05:00", "5", 9, "zed", "removed", place=0),
)


@pytest.mark.parametrize(
    ("name", "since", "until", "expected"),
    [
        ("concurrency", "10:04:00", "10:06:00", [("04", 1, 1, 0), ("05", 1, 1, 1)]),
        ("peak_concurrency", "10:04:00", "10:05:00", [("04", 1, "04")]),
        ("room_concurrency", "10:00:00", "11:00:00", [("05", 1, 1)]),
        ("busiest_rooms", "10:04:00", "10:06:00", [(1, "04", 1, pytest.approx(117 / HOUR))]),
        ("room_lifetimes", "10:00:00", "11:00:00", [(0, 0, 0, *[None] * 8)]),
    ],
)
def test_who_goes_first_in_a_change_was_inside_before_it(
    name: str, since: str, until: str, expected: list[tuple[Any, ...]]
) -> None:
    """By the place in the change, where the version is the same."""
    with filled(BLINK) as connection:
        answer = asked(connection, name, since, until)
    of_room = 2 if name in {"room_concurrency", "busiest_rooms"} else 0
    assert [tuple(map(_minute, row[of_room:])) for row in answer] == expected


def _minute(value: Any) -> Any:
    return value[6:8] if isinstance(value, str) else value


def stays(number: int, people: int) -> list[LakeRow]:
    """A room in which some users stay so many seconds; that they left is known so many ms later."""
    end = f"09:{number // 60:02}:{number % 60:02}"
    steps = (("09:00:00", 1, "listed"), (end, 2, "left"))
    return [
        step(at, str(number), ver, f"u{place}", reason, place=place, lag_ms=number)
        for at, ver, reason in steps
        for place in range(people)
    ]


def test_percentiles_are_nearest_ranks() -> None:
    """Of 1 to 100 the Nth is N."""
    span = ("09:00:00", "10:00:00")
    with filled(row for number in range(1, 101) for row in stays(number, 1)) as connection:
        (lives,) = asked(connection, "room_lifetimes", *span)
        (sessions,) = asked(connection, "session_durations", *span)
        (evidence,) = asked(connection, "evidence", *span)
        busiest = asked(connection, "busiest_rooms", *span)
    assert lives == (100, 100, 0, 50.5, 50.0, 90.0, 99.0, 100.0, 1, 1, 1)
    assert sessions == (100, 0, 50.5, 10.0, 25.0, 50.0, 75.0, 90.0, 99.0, 100.0)
    assert evidence == ("left", 100, 1.0, 50, 90, 99, 100)
    # Of rooms with as many users those with more hours come first, and twenty are shown.
    assert [row[1] for row in busiest] == [str(number) for number in range(100, 80, -1)]


def test_percentiles_of_users_are_nearest_ranks() -> None:
    """Of rooms with 1 to 10 users, whose lives are the shorter the more there are."""
    rows = [row for people in range(1, 11) for row in stays(50 - people, people)]
    with filled(rows) as connection:
        ((*_, p50, p90, most),) = asked(connection, "room_lifetimes", "09:00:00", "10:00:00")
    assert (p50, p90, most) == (5, 9, 10)
