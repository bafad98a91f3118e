"""The event table on the local AWS's DynamoDB, in the deployed table, where threads may race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from chalicelib.roster.view import view_of
from chalicelib.table.client import connect
from chalicelib.table.errors import ReportConflict
from chalicelib.table.reports import report_of
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import parse_room
from tests.support.event_table import (
    EPOCH,
    EventTableContract,
    fresh_room,
    no_version,
    report,
    stored_items,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.table.reports import Report
    from infra.deploy.deployment import Deployed
    from infra.local.aws import LocalAws

THREADS = 20


@pytest.fixture(scope="module")
def client(aws: LocalAws) -> Iterator[DynamoDBClient]:
    """The functions' own client, pointed at the local AWS."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environ.items():
            patch.setenv(name, value)
        patch.delenv("AWS_SESSION_TOKEN", raising=False)
        yield connect()


@pytest.fixture
def name(deployed: Deployed) -> str:
    """The deployed event table."""
    return deployed.table


class TestEventTable(EventTableContract):
    """All that the event table promises, on the local AWS."""


def take_at_once(client: DynamoDBClient, name: str, reports: list[Report]) -> list[str]:
    """What came of each report, taken by a thread of its own at the same moment."""
    barrier = Barrier(len(reports))

    def take(one: Report) -> str:
        folder = RoomWriter(EventTable(client, name))
        barrier.wait()
        try:
            return str(folder.record(one, EPOCH).outcome)
        except ReportConflict:
            return "conflict"

    with ThreadPoolExecutor(len(reports)) as pool:
        return list(pool.map(take, reports))


@pytest.mark.parametrize("lists", [1, 4, THREADS])
def test_of_20_reports_under_one_seq_one_is_stored(
    client: DynamoDBClient, name: str, lists: int
) -> None:
    """One list wins; whoever sent that one is told of a success, all others of a conflict."""
    for _ in range(5):
        room = fresh_room()
        views = [view_of("anna", {f"u{n % lists}": None}) for n in range(THREADS)]
        sent = [report(parse_room(room), view) for view in views]
        outcomes = take_at_once(client, name, sent)
        (item,) = stored_items(client, name, sent[0].place.pk)
        won = [one == report_of(item, no_version) for one in sent]
        assert won == [outcome != "conflict" for outcome in outcomes]
        # None, if the client library sent the winner again because an answer was late.
        assert len(outcomes) - outcomes.count("conflict") - outcomes.count("duplicate") <= 1


def test_the_newest_is_the_newest_whoever_writes_last(client: DynamoDBClient, name: str) -> None:
    """20 reports of one member at once: all are stored, and the last seq is recalled first."""
    for _ in range(5):
        room = fresh_room()
        sent = [
            report(parse_room(room), view_of("anna", {f"u{n}": None}), n) for n in range(THREADS)
        ]
        assert "conflict" not in take_at_once(client, name, sent)
        place = sent[0].place
        assert len(stored_items(client, name, place.pk)) == THREADS
        assert EventTable(client, name).newest(place) == sent[-1]


def test_no_member_is_lost_when_all_report_at_once(client: DynamoDBClient, name: str) -> None:
    """20 members report one list at the same moment: it is folded once, and all are stored."""
    room = fresh_room()
    users = [f"u{number:02}" for number in range(THREADS)]
    sent = [report(parse_room(room), view_of(u, dict.fromkeys(set(users) - {u}))) for u in users]
    outcomes = take_at_once(client, name, sent)
    assert set(outcomes) <= {"applied", "unchanged"}
    assert outcomes.count("applied") <= 1  # None, if the deployed keeper was faster.
    table = EventTable(client, name)
    state = table.room(sent[0].place.ref)
    assert (state.head.version, set(table.members(state))) == (1, set(users))
    assert [table.newest(one.place) for one in sent] == sent
