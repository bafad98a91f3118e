"""Many members of one room report at once, each by a client of its own, on the local AWS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count, cycle, islice
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.roster.members import replay
from chalicelib.roster.signal import Source
from chalicelib.roster.timeouts import settled_members
from chalicelib.roster.view import set_hash, view_of
from chalicelib.table.client import connect
from chalicelib.table.errors import StoreUnavailable
from chalicelib.table.item_keys import ReporterKey, RoomKey
from chalicelib.table.reports import Report, report_of
from chalicelib.table.rooms import snapshot_of
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import parse_room
from simulation.stored import PLAYURL, openid
from tests.support.event_table import EPOCH, fresh_room, stored_items

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.roster.members import Member
    from chalicelib.table.rooms import RoomState
    from infra.deploy.deployment import Deployed
    from infra.local.aws import LocalAws

THREADS = 24
MINUTE = 60_000  # ms


@pytest.fixture(scope="module")
def clients(aws: LocalAws) -> Iterator[list[DynamoDBClient]]:
    """The functions' own client, once for each thread, pointed at the local AWS."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        yield [connect() for _ in range(THREADS)]


class Race:
    """A room, and threads that take reports of it, each with a memory of its own.

    Where there are fewer reporters than threads, each report comes in several times at once.
    """

    def __init__(self, clients: Sequence[DynamoDBClient], name: str) -> None:
        self.ref = RoomKey(1, parse_room(fresh_room()))
        self.folders = [RoomWriter(EventTable(client, name)) for client in clients]
        self.acknowledged: list[Report] = []
        self._lock = Lock()
        self._seq = count(1)

    def report(self, users: Sequence[str], reporters: Sequence[str], t: int) -> None:
        """Some members report at once who is in the room; a failure is sent again."""
        seq = next(self._seq)
        left = islice(cycle(reporters), max(len(reporters), len(self.folders)))

        def work(folder: RoomWriter) -> None:
            while True:
                with self._lock:
                    user = next(left, None)
                if user is None:
                    return
                others = {other: PLAYURL + other for other in users if other != user}
                place, view = ReporterKey(*self.ref, user), view_of(user, others)
                report = Report(place, EPOCH, seq, EPOCH + t, 0, Source.CLIENT, view)
                while True:
                    try:
                        folder.record(report, EPOCH + t)
                    except StoreUnavailable:
                        continue
                    break
                with self._lock:
                    self.acknowledged.append(report)

        with ThreadPoolExecutor(len(self.folders)) as pool:
            list(pool.map(work, self.folders))


@pytest.mark.parametrize("members", [4, 50, 300, 1000])
def test_the_roster_is_right_though_all_report_at_once(
    clients: list[DynamoDBClient], deployed: Deployed, members: int
) -> None:
    """A room fills, one more comes, and some go: each time everyone, or 100 of many, report it.

    In the end the roster is the true one, the timeline leads to it from every snapshot, and each
    report that was acknowledged is stored as it was sent.
    """
    race = Race(clients, deployed.table)
    everyone = [openid(f"user{number}") for number in range(members)]
    crowd = everyone[: max(4, min(members, 100))]
    race.report(everyone[:-1], [user for user in crowd if user != everyone[-1]], 0)
    race.report(everyone, crowd, MINUTE)
    stay = everyone[: -max(1, members // 10)]
    race.report(stay, [user for user in crowd if user in set(stay)], 2 * MINUTE)
    table = EventTable(clients[0], deployed.table)
    room = table.room(race.ref)
    roster = table.members(room)
    assert (room.head.size, room.head.hash) == (len(roster), set_hash(staying(room, roster)))
    assert settled_members(room.head, EPOCH + 3 * MINUTE, roster).keys() == set(stay)
    changes = list(table.changes(race.ref, 0, room.head.version))
    assert [change.version for change in changes] == list(range(1, room.head.version + 1))
    for version, snapshot in {0: {}, **snapshots(clients[0], deployed.table, race.ref)}.items():
        later = (each for change in changes[version:] for each in change.transitions)
        assert replay(snapshot, later) == roster
    assert_stored(clients[0], deployed.table, race.acknowledged)


def staying(room: RoomState, roster: Mapping[str, Member]) -> set[str]:
    """Who of a roster is not about to leave."""
    return roster.keys() - room.head.leaving(roster).keys()


def snapshots(client: DynamoDBClient, name: str, ref: RoomKey) -> dict[int, Any]:
    """The rosters of a room that are stored, by version."""
    return {
        int(item["sk"]["S"].removeprefix("ROSTER#")): snapshot_of(item)
        for item in stored_items(client, name, ref.pk)
        if item["sk"]["S"].startswith("ROSTER#")
    }


def assert_stored(client: DynamoDBClient, name: str, reports: list[Report]) -> None:
    """Every report can be read as it was sent, and stands there once."""
    table = EventTable(client, name)
    assert len(reports) > 0
    places = {report.place for report in reports}
    stored = [
        report_of(item, partial(table.members_at, place.ref))
        for place in places
        for item in stored_items(client, name, place.pk)
    ]
    sent = {_when(report): report for report in reports}
    assert {_when(report): report for report in stored} == sent
    assert len(stored) == len(sent)


def _when(report: Report) -> tuple[str, int]:
    return report.place.user_id, report.seq
