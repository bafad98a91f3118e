"""What the event table promises, as tests: on the stand-in, moto and the local AWS alike."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.roster.fold import Folded
from chalicelib.roster.known import MOST_PAST, MOST_RECENT
from chalicelib.roster.members import Member, Reason, Transition, replay
from chalicelib.roster.signal import Kind, Order, Signal, Source
from chalicelib.roster.transforms import Outcome
from chalicelib.roster.userlist import ListTooLarge
from chalicelib.roster.view import View, set_hash, view_of
from chalicelib.table.errors import HeadMoved, HistoryGone, ReportConflict
from chalicelib.table.item_keys import ReporterKey, RoomKey, snapshot_key
from chalicelib.table.reports import Report, report_of
from chalicelib.table.rooms import SNAPSHOT_EVERY, RoomState
from chalicelib.table.table import EventTable, Retention
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import NumberRoom, parse_room
from tests.support.lists import plain_view

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.trtc.identifiers import Room

EPOCH = 1_600_000_000_000
WEEK = 7 * 86_400
KEPT = Retention(reports=7, history=90)
_fresh_rooms = count(random.SystemRandom().randrange(1, 2**31))


def fresh_room() -> NumberRoom:
    """A room that no other test uses, nor an earlier run on the same table."""
    return NumberRoom(next(_fresh_rooms))


def create_table(client: DynamoDBClient, name: str) -> None:
    """A table with the keys and the index of the event table."""
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "open", "AttributeType": "S"},
            {"AttributeName": "due", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "open",
                "KeySchema": [
                    {"AttributeName": "open", "KeyType": "HASH"},
                    {"AttributeName": "due", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def report(
    room: Room, view: View, seq: int = 1, *, epoch: int = EPOCH, age: int = 0, app: int = 1
) -> Report:
    """A report that came in at its epoch."""
    return Report(
        ReporterKey(app, room, view.reporter), epoch, seq, epoch, age, Source.CLIENT, view
    )


def stored_items(client: DynamoDBClient, name: str, pk: str) -> list[Any]:
    """The items of a partition, in their order."""
    answer = client.query(
        TableName=name,
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={":pk": {"S": pk}, ":first": {"S": " "}, ":last": {"S": "~"}},
        ConsistentRead=True,
    )
    return answer["Items"]


def items_in(client: DynamoDBClient, name: str) -> int:
    """How many items a table holds."""
    pages = client.get_paginator("scan").paginate(TableName=name, Select="COUNT")
    return sum(page["Count"] for page in pages)


def no_version(version: int) -> Any:
    """The roster of a version that no report was written beside."""
    raise AssertionError(version)


class EventTableContract:
    """The promises; a subclass's module gives the fixtures ``client`` and ``name``."""

    @pytest.fixture
    def table(self, client: DynamoDBClient, name: str) -> EventTable:
        """The event table under test."""
        return EventTable(client, name, KEPT)

    @pytest.fixture
    def ref(self) -> RoomKey:
        """A room of the test's own."""
        return RoomKey(1, parse_room(fresh_room()))

    def store(self, table: EventTable, sent: Report) -> Report | None:
        """Store a report beside its room as it is now."""
        room = table.room(sent.place.ref)
        return table.store(sent, room, lambda: table.members(room))

    def join(self, table: EventTable, ref: RoomKey, *users: str, t: int = EPOCH) -> RoomState:
        """Commit that some users came, whoever is there."""
        room = table.room(ref)
        members = table.members(room)
        came = [Transition(True, u, t, u, Source.CLIENT, Reason.LISTED) for u in users]
        return self.commit(table, room, came, replay(members, came))

    def leave(self, table: EventTable, ref: RoomKey, *users: str, t: int = EPOCH) -> RoomState:
        """Commit that some users went."""
        room = table.room(ref)
        members = table.members(room)
        went = [Transition(False, u, t, u, Source.CLIENT, Reason.LEFT) for u in users]
        return self.commit(table, room, went, replay(members, went))

    def commit(
        self,
        table: EventTable,
        room: RoomState,
        transitions: list[Transition],
        after: dict[str, Member],
    ) -> RoomState:
        """Commit transitions that lead to some members."""
        head = room.head._replace(
            version=room.head.version + 1,
            revision=room.head.revision + 1,
            hash=set_hash(after),
            size=len(after),
        )
        folded = Folded(head, tuple(transitions), Outcome.APPLIED, resend=False)
        return table.commit(room, folded, lambda: table.members(room), EPOCH + 5)

    @pytest.mark.parametrize("members", [1, 5, 50, 5000])
    def test_what_is_stored_can_be_read(
        self, table: EventTable, ref: RoomKey, members: int
    ) -> None:
        """A report is there as soon as it is acknowledged, at every size."""
        sent = report(ref.room, plain_view(members), age=250)
        assert self.store(table, sent) is None
        assert table.newest(sent.place) == sent

    def test_a_report_beside_a_roster_can_be_read_when_that_has_moved_on(
        self, client: DynamoDBClient, name: str, table: EventTable, ref: RoomKey
    ) -> None:
        """A list that is written as a difference is read by the roster of its time."""
        view = plain_view(200)
        self.join(table, ref, *list(view.others)[5:], "zoe")
        sent = report(ref.room, view)
        self.store(table, sent)
        self.leave(table, ref, *list(view.others)[50:])
        (item,) = stored_items(client, name, sent.place.pk)
        assert item["base"] == {"N": "1"}
        assert EventTable(client, name).newest(sent.place) == sent
        assert table.newest(sent.place) == sent

    def test_a_repeat_is_stored_once(
        self, client: DynamoDBClient, name: str, table: EventTable, ref: RoomKey
    ) -> None:
        """The same list under the same (epoch, seq) gives back the one that came first."""
        sent = report(ref.room, plain_view(4))
        again = sent._replace(received=sent.received + 900, age=5, resent=True)
        assert [self.store(table, each) for each in (sent, again, sent)] == [None, sent, sent]
        (item,) = stored_items(client, name, sent.place.pk)
        assert report_of(item, no_version) == sent

    @pytest.mark.parametrize(
        "other",
        [
            view_of("anna", {}),
            view_of("anna", {"berta": "room://other/berta"}),
            view_of("anna", {"berta": None}),
        ],
    )
    def test_another_list_under_the_same_seq_is_a_conflict(
        self, table: EventTable, ref: RoomKey, other: View
    ) -> None:
        """The list that came first stays, and the other is refused, if only a playurl differs."""
        first = report(ref.room, view_of("anna", {"berta": "room://x/berta"}))
        self.store(table, first)
        with pytest.raises(ReportConflict):
            self.store(table, first._replace(view=other))
        assert table.newest(first.place) == first

    def test_a_reporter_is_recalled_newest_first(self, table: EventTable, ref: RoomKey) -> None:
        """By (epoch, seq), so many at most; what comes late takes its place."""
        place = ReporterKey(*ref, "anna")
        assert table.past(place) == ()
        assert table.newest(place) is None
        recalled = []
        for epoch, seq in ((EPOCH, 1), (EPOCH, 10), (EPOCH, 9), (EPOCH + 5, 0)):
            self.store(table, report(ref.room, view_of("anna", {}), seq, epoch=epoch))
            recalled.append([said.order for said in table.past(place)])
        first, tenth, ninth, other = (EPOCH, 1), (EPOCH, 10), (EPOCH, 9), (EPOCH + 5, 0)
        expected = [[first], [tenth, first], [tenth, ninth, first], [other, tenth, ninth]]
        assert recalled == expected
        for seq in range(1, 20):
            self.store(table, report(ref.room, view_of("anna", {}), seq, epoch=EPOCH + 9))
        assert len(table.past(place)) == MOST_PAST
        assert len(table.recent(place)) == MOST_RECENT

    def test_nothing_follows_a_good_bye_under_its_token(
        self, table: EventTable, ref: RoomKey
    ) -> None:
        """Whatever its client counts; and the count is kept."""
        left = report(ref.room, view_of("anna", {}), 3)._replace(view=None)
        self.store(table, left)
        self.store(table, report(ref.room, view_of("anna", {}), 4))
        last = table.last_word(left.place)
        assert last is not None
        assert (last.members, last.order.epoch) == (0, EPOCH)
        assert table.newest(left.place) == left

    def test_a_list_too_large_is_refused_before_any_write(
        self, client: DynamoDBClient, name: str, table: EventTable, ref: RoomKey
    ) -> None:
        """What fits no item leaves nothing behind."""
        chance = random.Random(2)  # noqa: S311 (noise, no secret)
        noise: dict[str, str | None] = {
            f"u{number}": chance.randbytes(250).hex() for number in range(1700)
        }
        sent = report(ref.room, view_of("anna", noise))
        with pytest.raises(ListTooLarge):
            self.store(table, sent)
        assert stored_items(client, name, sent.place.pk) == []

    def test_rooms_and_applications_are_apart(self, table: EventTable) -> None:
        """Room 123, room "123" and another application's room 123 know nothing of each other."""
        room = fresh_room()
        refs = [RoomKey(1, parse_room(room)), RoomKey(1, parse_room(str(room))), RoomKey(2, room)]
        for at, ref in enumerate(refs):
            self.join(table, ref, f"user{at}")
            self.store(table, report(ref.room, view_of("anna", {}), at, app=ref.sdk_app_id))
        states = [table.room(ref) for ref in refs]
        assert [list(table.members(each)) for each in states] == [["user0"], ["user1"], ["user2"]]
        seqs = [table.past(ReporterKey(*ref, "anna"))[0].order.seq for ref in refs]
        assert seqs == [0, 1, 2]

    def test_a_room_that_was_never_seen_is_empty(self, table: EventTable, ref: RoomKey) -> None:
        """It has version 0, no members and no changes."""
        room = table.room(ref)
        assert room == RoomState(ref)
        assert table.members(room) == {}
        assert list(table.changes(ref, 0, 0)) == []
        assert table.change(ref, 1) is None

    def test_a_head_that_moved_is_not_written_over(self, table: EventTable, ref: RoomKey) -> None:
        """Of two steps from one head only the first is written, all of it; of a first one too."""
        for _ in range(2):
            before = table.room(ref)
            members = table.members(before)
            first = self.join(table, ref, f"first{before.head.version}")
            with pytest.raises(HeadMoved):
                self.commit(table, before, [], dict(members))
            late = Transition(True, "late", EPOCH, "late", Source.CLIENT, Reason.LISTED)
            with pytest.raises(HeadMoved):
                self.commit(table, before, [late], replay(members, [late]))
            assert table.room(ref) == first
        versions = [change.version for change in table.changes(ref, 0, 9)]
        assert versions == [1, 2]

    @pytest.mark.parametrize("many", [3, 300])
    def test_any_version_of_a_roster_can_be_read(
        self, client: DynamoDBClient, name: str, ref: RoomKey, many: int
    ) -> None:
        """From the snapshots and the changes since, by whoever reads first."""
        table = EventTable(client, name, KEPT)
        self.join(table, ref, *plain_view(many + 1).others)
        rosters = [{}, dict(table.members(table.room(ref)))]
        for number in range(SNAPSHOT_EVERY + 3):
            step = self.leave if number % 3 == 2 else self.join
            users = [f"guest{number - number % 3}"] if number % 3 == 2 else [f"guest{number}"]
            rosters.append(dict(table.members(step(table, ref, *users, t=EPOCH + number))))
        assert rosters[-1] == table.members(EventTable(client, name).room(ref))
        fresh = EventTable(client, name)
        for version in (len(rosters) - 1, 0, 1, SNAPSHOT_EVERY - 1, SNAPSHOT_EVERY, 40):
            assert fresh.members_at(ref, version) == rosters[version], version
            assert EventTable(client, name).members_at(ref, version) == rosters[version], version

    def test_a_room_that_emptied_needs_nothing_from_before(
        self, client: DynamoDBClient, name: str, table: EventTable, ref: RoomKey
    ) -> None:
        """Changes that are garbage are missed only where they count."""
        self.join(table, ref, "anna", "berta")
        self.leave(table, ref, "anna", "berta")
        self.join(table, ref, "carla")
        pk, sk = {"S": ref.pk}, {"S": "T#0000000001"}
        client.delete_item(TableName=name, Key={"pk": pk, "sk": sk})
        fresh = EventTable(client, name)
        assert set(fresh.members_at(ref, 3)) == {"carla"}
        assert fresh.members_at(ref, 2) == {}
        with pytest.raises(HistoryGone):
            EventTable(client, name).members_at(ref, 1)

    def test_a_snapshot_that_is_gone_is_not_made_up(
        self, client: DynamoDBClient, name: str, table: EventTable, ref: RoomKey
    ) -> None:
        """Members that stand apart are known from a snapshot, or not at all."""
        self.join(table, ref, *plain_view(301).others)
        for number in range(20):
            room = self.join(table, ref, f"guest{number}")
        assert room.inline is None
        client.delete_item(TableName=name, Key=snapshot_key(ref, room.base))
        with pytest.raises(HistoryGone):
            EventTable(client, name).members(room)

    def test_items_become_garbage_in_time(
        self, client: DynamoDBClient, name: str, table: EventTable, ref: RoomKey
    ) -> None:
        """The attribute ttl is unix seconds: of reports by when they came in, of changes too."""
        sent = report(ref.room, plain_view(2))
        self.store(table, sent)
        (item,) = stored_items(client, name, sent.place.pk)
        assert item["ttl"] == {"N": str(EPOCH // 1000 + WEEK)}
        self.join(table, ref, "anna")
        head, change = stored_items(client, name, ref.pk)
        assert change["ttl"] == {"N": str(EPOCH // 1000 + 90 * 86_400)}
        assert "ttl" not in head

    def test_only_open_rooms_stand_in_the_index(
        self, client: DynamoDBClient, name: str, table: EventTable, ref: RoomKey
    ) -> None:
        """With nothing but their keys, by the minute at which something is due."""

        def found() -> list[Any]:
            answer = client.query(
                TableName=name,
                IndexName="open",
                KeyConditionExpression="#open = :open",
                ExpressionAttributeNames={"#open": "open"},
                ExpressionAttributeValues={":open": {"S": ref.shard}},
            )
            return [each for each in answer["Items"] if each["pk"]["S"] == ref.pk]

        self.join(table, ref, "anna")
        (row,) = found()
        assert row.keys() == {"pk", "sk", "open", "due"}
        assert row["sk"] == {"S": "HEAD"}
        self.leave(table, ref, "anna")
        assert found() == []

    def test_three_members_come_and_go(self, table: EventTable, ref: RoomKey) -> None:
        """What they report is folded: who is in the room, and how that came to be."""
        folder = RoomWriter(table)
        said = [
            (0, "anna", ""),
            (1000, "berta", "anna"),
            (1040, "anna", "berta"),
            (9000, "carla", "anna berta"),
            (9030, "anna", "berta carla"),
            (9040, "berta", "anna carla"),
        ]
        for seq, (t, user, others) in enumerate(said):
            view = view_of(user, dict.fromkeys(others.split()))
            sent = report(ref.room, view, seq)
            folder.record(sent._replace(received=EPOCH + t), EPOCH + t)
        left = Report(ReporterKey(*ref, "carla"), EPOCH, 9, EPOCH + 20_000, 0, Source.CLIENT, None)
        outcomes = [folder.record(left, EPOCH + 20_000).outcome for _ in range(2)]
        assert outcomes == ["applied", "duplicate"]
        beat = Signal(
            Kind.HEARTBEAT,
            Source.CLIENT,
            "anna",
            EPOCH + 21_000,
            EPOCH + 21_000,
            Order(0, 0),
            set_hash(["anna", "berta"]),
        )
        heard = folder.apply(ref, beat, EPOCH + 21_000)
        assert (heard.outcome, heard.resend) == ("unchanged", False)
        room = table.room(ref)
        assert set(table.members(room)) == {"anna", "berta"}
        story = [
            f"{'-+'[each.joined]}{each.user}@{each.t - EPOCH}"
            for change in table.changes(ref, 0, room.head.version)
            for each in change.transitions
        ]
        assert story == ["+anna@0", "+berta@1000", "+carla@9000", "-carla@20000"]
