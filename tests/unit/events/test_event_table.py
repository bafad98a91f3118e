"""The event table on the stand-in of DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest

from infra.standins.dynamodb import DynamoDBStandIn
from tests.support.event_table import EventTableContract


@pytest.fixture(scope="module")
def client() -> Any:
    """The stand-in."""
    return DynamoDBStandIn()


@pytest.fixture
def name() -> str:
    """The table's name."""
    return "events"


class TestEventTable(EventTableContract):
    """All that the event table promises, on the stand-in."""
