"""Demo data: lifelike, the same for the same seed, and what the real fold made of it."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from chalicelib.stream.row import JOIN
from chalicelib.table.item_keys import RoomKey
from chalicelib.trtc.identifiers import parse_room_key
from infra.demo.clients import Beaten, Called, Gone, Listed
from infra.demo.dataset import AFTERWARDS, Demo, make
from infra.demo.stage import Stage
from infra.layout import ROOT
from roomgate.analytics.backfill import Seen, Wanted, rows_from
from roomgate.analytics.lake import lake
from roomgate.analytics.sql import for_duckdb, names, query
from roomgate.commands.output import Output
from tests.support.lake_rows import NOW
from tests.support.seeds import MANY

if TYPE_CHECKING:
    from pathlib import Path

    from chalicelib.stream.row import Row

SMALL = Demo(dt.date(2026, 3, 2), scale=0.1, seed=7)
TINY = SMALL._replace(scale=0.03)


@pytest.fixture(scope="module")
def played() -> tuple[Stage, list[Row]]:
    """The stage after a small demo, and its rows in the order of their rooms' changes."""
    stage = Stage(SMALL.seed)
    until = SMALL.end + AFTERWARDS
    stage.play(SMALL.sent(), until, lambda _reached: None)
    rows = rows_from(stage.archive.everything(), Wanted(SMALL.begin, until), Seen())
    return stage, sorted(rows, key=lambda row: (row.app, row.room, row.ver or 0, _place(row)))


def _place(row: Row) -> int:
    return int(row.id.rpartition("/")[2])


def files(folder: Path) -> dict[str, bytes]:
    found = folder.rglob("*.parquet")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def run(folder: Path, hash_seed: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return subprocess.run(
        [sys.executable, "-m", "infra.demo.dataset", "--folder", str(folder), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        text=True,
        capture_output=True,
        check=False,
    )


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    """Whatever order Python's sets have in a process; another seed makes others."""
    words = ("--day", "2026-03-02", "--scale", "0.03")
    for name, hash_seed, seed in (("a", "1", "3"), ("b", "2", "3"), ("c", "1", "4")):
        done = run(tmp_path / name, hash_seed, *words, "--seed", seed)
        assert (done.returncode, done.stderr) == (0, "")
        assert "joins and leaves" in done.stdout
        assert "analytics report --since 2026-03-02 --until 2026-03-03 --folder" in done.stdout
    assert files(tmp_path / "a") == files(tmp_path / "b") != {}
    assert files(tmp_path / "a").keys().isdisjoint(files(tmp_path / "c"))


def test_the_rows_replay_to_the_rosters_of_the_store(played: tuple[Stage, list[Row]]) -> None:
    """Of every room, as it was half-way and in the end; nobody joins or leaves twice in a row."""
    stage, rows = played
    rosters: dict[RoomKey, list[frozenset[str]]] = defaultdict(lambda: [frozenset()])
    for row in rows:
        assert row.ver is not None
        versions = rosters[RoomKey(row.app, parse_room_key(row.room))]
        assert row.ver - len(versions) in {-1, 0}
        if row.ver == len(versions):
            versions.append(versions[-1])
        assert (row.user in versions[-1]) == (row.ev != JOIN)
        versions[-1] ^= {row.user}
    assert len(rosters) >= 8
    for ref, versions in rosters.items():
        room = stage.table.room(ref)
        assert room.head.version == len(versions) - 1
        assert stage.table.members(room).keys() == versions[-1] == frozenset()
        middle = room.head.version // 2
        assert stage.table.members_at(ref, middle).keys() == versions[middle]


def test_what_happens_is_what_the_rows_say(played: tuple[Stage, list[Row]]) -> None:
    """A transition for each true one, more or less, though clients are as they are."""
    stage, rows = played
    assert 0.95 <= len(rows) / (2 * SMALL.stays) <= 1.05
    assert stage.done.keys() == {"applied", "unchanged", "stale", "duplicate"}
    assert {row.source for row in rows} == {"client", "tencent"}
    assert {row.reason for row in rows} >= {"listed", "entered", "left", "lease"}


def test_all_comes_in_in_order_and_within_its_day() -> None:
    """Calls are sent one by one, so nothing may come before what was there already."""
    demo = SMALL._replace(days=2)
    sent = list(demo.sent())
    times = [each.received for each in sent]
    assert times == sorted(times)
    assert demo.begin < times[0]
    assert times[-1] < demo.end
    kinds = {type(each.said) for each in sent}
    assert kinds == {Listed, Beaten, Gone, Called}


def test_mornings_and_evenings_are_busier_than_nights() -> None:
    """And rooms are of all sizes."""
    demo = Demo(dt.date(2026, 3, 2))
    hours = [0] * 24
    for call in demo.calls():
        for stay in call.stays:
            hours[(stay.begin - demo.begin) // 3_600_000] += 1
    assert not sum(hours[:5])
    assert min(sum(hours[8:11]), sum(hours[18:21])) > 1.5 * sum(hours[12:15])
    sizes = [len({stay.user for stay in call.stays}) for call in demo.calls()]
    assert (min(sizes), max(sizes) > 250) == (2, True)
    assert sum(11 <= size <= 40 for size in sizes) > 20


@pytest.mark.skipif(not MANY, reason="functional/analytics asks them of fewer rows")
def test_every_query_answers_on_it(tmp_path: Path) -> None:
    """With rows that are not all zeros."""
    demo = SMALL._replace(days=2)
    make(demo, tmp_path, Output())
    span = {"since": demo.begin // 1000, "until": demo.end // 1000}
    with lake(tmp_path) as found:
        assert (found.skipped, found.newer) == ([], 0)
        for name in names():
            found.run(for_duckdb(query(name).bound(span, NOW)))
            rows = found.result().dicts()
            numbers = [n for row in rows for n in row.values() if isinstance(n, int | float)]
            assert any(numbers), name


def test_demo_data_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    """Of demo data alone: the same rooms were in it, and their rows must not be mixed."""
    other = tmp_path / "rows/dt=2026-03-02/hour=09/firehose.parquet"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"somebody else's")
    make(TINY, tmp_path, Output())
    first = files(tmp_path)
    make(TINY._replace(seed=8), tmp_path, Output())
    second = files(tmp_path)
    assert first.keys() & second.keys() == {other.relative_to(tmp_path).as_posix()}
    make(TINY, tmp_path, Output())
    assert files(tmp_path) == first


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--day", "yesterday"), "write a date as 2027-01-31"),
        (("--days", "0"), "give a number from 1 to 31"),
        (("--scale", "many"), "give a number from 0.01 to 10"),
    ],
)
def test_bad_words_are_explained(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    """As a usage error."""
    done = run(tmp_path, "0", *words)
    assert done.returncode == 2
    assert says in done.stderr


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Without a stack trace."""
    (tmp_path / "file").touch()
    done = run(tmp_path / "file", "0", "--day", "2026-03-02", "--scale", "0.01")
    assert done.returncode == 1
    assert done.stderr.startswith("make demo-data failed: ")
    assert "Traceback" not in done.stderr
