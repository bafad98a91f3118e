"""The event table on the stand-in of DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws_errors import error_code
from chalicelib.table.client import cancellation_reasons
from infra.emulators.dynamodb import DynamoDBEmulator
from tests.support.event_table import EventTableContract


@pytest.fixture(scope="module")
def client() -> Any:
    """The stand-in."""
    return DynamoDBEmulator()


@pytest.fixture
def name() -> str:
    """The table's name."""
    return "events"


class TestEventTable(EventTableContract):
    """All that the event table promises, on the stand-in."""


def test_an_item_over_400_kb_is_refused_alone_and_in_a_transaction() -> None:
    """As DynamoDB does; nothing is written, whatever stands beside it."""
    client = DynamoDBEmulator()
    small, large = ({"pk": {"S": "p"}, "sk": {"S": sk}} for sk in "ab")
    large["list"] = {"S": "x" * 400 * 1024}
    puts = [{"Put": {"TableName": "events", "Item": each}} for each in (small, large)]
    with pytest.raises(ClientError) as alone:
        client.put_item(TableName="events", Item=large)
    with pytest.raises(ClientError) as together:
        client.transact_write_items(TransactItems=puts)
    assert error_code(alone.value) == "ValidationException"
    assert cancellation_reasons(together.value) == {"ValidationError"}
    assert client.log == []
