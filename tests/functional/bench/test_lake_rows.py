"""The generated rows keep what docs/analytics.md promises of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.lake_rows import Life, life_of, write_lake
from roomgate.analytics.lake import Lake, lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIFE = Life(begin=1_793_577_600_000, days=3, rooms=40)


def made(folder: Path, life: Life = LIFE) -> int:
    with lake(folder) as maker:
        return write_lake(maker.connection, life, folder)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    folder = tmp_path_factory.mktemp("lake")
    made(folder)
    with lake(folder) as found:
        found.run("CREATE TABLE once AS SELECT DISTINCT * EXCLUDE (dt, hour) FROM events")
        yield found


def one(rows: Lake, text: str) -> Any:
    rows.run(text)
    return rows.result().rows[0][0]


def test_joins_and_leaves_of_a_user_in_a_room_alternate(rows: Lake) -> None:
    """In the order of versions, and time never goes back within them."""
    wrong = one(
        rows,
        """
        SELECT count(*) FROM (
            SELECT delta, t,
                lag(delta, 1, -1) OVER steps AS before, lag(t, 1, 0) OVER steps AS earlier
            FROM once
            WINDOW steps AS (PARTITION BY app, room, user
                ORDER BY ver, CAST(split_part(id, '/', 4) AS BIGINT))
        ) WHERE delta + before <> 0 OR t < earlier
        """,
    )
    assert wrong == 0
    assert one(rows, "SELECT sum(delta) FROM once") == 0
    assert one(rows, "SELECT count(*) FROM once") > 1000


def test_versions_have_no_gaps_and_ids_are_unique(rows: Lake) -> None:
    """A repeat is the same in all columns but where it arrived."""
    assert one(rows, "SELECT count(*) - count(DISTINCT id) FROM once") == 0
    gaps = "SELECT app, room FROM once GROUP BY app, room HAVING max(ver) <> count(DISTINCT ver)"
    assert one(rows, f"SELECT count(*) FROM ({gaps})") == 0  # noqa: S608 (ours)


def test_there_is_some_of_everything(rows: Lake) -> None:
    """Reasons, sources, string rooms, two applications, repeats."""
    reasons = "SELECT string_agg(DISTINCT reason, ' ' ORDER BY reason) FROM once"
    assert one(rows, reasons) == "entered grace lease left listed removed witnessed"
    assert one(rows, "SELECT count(DISTINCT source) FROM once") == 3
    assert one(rows, "SELECT count(DISTINCT app) FROM once") == 2
    assert one(rows, "SELECT count(*) FROM once WHERE room LIKE 's:%'") > 0
    repeats = one(rows, "SELECT count(*) FROM events") - one(rows, "SELECT count(*) FROM once")
    assert repeats > 0


def test_the_same_seed_makes_the_same_rows(rows: Lake, tmp_path: Path) -> None:
    """And another one others."""
    everything = "SELECT bit_xor(hash(COLUMNS(*))) FROM events"
    rows.run(everything)
    first = rows.result().rows
    sums = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        made(folder, LIFE._replace(seed=seed))
        with lake(folder) as again:
            again.run(everything)
            sums.append(again.result().rows)
    assert sums[0] == first != sums[1]


def test_a_life_of_so_many_rows_has_about_as_many(tmp_path: Path) -> None:
    """To a fifth, where chance has some rooms to work with."""
    assert made(tmp_path, life_of(20_000, LIFE.begin, 7)) == pytest.approx(20_000, rel=0.2)


def test_rows_written_twice_are_there_once(tmp_path: Path) -> None:
    """A second run writes the same files over."""
    first = made(tmp_path)
    made(tmp_path)
    with lake(tmp_path) as found:
        assert one(found, "SELECT count(*) FROM events") == first
