"""The event table on moto, which shows one caller at a time; races belong to the local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from moto import mock_aws

from chalicelib.events.dynamodb import connect
from chalicelib.events.refusals import StoreUnavailable
from chalicelib.events.table import EventTable, Outcome
from chalicelib.roster.view import view_of
from tests.support.event_table import EventTableContract, create_table, fresh_room, report
from tests.support.lists import plain_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    """DynamoDB by moto, with the event table in it."""
    with mock_aws():
        client = connect()
        create_table(client, "events")
        yield client


@pytest.fixture
def name() -> str:
    """The table's name."""
    return "events"


class TestEventTable(EventTableContract):
    """All that the event table promises, on moto."""


class FaultyClient:
    """A client whose n-th call fails: before the store hears of it, or with its answer lost.

    It has the four operations that the event table may use, and no other.
    """

    def __init__(
        self, client: DynamoDBClient, error: Exception, nth: int, *, lost: bool = False
    ) -> None:
        self._client, self._error, self._left, self._lost = client, error, nth, lost

    def put_item(self, **arguments: Any) -> Any:
        """See DynamoDB."""
        return self._call(self._client.put_item, arguments)

    def update_item(self, **arguments: Any) -> Any:
        """See DynamoDB."""
        return self._call(self._client.update_item, arguments)

    def query(self, **arguments: Any) -> Any:
        """See DynamoDB."""
        return self._call(self._client.query, arguments)

    def batch_get_item(self, **arguments: Any) -> Any:
        """See DynamoDB."""
        return self._call(self._client.batch_get_item, arguments)

    def _call(self, operation: Any, arguments: dict[str, Any]) -> Any:
        self._left -= 1
        if self._left == 0 and not self._lost:
            raise self._error
        answer = operation(**arguments)
        if self._left == 0:
            raise self._error
        return answer


def client_error(code: str, status: int = 400) -> ClientError:
    """An error as DynamoDB answers it."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": "arn:aws:dynamodb:eu-central-1:1:table/events"},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "r",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "PutItem",
    )


PASSING = [
    client_error("ThrottlingException"),
    client_error("ProvisionedThroughputExceededException"),
    client_error("RequestLimitExceeded"),
    client_error("TransactionConflictException"),
    client_error("InternalServerError", 500),
    client_error("SomethingNew", 503),
    ReadTimeoutError(endpoint_url="https://x"),
    EndpointConnectionError(endpoint_url="https://x"),
    ConnectionClosedError(endpoint_url="https://x"),
]


def faulty(client: DynamoDBClient, error: Exception, nth: int, *, lost: bool = False) -> EventTable:
    """An event table whose n-th call to the store fails."""
    return EventTable(FaultyClient(client, error, nth, lost=lost), "events")  # type: ignore[arg-type]


@pytest.mark.parametrize("error", PASSING, ids=str)
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("lost", [False, True])
def test_a_report_survives_any_failure_that_passes(
    client: DynamoDBClient, error: Exception, nth: int, *, lost: bool
) -> None:
    """Whichever write fails, done or not: the caller is told to try again, and that mends it."""
    sent = report(fresh_room(), plain_view(3))
    with pytest.raises(StoreUnavailable) as caught:
        faulty(client, error, nth, lost=lost).store(sent)
    assert (caught.value.code, caught.value.retry_after) == ("store-unavailable", 1)
    table = EventTable(client, "events")
    expected = Outcome.DUPLICATE if nth == 2 or lost else Outcome.STORED
    assert table.store(sent) == expected
    assert list(table.newest_views(1, sent.place.room, 5).reports) == [sent]


@pytest.mark.parametrize("error", PASSING, ids=str)
@pytest.mark.parametrize("nth", [1, 2])
def test_reads_say_that_the_store_is_down(
    client: DynamoDBClient, error: Exception, nth: int
) -> None:
    """A read that fails is a 503, never a room that looks empty."""
    sent = report(fresh_room(), plain_view(3))
    EventTable(client, "events").store(sent)
    table = faulty(client, error, nth)
    with pytest.raises(StoreUnavailable):
        list(table.newest_views(1, sent.place.room, 5).reports)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_missing_right_or_table_is_no_refusal(client: DynamoDBClient, code: str) -> None:
    """What an operator must mend is a fault of ours: no caller is told to try again."""
    with pytest.raises(ClientError, match=code):
        faulty(client, client_error(code), 1).store(report(fresh_room(), plain_view(3)))


class HalfHeartedClient:
    """A client that leaves all keys but one of each batch unprocessed, as DynamoDB may."""

    def __init__(self, client: DynamoDBClient, *, stuck: bool = False) -> None:
        self.query = client.query
        self._client, self._stuck = client, stuck

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803 (AWS's name)
        """See DynamoDB."""
        ((name, wanted),) = RequestItems.items()
        first, left = wanted["Keys"][:1], wanted["Keys"][1:]
        if self._stuck:
            first, left = [], wanted["Keys"]
        found = [self._client.get_item(TableName=name, Key=key)["Item"] for key in first]
        unprocessed = {name: {**wanted, "Keys": left}} if left else {}
        return {"Responses": {name: found}, "UnprocessedKeys": unprocessed}


def test_unprocessed_keys_are_asked_for_again(client: DynamoDBClient) -> None:
    """A busy store answers in parts, and the page is whole all the same."""
    room, pauses = fresh_room(), list[float]()
    users = ["anna", "berta", "carla", "dora"]
    for user in users:
        EventTable(client, "events").store(report(room, view_of(user, {})))
    half_hearted: Any = HalfHeartedClient(client)
    table = EventTable(half_hearted, "events", sleep=pauses.append)
    assert [r.view.reporter for r in table.newest_views(1, room, 5).reports] == users
    assert pauses == [0.025, 0.05, 0.1]


def test_a_store_that_processes_nothing_is_down(client: DynamoDBClient) -> None:
    """Asking again has an end, within about a second."""
    sent, pauses = report(fresh_room(), plain_view(2)), list[float]()
    EventTable(client, "events").store(sent)
    stuck: Any = HalfHeartedClient(client, stuck=True)
    table = EventTable(stuck, "events", sleep=pauses.append)
    with pytest.raises(StoreUnavailable):
        list(table.newest_views(1, sent.place.room, 5).reports)
    assert 0.5 < sum(pauses) < 2


def test_a_store_out_of_reach_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at the endpoint: a refusal soon, not an error of the network."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable):
        EventTable(connect(), "events").store(report(1, plain_view(2)))
