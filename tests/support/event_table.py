"""What the event table promises, as tests that run on moto and on the local AWS alike."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.events.items import Place, Report, report_item, report_key, report_pk
from chalicelib.events.refusals import ReportConflict
from chalicelib.events.table import EventTable, Outcome
from chalicelib.roster.parse import ListTooLarge
from chalicelib.roster.view import View, view_of
from tests.support.lists import plain_view

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.rooms.identifiers import Room

EPOCH = 1_600_000_000_000
WEEK = 7 * 86_400
_fresh_rooms = count(random.SystemRandom().randrange(1, 2**31))


def fresh_room() -> int:
    """A room that no other test uses, nor an earlier run on the same table."""
    return next(_fresh_rooms)


def create_table(client: DynamoDBClient, name: str) -> None:
    """A table with the keys of the event table."""
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def report(
    room: Room, view: View, seq: int = 1, *, epoch: int = EPOCH, age: int = 0, app: int = 1
) -> Report:
    """A report that came in at its epoch."""
    return Report(Place(app, room, view.reporter), epoch, seq, epoch, age, "client", view)


def stored_reports(client: DynamoDBClient, name: str, place: Place) -> list[Any]:
    """A member's report items, oldest first."""
    answer = client.query(
        TableName=name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": report_pk(place)}},
        ConsistentRead=True,
    )
    return answer["Items"]


