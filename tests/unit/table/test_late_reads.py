"""Reads that are eventually consistent: what was written a moment ago may be missing in them."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.roster.view import view_of
from chalicelib.table.errors import HistoryGone
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from tests.support.event_table import EPOCH, fresh_room, report
from tests.support.lists import plain_view


class LateClient:
    """A client whose reads are as of a moment ago, unless they are strong: all that counts is new.

    Attributes:
        strong: how many reads of snapshots and changes were strong.
    """

    def __init__(self, client: DynamoDBEmulator) -> None:
        self.put_item, self.transact_write_items = client.put_item, client.transact_write_items
        self.strong = 0
        self._client = client

    def get_item(self, **arguments: Any) -> Any:
        """Find nothing unless the read is strong; count strong reads of all but heads."""
        if not arguments["ConsistentRead"]:
            return {}
        self.strong += arguments["Key"]["sk"]["S"] != "HEAD"
        return self._client.get_item(**arguments)

    def query(self, **arguments: Any) -> Any:
        """Miss the last item unless the read is strong; count strong reads."""
        answer = self._client.query(**arguments)
        if arguments["ConsistentRead"]:
            self.strong += 1
            return answer
        return {"Items": answer["Items"][:-1]}


def test_what_a_late_read_misses_is_read_strongly() -> None:
    """A roster is never one from before, nor is history said to be gone that is there."""
    client, room = DynamoDBEmulator(), fresh_room()
    view = plain_view(300)
    folder = RoomWriter(EventTable(client, "events"))  # type: ignore[arg-type]  # A stand-in.
    for number in range(20):
        others = {**view.others, **{f"guest{at}": None for at in range(number)}}
        sent = report(parse_room(room), view_of(view.reporter, others), number + 1)
        state = folder.record(sent._replace(received=EPOCH + number), EPOCH + number).room
    assert state.base > 0
    assert state.inline is None
    late: Any = LateClient(client)
    assert EventTable(late, "events").members(state) == folder.table.members(state)
    assert late.strong == 2
    other: Any = LateClient(client)
    with pytest.raises(HistoryGone):
        EventTable(other, "events").members(state._replace(base=state.base + 1))
