"""Storing and folding, with a store that fails and others that write, on the stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from chalicelib.roster.callback import parse_callback
from chalicelib.roster.head import LEASE
from chalicelib.roster.members import replay
from chalicelib.roster.signal import Kind, Signal, Source
from chalicelib.roster.view import view_of
from chalicelib.table.callback_items import StoredCallback
from chalicelib.table.errors import HeadMoved, StoreUnavailable
from chalicelib.table.item_keys import RoomKey, callbacks_pk, snapshot_key
from chalicelib.table.items import Items
from chalicelib.table.rooms import DAY, SNAPSHOT_EVERY_APART
from chalicelib.table.table import REPORT_DAYS, EventTable
from chalicelib.table.writer import TRIES, RoomWriter
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from tests.support.event_table import EPOCH, fresh_room, report, stored_items
from tests.support.lists import plain_view
from tests.support.signing import callback_body

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="module")
def client() -> Any:
    """The stand-in."""
    return DynamoDBEmulator()


class FaultyClient:
    """A client whose n-th call fails: before the store hears of it, or with its answer lost.

    It has the four operations that the event table may use, and no other.
    """

    def __init__(
        self, client: DynamoDBClient, error: Exception, nth: int, *, lost: bool = False
    ) -> None:
        self._client, self._error, self._left, self._lost = client, error, nth, lost

    def get_item(self, **arguments: Any) -> Any:
        """Read an item, or refuse to."""
        return self._call(self._client.get_item, arguments)

    def put_item(self, **arguments: Any) -> Any:
        """Write an item, or refuse to."""
        return self._call(self._client.put_item, arguments)

    def transact_write_items(self, **arguments: Any) -> Any:
        """Write items, or refuse to."""
        return self._call(self._client.transact_write_items, arguments)

    def query(self, **arguments: Any) -> Any:
        """Read a range, or refuse to."""
        return self._call(self._client.query, arguments)

    def _call(self, operation: Any, arguments: dict[str, Any]) -> Any:
        self._left -= 1
        if self._left == 0 and not self._lost:
            raise self._error
        answer = operation(**arguments)
        if self._left == 0:
            raise self._error
        return answer


def client_error(code: str, status: int = 400, **more: Any) -> ClientError:
    """An error as DynamoDB answers it."""
    response: Any = {
        "Error": {"Code": code, "Message": "arn:aws:dynamodb:eu-central-1:1:table/events"},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r", "RetryAttempts": 0},
        **more,
    }
    return ClientError(response, "PutItem")


def canceled(*reasons: str) -> ClientError:
    """A transaction that was canceled, with a reason for each of its items."""
    codes = [{"Code": reason} for reason in reasons]
    return client_error("TransactionCanceledException", CancellationReasons=codes)


PASSING = [
    client_error("ThrottlingException"),
    client_error("ProvisionedThroughputExceededException"),
    client_error("RequestLimitExceeded"),
    client_error("TransactionInProgressException"),
    client_error("InternalServerError", 500),
    client_error("SomethingNew", 503),
    canceled("None", "ThrottlingError"),
    canceled("ProvisionedThroughputExceeded", "None"),
    ReadTimeoutError(endpoint_url="https://x"),
    EndpointConnectionError(endpoint_url="https://x"),
    ConnectionClosedError(endpoint_url="https://x"),
]


def faulty(client: DynamoDBClient, error: Exception, nth: int, *, lost: bool = False) -> EventTable:
    """An event table whose n-th call to the store fails."""
    return EventTable(FaultyClient(client, error, nth, lost=lost), "events")  # type: ignore[arg-type]  # A stand-in.


READ_HEAD, PUT_REPORT, READ_REPORTS, COMMIT = 1, 2, 3, 4
"""The calls of a report that changes its room."""


@pytest.mark.parametrize("error", PASSING, ids=str)
@pytest.mark.parametrize("nth", [READ_HEAD, PUT_REPORT, READ_REPORTS, COMMIT])
@pytest.mark.parametrize("lost", [False, True])
def test_a_report_survives_any_failure_that_passes(
    client: DynamoDBClient, error: Exception, nth: int, *, lost: bool
) -> None:
    """Before it is stored, the caller is told to try again; from then on it is a success.

    Either way, the same once more leaves the room as if nothing had failed.
    """
    view = plain_view(3)
    sent = report(parse_room(fresh_room()), view)
    folder = RoomWriter(faulty(client, error, nth, lost=lost))
    if nth <= PUT_REPORT:
        with pytest.raises(StoreUnavailable) as caught:
            folder.record(sent, EPOCH)
        assert (caught.value.code, caught.value.retry_after) == ("store-unavailable", 1)
    else:
        assert folder.record(sent, EPOCH).outcome == "stored"
    stored = nth > PUT_REPORT or (nth == PUT_REPORT and lost)
    table = EventTable(client, "events")
    again = RoomWriter(table).record(sent, EPOCH)
    assert again.outcome == ("duplicate" if stored else "applied")
    assert set(table.members(again.room)) == {view.reporter, *view.others}
    assert table.newest(sent.place) == sent


def test_what_comes_again_counts_as_of_when_it_came_in_first(client: DynamoDBClient) -> None:
    """Its first try died before it was folded; a minute later it is no newer for that."""
    sent = report(parse_room(fresh_room()), plain_view(3))
    assert RoomWriter(faulty(client, PASSING[0], COMMIT)).record(sent, EPOCH).outcome == "stored"
    table, later = EventTable(client, "events"), EPOCH + 60_000
    again = RoomWriter(table).record(sent._replace(received=later), later)
    assert again.outcome == "duplicate"
    assert {member.since for member in table.members(again.room).values()} == {EPOCH}


def test_a_callback_that_comes_again_is_folded_all_the_same(client: DynamoDBClient) -> None:
    """Its first try died before it was folded; Tencent sends it again, and need not wait."""
    ref = RoomKey(1, parse_room(fresh_room()))
    body = callback_body(EPOCH, RoomId=ref.room, UserId="anna")
    callback = StoredCallback(ref.sdk_app_id, EPOCH, parse_callback(body))
    put, read_head, commit = 1, 2, 3
    for nth in (put, read_head, commit):
        folder = RoomWriter(faulty(client, PASSING[0], nth))
        if nth == put:
            with pytest.raises(StoreUnavailable):
                folder.record_callback(callback, EPOCH)
        else:
            assert folder.record_callback(callback, EPOCH) in {"stored", "duplicate"}
    table = EventTable(client, "events")
    assert table.room(ref).head.size == 0
    assert RoomWriter(table).record_callback(callback, EPOCH) == "duplicate"
    assert set(table.members(table.room(ref))) == {"anna"}
    (item,) = stored_items(client, "events", callbacks_pk(ref.sdk_app_id, str(ref.room)))
    assert item["ttl"] == {"N": str(EPOCH // 1000 + REPORT_DAYS * DAY)}


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_missing_right_or_table_is_no_refusal(client: DynamoDBClient, code: str) -> None:
    """What an operator must mend is a fault of ours: no caller is told to try again."""
    with pytest.raises(ClientError, match=code):
        RoomWriter(faulty(client, client_error(code), 2)).record(
            report(parse_room(fresh_room()), plain_view(3)), EPOCH
        )


@pytest.mark.parametrize(
    "error",
    [
        client_error("ConditionalCheckFailedException"),
        client_error("TransactionConflictException"),
        canceled("ConditionalCheckFailed", "None"),
        canceled("None", "TransactionConflict"),
    ],
    ids=str,
)
def test_a_write_that_others_beat_is_told_from_one_that_failed(
    client: DynamoDBClient, error: Exception
) -> None:
    """Somebody else wrote the head, or is writing it: it is read again, and nobody hears of it."""
    items = Items(FaultyClient(client, error, 1), "events")  # type: ignore[arg-type]  # A stand-in.
    with pytest.raises(HeadMoved):
        items.move({"pk": {"S": "x"}, "sk": {"S": "HEAD"}}, 0, [])
    sent = report(parse_room(fresh_room()), plain_view(3))
    pauses = list[float]()
    folder = RoomWriter(faulty(client, error, COMMIT), sleep=pauses.append, chance=lambda: 1.0)
    assert folder.record(sent, EPOCH).outcome == "applied"
    assert pauses == [0.02]


class Busy:
    """A table in which somebody else writes the room's head whenever we are about to.

    Args:
        client: the store's.
        others: the table as the others see it.
        times: so often at most.
    """

    def __init__(self, client: DynamoDBClient, others: EventTable, times: int = TRIES) -> None:
        self.get_item, self.query, self._client = client.get_item, client.query, client
        self._others, self._number, self._times = others, 0, times

    def put_item(self, **arguments: Any) -> Any:
        """Write an item."""
        return self._client.put_item(**arguments)

    def transact_write_items(self, **arguments: Any) -> Any:
        """Write items after another writer has written the same room, a few times."""
        if self._number == self._times:
            return self._client.transact_write_items(**arguments)
        key = arguments["TransactItems"][0]["Put"]["Item"]["pk"]["S"]
        self._number += 1
        view = view_of("other", {f"u{number}": None for number in range(self._number)})
        sent = report(RoomKey.of(key).room, view, self._number, epoch=EPOCH - 1000 + self._number)
        RoomWriter(self._others).record(sent, EPOCH)
        return self._client.transact_write_items(**arguments)


def test_after_some_tries_the_rest_is_left_to_the_keeper(client: DynamoDBClient) -> None:
    """The report is stored and answered as such; its reporter does not wait for ever."""
    sent = report(parse_room(fresh_room()), view_of("anna", {"zoe": None}))
    pauses = list[float]()
    others = EventTable(client, "events")
    busy: Any = Busy(client, others)
    folder = RoomWriter(EventTable(busy, "events"), sleep=pauses.append, chance=lambda: 1.0)
    assert folder.record(sent, EPOCH).outcome == "stored"
    assert pauses == pytest.approx([0.02, 0.04, 0.08, 0.16, 0.32])
    assert len(pauses) == TRIES - 1
    assert "anna" not in others.members(others.room(sent.place.ref))
    RoomWriter(others).apply(sent.place.ref, sent.signal, EPOCH)
    assert "anna" in others.members(others.room(sent.place.ref))


def test_the_next_try_goes_on_from_what_others_have_written(client: DynamoDBClient) -> None:
    """Head and members are read again, so what both say is in the room, and in its timeline."""
    sent = report(parse_room(fresh_room()), view_of("anna", {"zoe": None}))
    others = EventTable(client, "events")
    busy: Any = Busy(client, others, times=1)
    pauses = list[float]()
    folder = RoomWriter(EventTable(busy, "events"), sleep=pauses.append)
    assert (folder.record(sent, EPOCH).outcome, len(pauses)) == ("applied", 1)
    room = others.room(sent.place.ref)
    assert set(others.members(room)) == {"anna", "other", "u0", "zoe"}
    changes = others.changes(room.ref, 0, room.head.version)
    told = [each for change in changes for each in change.transitions]
    assert replay({}, told) == others.members(room)


def test_a_correction_that_others_beat_is_no_success(client: DynamoDBClient) -> None:
    """Keeper knows nothing of it, so whoever asked for it has to ask again."""
    ref = report(parse_room(fresh_room()), view_of("anna", {})).place.ref
    busy: Any = Busy(client, EventTable(client, "events"))
    folder = RoomWriter(EventTable(busy, "events"), sleep=lambda _seconds: None)
    with pytest.raises(StoreUnavailable):
        folder.correct(ref, {"anna"}, EPOCH)


def test_what_is_due_is_settled_once(client: DynamoDBClient) -> None:
    """A lease that is over empties the room; to settle it again changes nothing."""
    table = EventTable(client, "events")
    folder = RoomWriter(table)
    sent = report(parse_room(fresh_room()), plain_view(3))
    folder.record(sent, EPOCH)
    before = table.room(sent.place.ref)
    assert folder.settle(sent.place.ref, EPOCH + 1000) == before
    ended = folder.settle(sent.place.ref, before.head.lease_ends)
    assert (ended.head.size, ended.head.version) == (0, 2)
    assert table.room(sent.place.ref) == folder.settle(sent.place.ref, before.head.lease_ends + 5)


def test_a_room_whose_snapshot_is_gone_loses_no_report(client: DynamoDBClient) -> None:
    """The list is stored whole, and answered as stored; people find the rest in the quarantine.

    Nor is it the fault of who sends a heartbeat, when the room is to be closed.
    """
    view = plain_view(200)
    room = fresh_room()
    table = EventTable(client, "events")
    folder = RoomWriter(table)
    for number in range(SNAPSHOT_EVERY_APART):
        others = dict(list(view.others.items())[: 150 + number])
        seen = view_of(view.reporter, others)
        folder.record(
            report(parse_room(room), seen, number, epoch=EPOCH + 1000 * number), EPOCH + 60_000
        )
    state = table.room(RoomKey(1, parse_room(room)))
    assert state.inline is None
    client.delete_item(TableName="events", Key=snapshot_key(state.ref, state.base))
    sent = report(parse_room(room), view, 0, epoch=EPOCH + 90_000)
    fresh = EventTable(client, "events")
    assert RoomWriter(fresh).record(sent, EPOCH + 90_000).outcome == "stored"
    assert fresh.newest(sent.place) == sent
    late = EPOCH + 2 * LEASE
    beat = Signal(Kind.HEARTBEAT, Source.CLIENT, "zoe", late, late, hash=view.hash)
    assert RoomWriter(EventTable(client, "events")).apply(state.ref, beat, late).outcome == "stored"