class EventTableContract:
    """The promises; a subclass's module gives the fixtures ``client`` and ``name``."""

    @pytest.fixture
    def table(self, client: DynamoDBClient, name: str) -> EventTable:
        """The event table under test."""
        return EventTable(client, name)

    @pytest.fixture
    def room(self) -> int:
        """A room of the test's own."""
        return fresh_room()

    def newest(self, table: EventTable, room: Room, app: int = 1) -> list[Report]:
        """Each member's newest report."""
        return list(table.newest_views(app, room, 100).reports)

    @pytest.mark.parametrize("members", [1, 5, 50, 5000])
    def test_what_is_stored_can_be_read(self, table: EventTable, room: int, members: int) -> None:
        """A report is there as soon as it is acknowledged, at every size."""
        sent = report(room, plain_view(members), age=250)
        assert table.store(sent) == Outcome.STORED
        assert self.newest(table, room) == [sent]

    def test_a_repeat_is_stored_once(
        self, client: DynamoDBClient, name: str, table: EventTable, room: int
    ) -> None:
        """The same list under the same (epoch, seq) is a success, and changes nothing."""
        sent = report(room, plain_view(4))
        again = sent._replace(received=sent.received + 900, age=5)
        outcomes = [table.store(sent), table.store(again), table.store(sent)]
        assert outcomes == [Outcome.STORED, Outcome.DUPLICATE, Outcome.DUPLICATE]
        assert self.newest(table, room) == [sent]
        assert len(stored_reports(client, name, sent.place)) == 1

    @pytest.mark.parametrize(
        "other",
        [
            view_of("anna", {}),
            view_of("anna", {"berta": "room://other/berta"}),
            view_of("anna", {"berta": None}),
        ],
    )
    def test_another_list_under_the_same_seq_is_a_conflict(
        self, table: EventTable, room: int, other: View
    ) -> None:
        """The list that came first stays, and the other is refused, if only a playurl differs."""
        first = report(room, view_of("anna", {"berta": "room://x/berta"}))
        table.store(first)
        with pytest.raises(ReportConflict):
            table.store(first._replace(view=other))
        assert self.newest(table, room) == [first]

    def test_newest_only_moves_forward(self, table: EventTable, room: int) -> None:
        """Reports that come late are stored, but the newest view is by (epoch, seq)."""
        orders = [(EPOCH, 1), (EPOCH, 10), (EPOCH, 9), (EPOCH + 5, 0), (EPOCH, 11)]
        newest = []
        for epoch, seq in orders:
            table.store(report(room, plain_view(2), seq, epoch=epoch))
            newest += [(r.epoch, r.seq) for r in self.newest(table, room)]
        assert newest == [orders[0], orders[1], orders[1], orders[3], orders[3]]

    def test_a_repeat_completes_a_first_try_that_died(
        self, client: DynamoDBClient, name: str, table: EventTable, room: int
    ) -> None:
        """A report whose first try died after its first write becomes the newest by its repeat."""
        sent = report(room, plain_view(3))
        client.put_item(TableName=name, Item=report_item(sent, EPOCH // 1000 + WEEK))
        assert self.newest(table, room) == []
        assert table.store(sent) == Outcome.DUPLICATE
        assert self.newest(table, room) == [sent]

    def test_a_list_too_large_is_refused_before_any_write(
        self, client: DynamoDBClient, name: str, table: EventTable, room: int
    ) -> None:
        """What fits no item leaves nothing behind."""
        chance = random.Random(2)  # noqa: S311 (noise, no secret)
        noise: dict[str, str | None] = {
            f"u{number}": chance.randbytes(250).hex() for number in range(1700)
        }
        sent = report(room, view_of("anna", noise))
        with pytest.raises(ListTooLarge):
            table.store(sent)
        assert stored_reports(client, name, sent.place) == []
        assert self.newest(table, room) == []

    def test_rooms_and_applications_are_apart(self, table: EventTable, room: int) -> None:
        """Room 123, room "123" and another application's room 123 hold their own views."""
        places: list[tuple[int, Room]] = [(1, room), (1, str(room)), (2, room)]
        for seq, (app, where) in enumerate(places):
            table.store(report(where, plain_view(seq + 1), seq, app=app))
        seqs = [[r.seq for r in self.newest(table, where, app)] for app, where in places]
        assert seqs == [[0], [1], [2]]

    def test_a_room_that_nobody_reported_from_is_empty(self, table: EventTable, room: int) -> None:
        """No report is no view, and no next page."""
        page = table.newest_views(1, room, 10)
        assert list(page.reports) == []
        assert page.next is None

    def test_pages_hold_each_member_once(self, table: EventTable, room: int) -> None:
        """Reading on after the last one shown gives every member, in order, and then ends."""
        users = sorted(["a", "a-", "a_", "aa", "A", "Z" * 32, "b", "-", "9"])
        for user in users:
            table.store(report(room, view_of(user, {})))
        seen: list[list[str]] = []
        after: str | None = None
        while True:
            page = table.newest_views(1, room, 3, after)
            seen.append([r.view.reporter for r in page.reports])
            after = page.next
            if after is None:
                break
        assert seen == [users[:3], users[3:6], users[6:]]

    def test_a_page_may_be_longer_than_one_batch_of_reads(
        self, table: EventTable, room: int
    ) -> None:
        """A page of 60 members comes in order, whatever the store answers at once."""
        users = [f"u{number:02}" for number in range(60)]
        for user in users:
            table.store(report(room, view_of(user, {})))
        assert [r.view.reporter for r in self.newest(table, room)] == users

    def test_items_become_garbage_after_a_week(
        self, client: DynamoDBClient, name: str, table: EventTable, room: int
    ) -> None:
        """The attribute ttl is unix seconds, a week after the report came in."""
        sent = report(room, plain_view(2))
        table.store(sent)
        (item,) = stored_reports(client, name, sent.place)
        assert item["ttl"] == {"N": str(EPOCH // 1000 + WEEK)}

    def test_a_member_whose_report_was_garbage_is_left_out(
        self, client: DynamoDBClient, name: str, table: EventTable, room: int
    ) -> None:
        """TTL deletes a report and its pointer at different times; the view just goes."""
        gone, stays = report(room, view_of("anna", {})), report(room, view_of("berta", {}))
        table.store(gone)
        table.store(stays)
        client.delete_item(TableName=name, Key=report_key(gone.place, gone.epoch, gone.seq))
        assert self.newest(table, room) == [stays]
