"""Keeper works off several keys at a time."""

from __future__ import annotations

from threading import Barrier

import pytest

from chalicelib.roster.head import LEASE
from chalicelib.stream.keeper import MOST_FAILED_KEYS, WORKERS
from chalicelib.table.item_keys import RoomKey
from chalicelib.trtc.identifiers import parse_room
from simulation.kept import ROOM, T0, Kept
from tests.support.keeping import Failing, failures, records


@pytest.fixture
def client() -> Failing:
    """A table that refuses nothing yet."""
    return Failing()


def rooms(many: int) -> list[RoomKey]:
    """So many rooms."""
    return [RoomKey(ROOM.sdk_app_id, parse_room(number)) for number in range(1, many + 1)]


def test_rooms_are_worked_off_side_by_side(client: Failing) -> None:
    """Each waits for the table, and none for another one."""
    kept = Kept(client, workers=WORKERS)
    for ref in rooms(WORKERS):
        kept.drop(kept.report("anna", ref=ref))
    told = records(client)
    together = Barrier(WORKERS, timeout=60)

    def meet(operation: str, _pk: str) -> str:
        if operation == "get":
            together.wait()
        return ""

    client.refuses = meet
    batch = kept.keeper.keep(told, T0)
    assert (batch.counts["healed"], batch.poison, failures(batch)) == (WORKERS, [], [])
    client.refuses = lambda _operation, _pk: ""
    assert all(kept.here(ref) == {"anna"} for ref in rooms(WORKERS))


def test_side_by_side_comes_to_the_same_as_one_by_one() -> None:
    """Rooms that fill at once, change, and empty; and users who go from room to room."""
    ends = []
    for workers in (1, WORKERS):
        kept = Kept(workers=workers)
        pump = kept.pump()
        for number, ref in enumerate(rooms(12)):
            everyone = " ".join(f"user{(number + each) % 30}" for each in range(20))
            kept.take(kept.report(everyone, number, ref=ref))
            kept.drop(kept.report(everyone.rpartition(" ")[0], 5000 + number, seq=2, ref=ref))
        kept.run(pump)
        kept.now += 2 * LEASE
        for ref in rooms(12):
            kept.folder.settle(ref, kept.now)
        kept.run(pump)
        ends.append((kept.timeline(), kept.sessions(), kept.bucket.poison))
    assert ends[0] == ends[1]
    assert len(ends[0][1]) == 12 * 20
    assert all(each.left is not None for each in ends[0][1])


def test_where_the_table_is_away_the_rest_is_put_off(client: Failing) -> None:
    """Lambda must get its answer before the function's time is over; nothing is passed over."""
    kept = Kept(client, workers=WORKERS)
    many = rooms(3 * MOST_FAILED_KEYS)
    for ref in many:
        kept.drop(kept.report("anna", ref=ref))
    told = records(client)
    client.reads.clear()
    client.refuses = lambda operation, _pk: "ThrottlingException" * (operation == "get")
    batch = kept.keeper.keep(told, T0)
    assert failures(batch) == list(range(1, len(many) + 1))
    assert MOST_FAILED_KEYS <= len(client.reads) < MOST_FAILED_KEYS + WORKERS
    assert batch.reasons["put-off"] == len(many) - len(client.reads)
    client.refuses = lambda _operation, _pk: ""
    assert kept.keeper.keep(told, T0).counts["healed"] == len(many)
