"""The event table on moto, which shows one caller at a time; races belong to the local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from chalicelib.table.client import connect
from chalicelib.table.errors import StoreUnavailable
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.table import EventTable
from chalicelib.trtc.identifiers import parse_room
from tests.support.event_table import EventTableContract, create_table

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


def test_a_store_out_of_reach_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at the endpoint: a refusal soon, not an error of the network."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable):
        EventTable(connect(), "events").room(RoomKey(1, parse_room(1)))
