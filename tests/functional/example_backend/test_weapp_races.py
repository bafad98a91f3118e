"""Many at once: what is counted and what is seated is one step."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

from werkzeug.test import Client

from examples.backend.app import application
from examples.backend.weapp import CAPACITY
from tests.functional.example_backend.conftest import Sample

if TYPE_CHECKING:
    from examples.backend.settings import Settings
    from tests.functional.example_backend.conftest import Clock

AT_ONCE = 16


def at_once(samples: list[Sample], route: str, bodies: list[dict[str, Any]]) -> list[int]:
    """Send all bodies at the same time, over several backends; the codes."""
    together = Barrier(len(bodies))

    def send(number: int) -> int:
        together.wait()
        code: int = samples[number % len(samples)].call(route, **bodies[number])["code"]
        return code

    with ThreadPoolExecutor(len(bodies)) as threads:
        return list(threads.map(send, range(len(bodies))))


def test_a_room_never_holds_more_than_its_seats(on: Settings, clock: Clock) -> None:
    """Sixteen enter at once, through two processes' worth of backends on one file."""
    samples = [Sample(Client(application(on, clock))) for _ in range(2)]
    for _ in range(5):
        room_id = samples[0].create("user0")
        bodies = [{"userID": f"user{n}", "roomID": room_id} for n in range(AT_ONCE)]
        codes = at_once(samples, "enter_room", bodies)
        assert codes[0] == 0  # The creator has its seat.
        assert sorted(codes) == [0] * CAPACITY + [5001] * (AT_ONCE - CAPACITY)
        assert len(samples[1].members(room_id)) == CAPACITY


def test_rooms_made_at_once_are_rooms_of_their_own(sample: Sample) -> None:
    """Each has its own number and its own creator."""
    bodies = [{"userID": f"user{n}", "roomInfo": f"room {n}"} for n in range(AT_ONCE)]
    assert at_once([sample], "create_room", bodies) == [0] * AT_ONCE
    rooms = sample.done("get_room_list", index=0, count=100)["rooms"]
    assert len({room["roomID"] for room in rooms}) == AT_ONCE
    for room in rooms:
        assert room["roomInfo"].split() == ["room", room["roomCreator"].removeprefix("user")]
        assert sample.members(room["roomID"]) == [room["roomCreator"]]


def test_those_who_leave_and_enter_at_once_all_find_a_seat(sample: Sample) -> None:
    """One user's calls all at once end in one stay or none, never in two."""
    room_id = sample.create("user0")
    bodies = [{"userID": "user1", "roomID": room_id} for _ in range(8)]
    assert at_once([sample], "enter_room", bodies) == [0] * 8
    assert sample.members(room_id) == ["user0", "user1"]
    at_once([sample], "quit_room", bodies)
    assert sample.members(room_id) == ["user0"]
