"""How attributes are stored: known items, to the letter."""

from __future__ import annotations

import pytest

from chalicelib.roster.callback import parse_callback
from chalicelib.roster.members import Reason
from chalicelib.roster.signal import Source
from chalicelib.table.callback_items import StoredCallback, decode_callback, encode_callback
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.sessions import Evidence, Session, decode_session, encode_session
from chalicelib.trtc.identifiers import parse_room

ROOM = RoomKey(1400037025, parse_room("lobby"))
T0 = 1_600_000_000_000
OPEN_ITEM = {
    "pk": {"S": "U#1400037025#anna"},
    "sk": {"S": "S#1600000000000#s:bG9iYnk"},
    "joinedBy": {"L": [{"S": "berta"}, {"S": "client"}, {"S": "listed"}]},
    "mark": {"N": "3"},
}
ENDED_ITEM = OPEN_ITEM | {
    "left": {"N": "1600000060000"},
    "leftBy": {"L": [{"S": ""}, {"S": "tencent"}, {"S": "left"}]},
    "mark": {"N": "4"},
    "ttl": {"N": "1600086460"},
}
OPEN = Session(ROOM, "anna", T0, Evidence("berta", Source.CLIENT, Reason.LISTED), mark=3)
ENDED = OPEN._replace(left=T0 + 60_000, left_by=Evidence("", Source.TENCENT, Reason.LEFT), mark=4)
BODY = (
    '{"EventGroupId":1,"EventType":103,"CallbackTs":1600000000123,'
    '"EventInfo":{"RoomId":"lobby","EventMsTs":1600000000100,"UserId":"anna"}}'
)


@pytest.mark.parametrize(
    ("session", "ttl", "item"), [(OPEN, None, OPEN_ITEM), (ENDED, 1_600_086_460, ENDED_ITEM)]
)
def test_a_session_is_stored_as_ever(
    session: Session, ttl: int | None, item: dict[str, object]
) -> None:
    """Sessions in tables of before can be read, and stay as they are."""
    assert encode_session(session, ttl) == item
    assert decode_session(item) == session  # type: ignore[arg-type]  # Written out by hand.


def test_a_callback_is_stored_as_ever() -> None:
    """A short body as text."""
    stored = StoredCallback(1400037025, T0 + 200, parse_callback(BODY.encode()))
    item = encode_callback(stored, 1_600_604_800)
    assert item == {
        "pk": {"S": "C#1400037025#s:bG9iYnk"},
        "sk": {"S": "1600000000100#103#anna"},
        "received": {"N": "1600000000200"},
        "body": {"S": BODY},
        "ttl": {"N": "1600604800"},
    }
    assert decode_callback(item) == stored


def test_a_missing_attribute_is_named() -> None:
    """So that the quarantine says what was wrong."""
    item = {name: value for name, value in ENDED_ITEM.items() if name != "mark"}
    with pytest.raises(KeyError, match="mark"):
        decode_session(item)  # type: ignore[arg-type]  # Written out by hand.


def test_an_attribute_of_another_type_is_refused() -> None:
    """A number in a text is not what Roomgate writes."""
    with pytest.raises(KeyError, match="N"):
        decode_session(ENDED_ITEM | {"mark": {"S": "4"}})  # type: ignore[arg-type]  # Written out by hand.
