"""The event table on the local AWS's DynamoDB, in the deployed table, where threads may race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from chalicelib.events.dynamodb import connect
from chalicelib.events.items import report_item
from chalicelib.events.refusals import ReportConflict
from chalicelib.events.table import EventTable
from chalicelib.roster.view import view_of
from tests.support.event_table import (
    EPOCH,
    WEEK,
    EventTableContract,
    fresh_room,
    report,
    stored_reports,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.events.items import Report
    from infra.deploy import Deployed
    from infra.local_aws import LocalAws

THREADS = 20
TTL = EPOCH // 1000 + WEEK


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


def store_at_once(client: DynamoDBClient, name: str, reports: list[Report]) -> list[str]:
    """What came of each report, stored from a thread of its own at the same moment."""
    barrier = Barrier(len(reports))

    def store(one: Report) -> str:
        table = EventTable(client, name)
        barrier.wait()
        try:
            return table.store(one).value
        except ReportConflict:
            return "conflict"

    with ThreadPoolExecutor(len(reports)) as pool:
        return list(pool.map(store, reports))


@pytest.mark.parametrize("lists", [1, 4, THREADS])
def test_of_20_reports_under_one_seq_one_is_stored(
    client: DynamoDBClient, name: str, lists: int
) -> None:
    """One list wins; whoever sent that one is told of a success, all others of a conflict."""
    for _ in range(5):
        room = fresh_room()
        views = [view_of("anna", {f"u{n % lists}": None}) for n in range(THREADS)]
        sent = [report(room, view) for view in views]
        outcomes = store_at_once(client, name, sent)
        page = EventTable(client, name).newest_views(1, room, 5)
        (winner,) = page.reports
        assert stored_reports(client, name, winner.place) == [report_item(winner, TTL)]
        won = [one == winner for one in sent]
        assert won == [outcome != "conflict" for outcome in outcomes]
        # None, if the client library sent the winner again because an answer was late.
        assert outcomes.count("stored") <= 1


def test_newest_is_the_newest_whoever_writes_last(client: DynamoDBClient, name: str) -> None:
    """20 reports of one member at once: all are stored, and the pointer ends at the last seq."""
    for _ in range(5):
        room = fresh_room()
        sent = [report(room, view_of("anna", {f"u{n}": None}), n) for n in range(THREADS)]
        assert "conflict" not in store_at_once(client, name, sent)
        assert len(stored_reports(client, name, sent[0].place)) == THREADS
        page = EventTable(client, name).newest_views(1, room, 5)
        assert list(page.reports) == [sent[-1]]


def test_no_member_is_lost_when_all_report_at_once(client: DynamoDBClient, name: str) -> None:
    """20 members report one change at the same moment, and each has its view."""
    room = fresh_room()
    users = [f"u{number:02}" for number in range(THREADS)]
    sent = [report(room, view_of(u, dict.fromkeys(set(users) - {u}))) for u in users]
    assert "conflict" not in store_at_once(client, name, sent)
    shown = list(EventTable(client, name).newest_views(1, room, THREADS).reports)
    assert shown == sent
    assert len({one.view.hash for one in shown}) == 1
