"""Rooms beside an event table that tests fill."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING

import boto3
import pytest

from chalicelib.trtc.identifiers import parse_room
from tests.support.event_table import fresh_room
from tests.support.reports import APP, TABLE, Function
from tests.support.stories import Story

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient


_apps = count(1500000000)


@pytest.fixture(scope="module")
def dynamodb(rooms: Function) -> DynamoDBClient:
    """A client of the event table that rooms reads."""
    assert rooms.module.app.app_name == "rooms"
    return boto3.client("dynamodb")


@pytest.fixture
def app() -> int:
    """An application of the test's own."""
    return next(_apps)


@pytest.fixture
def now() -> int:
    """Unix ms at which the test begins."""
    return int(time.time() * 1000)


@pytest.fixture
def begin(dynamodb: DynamoDBClient) -> Callable[..., Story]:
    """Begins the story of a room, one of its own unless it is named, of the tests' application."""

    def story(room: int | str | None = None, app: int = APP) -> Story:
        return Story(dynamodb, TABLE, app, parse_room(room) if room else fresh_room())

    return story
