"""Lists of rooms, with a store that leaves things out."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.table.errors import StoreUnavailable
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.listings import Listings
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from tests.support.stories import Story, came

T = 1_600_000_000_000


class Forgetful(DynamoDBEmulator):
    """Answers some of a batch and leaves out the rest, as DynamoDB may.

    Args:
        most: items that it reads at once.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def batch_get_item(self, **asked: Any) -> dict[str, Any]:
        """Read some of the items, and leave the other keys unprocessed."""
        ((table, of_table),) = asked["RequestItems"].items()
        keys, rest = of_table["Keys"][: self._most], of_table["Keys"][self._most :]
        left = {"UnprocessedKeys": {table: {"Keys": rest}} if rest else {}}
        if not keys:
            return {"Responses": {}, **left}
        return super().batch_get_item(RequestItems={table: {"Keys": keys}}) | left


def open_rooms(client: Any) -> list[RoomKey]:
    """The open rooms of an application of which it has ten."""
    for room in range(1, 11):
        Story(client, "events", 1, parse_room(room)).tell(T, came("anna", T))
    found, _ = Listings(client, "events").open_rooms(
        1, T, after=None, limit=100, covers=lambda _room: True
    )
    return sorted(each.room.ref for each in found)


def test_what_a_batch_leaves_out_is_read_again() -> None:
    """A store under load answers a part of a batch; the list is whole all the same."""
    assert open_rooms(Forgetful(4)) == [RoomKey(1, parse_room(room)) for room in range(1, 11)]


def test_a_store_that_goes_on_leaving_out_is_unavailable() -> None:
    """After some tries; a list that is not whole is not shown."""
    with pytest.raises(StoreUnavailable):
        open_rooms(Forgetful(0))
