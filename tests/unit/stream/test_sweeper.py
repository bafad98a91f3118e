from __future__ import annotations

from itertools import count
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError

from chalicelib.roster.head import LEASE, RETURN
from chalicelib.stream.keeper import WORKERS
from chalicelib.stream.sweeper import PAGE, Sweeper
from chalicelib.table.item_keys import SHARDS, RoomKey, head_key
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.kept import ROOM, T0, Kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.stream.sweeper import SweepResult

APP = ROOM.sdk_app_id
MINUTE = 60_000


def never() -> bool:
    """The run may last."""
    return False


def after(many: int) -> Callable[[], bool]:
    """The run is over after so many looks at the clock."""
    looks = count()
    return lambda: next(looks) >= many


@pytest.fixture
def kept() -> Kept:
    """A table."""
    return Kept()


def sweep(
    kept: Kept, ms: int, over: Callable[[], bool] = never, apps: tuple[int, ...] = (APP,)
) -> SweepResult:
    """Sweep so long after the start of the test."""
    return Sweeper(kept.items, kept.folder).sweep(apps, T0 + ms, over)


def test_a_leave_that_has_waited_counts_though_nobody_reports(kept: Kept) -> None:
    """Dated at its first evidence; no sooner than when it has waited, to the minute."""
    kept.take(kept.report("anna berta carla dora"))
    kept.take(kept.report("anna berta carla", 1000, seq=2))
    assert sweep(kept, 1000).settled == 0
    assert kept.here() == {"anna", "berta", "carla", "dora"}
    # Of two witnesses that a leave needs here one is there.
    assert sweep(kept, 1000 + RETURN + MINUTE).settled == 1
    assert kept.here() == {"anna", "berta", "carla"}
    *_, leave = kept.timeline()[ROOM]
    assert (leave.user, leave.t, leave.reason) == ("dora", T0 + 1000, "grace")


def test_a_room_that_nothing_is_heard_of_is_closed(kept: Kept) -> None:
    """It is due no more after that."""
    kept.take(kept.report("anna berta"))
    assert sweep(kept, LEASE - MINUTE).settled == 0
    swept = sweep(kept, LEASE + 3 * MINUTE)
    assert (swept.settled, swept.left) == (1, 0)
    assert kept.here() == set()
    assert {each.reason for each in kept.timeline()[ROOM][2:]} == {"lease"}
    assert sweep(kept, LEASE + 4 * MINUTE).settled == 0


def test_the_lag_is_how_long_the_longest_due_has_waited(kept: Kept) -> None:
    """From the minute under which it stands in the index."""
    kept.take(kept.report("anna"))
    kept.take(kept.report("anna", 10 * MINUTE, ref=RoomKey(APP, parse_room(2))))
    lag = sweep(kept, LEASE + 30 * MINUTE).lag
    assert 29 * MINUTE <= lag <= 30 * MINUTE


def test_what_time_is_over_for_is_left_to_the_next_run(kept: Kept) -> None:
    """The longest due of each part come first, and the rest is still due."""
    for room in range(1, 41):
        kept.take(kept.report("anna", room, ref=RoomKey(APP, parse_room(room))))
    first = sweep(kept, LEASE + MINUTE, after(25))
    assert first.left
    assert 0 < first.settled <= 25
    second = sweep(kept, LEASE + MINUTE)
    assert (first.settled + second.settled, second.left) == (40, 0)
    assert not any(kept.here(RoomKey(APP, parse_room(room))) for room in range(1, 41))


def test_the_parts_of_the_index_take_turns(kept: Kept) -> None:
    """However much is due in one of them, the others do not wait for the next run."""
    refs = [RoomKey(APP, parse_room(room)) for room in range(1, 60)]
    for ref in refs:
        kept.take(kept.report("anna", ref=ref))
    sweep(kept, LEASE + MINUTE, after(SHARDS))
    assert {ref.shard for ref in refs if not kept.here(ref)} == {ref.shard for ref in refs}


def test_pages_follow_each_other(kept: Kept) -> None:
    """More rooms than a page holds are due in one part of the index."""
    refs = [
        ref
        for room in range(1, 12 * PAGE)
        if (ref := RoomKey(APP, parse_room(room))).shard == ROOM.shard
    ]
    assert len(refs) > PAGE
    for ref in refs:
        kept.take(kept.report("anna", ref=ref))
    assert sweep(kept, LEASE + MINUTE).settled == len(refs)


def test_only_the_applications_asked_for_are_swept(kept: Kept) -> None:
    """An index has no list of its parts; the applications that are set up are it."""
    other = RoomKey(APP + 1, parse_room(1))
    kept.take(kept.report("anna", ref=other))
    assert sweep(kept, LEASE + MINUTE).settled == 0
    assert sweep(kept, LEASE + MINUTE, apps=(APP, APP + 1)).settled == 1


def test_a_room_that_fails_keeps_no_other_waiting(kept: Kept) -> None:
    """It is told, and tried again in the next run."""
    refs = [RoomKey(APP, parse_room(room)) for room in range(1, 30)]
    for ref in refs:
        kept.take(kept.report("anna", ref=ref))
    broken = kept.client.get_item(TableName="events", Key=head_key(refs[3]))["Item"]
    kept.client.put_item(TableName="events", Item=broken | {"state": {"S": "no JSON"}})
    swept = sweep(kept, LEASE + MINUTE)
    assert (swept.settled, swept.reasons.total()) == (len(refs) - 1, 1)
    assert "JSONDecodeError" in next(iter(swept.reasons))
    kept.client.put_item(TableName="events", Item=broken)
    assert sweep(kept, LEASE + MINUTE).settled == 1


def test_a_part_of_the_index_that_fails_keeps_no_other_waiting() -> None:
    """A throttled partition, for one."""
    first, second = (RoomKey(APP, parse_room(room)) for room in (1, 2))
    assert first.shard != second.shard

    class Throttled(DynamoDBEmulator):
        def query(self, **asked: Any) -> dict[str, Any]:
            if asked["ExpressionAttributeValues"].get(":open") == {"S": first.shard}:
                raise ConnectionClosedError(endpoint_url="http://127.0.0.1:1")
            return super().query(**asked)

    kept = Kept(Throttled())
    for ref in (first, second):
        kept.take(kept.report("anna", ref=ref))
    swept = sweep(kept, LEASE + MINUTE)
    assert (swept.settled, swept.reasons) == (1, {"store-unavailable": 1})
    assert (kept.here(first), kept.here(second)) == ({"anna"}, set())


def test_parts_of_the_index_are_worked_off_side_by_side() -> None:
    """Each room waits for the table, and none for a room of another part."""
    assert WORKERS <= SHARDS
    together = Barrier(WORKERS, timeout=60)

    class Meeting(DynamoDBEmulator):
        meet = False

        def get_item(self, **asked: Any) -> dict[str, Any]:
            if self.meet:
                together.wait()
            return super().get_item(**asked)

    client = Meeting()
    kept = Kept(client)
    shards = {ref.shard: ref for room in range(100) if (ref := RoomKey(APP, parse_room(room + 1)))}
    assert len(shards) == SHARDS
    for ref in shards.values():
        kept.take(kept.report("anna", ref=ref))
    client.meet = True
    swept = sweep(kept, LEASE + MINUTE)
    assert (swept.settled, swept.reasons) == (WORKERS, {})
