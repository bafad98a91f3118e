"""Packing: whole, in order, within the quotas, whatever the rows are."""

from __future__ import annotations

from base64 import b64encode
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.stream.batching import RECORD_BYTES, FirehoseRecord, pack_calls

# Rooms by their number of rows and a row's bytes, so that examples stay small to write.
ROOMS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 6), st.integers(490, 510), st.integers(990, 1600)),
        st.one_of(st.integers(12, 300), st.just(RECORD_BYTES // 3), st.just(RECORD_BYTES - 1)),
    ).filter(lambda room: room[0] * room[1] < 12_000_000),
    max_size=8,
)


def rooms_of(shapes: list[tuple[int, int]]) -> dict[str, list[bytes]]:
    return {
        f"room-{number}": [b"%d/%d" % (number, place) + b"." * (size - 8) for place in range(rows)]
        for number, (rows, size) in enumerate(shapes)
    }


def rows_in(packs: list[FirehoseRecord]) -> dict[str, list[bytes]]:
    rows: dict[str, list[bytes]] = {}
    for line in (line for pack in packs for line in pack.data.splitlines()):
        rows.setdefault(f"room-{int(line.partition(b'/')[0])}", []).append(line)
    return rows


@settings(max_examples=60, deadline=None)
@given(ROOMS)
def test_all_rows_come_once_and_in_the_order_of_their_rooms(shapes: list[tuple[int, int]]) -> None:
    """Over all calls, one after the other."""
    rooms = rooms_of(shapes)
    packs = [pack for call in pack_calls(rooms) for pack in call]
    assert rows_in(packs) == {room: rows for room, rows in rooms.items() if rows}
    assert all(pack.data.endswith(b"\n") for pack in packs)
    assert all(len(pack.data.splitlines()) == pack.rows for pack in packs)
    assert all(rows_in([pack]).keys() == set(pack.rooms) for pack in packs)


@settings(max_examples=60, deadline=None)
@given(ROOMS)
def test_no_quota_is_exceeded(shapes: list[tuple[int, int]]) -> None:
    """500 rows and 1,000 KiB a record, 500 records and 4 MB as base64 a call; none is empty."""
    for call in pack_calls(rooms_of(shapes)):
        assert 1 <= len(call) <= 500
        assert sum(len(b64encode(pack.data)) for pack in call) <= 4_000_000
        for pack in call:
            assert 1 <= pack.rows <= 500
            assert len(pack.data) <= 1000 * 1024


@settings(max_examples=60, deadline=None)
@given(ROOMS)
def test_a_room_has_one_record_in_a_call(shapes: list[tuple[int, int]]) -> None:
    """So that a record that fails and is sent again is overtaken by none of the same room."""
    for call in pack_calls(rooms_of(shapes)):
        rooms = [room for pack in call for room in pack.rooms]
        assert len(rooms) == len(set(rooms))


def test_records_are_filled() -> None:
    """10,000 rows of 2,500 rooms make 20 records, of one call."""
    rooms = {f"room-{n}": [b"%d/0" % n] * 4 for n in range(2500)}
    (call,) = pack_calls(rooms)
    assert [pack.rows for pack in call] == [500] * 20


def test_nothing_makes_no_call() -> None:
    """Neither no rooms, nor rooms without rows."""
    assert list(pack_calls({})) == []
    assert list(pack_calls({"room": []})) == []


def test_more_than_500_records_are_more_than_one_call() -> None:
    """The quota of a call counts records as well as bytes."""
    rooms = {f"room-{n}": [b"%d/0" % n] * 300 for n in range(501)}
    assert [len(call) for call in pack_calls(rooms)] == [500, 1]


def test_a_room_of_many_rows_waits_for_its_own_turn() -> None:
    """Its second piece comes after every first one."""
    rooms = {"a": [b"0/%d" % n for n in range(1200)], "b": [b"1/0"]}
    calls = list(pack_calls(rooms))
    assert [[(pack.rooms, pack.rows) for pack in call] for call in calls] == [
        [(("a",), 500), (("b",), 1)],
        [(("a",), 500)],
        [(("a",), 200)],
    ]
    assert all(one != other for one, other in pairwise(calls))
