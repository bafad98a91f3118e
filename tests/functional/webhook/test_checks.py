"""How often a report's identifiers are checked: once as they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.trtc import identifiers
from tests.support.calls import counted_calls
from tests.support.event_table import fresh_room
from tests.support.lists import plain_view, userlist
from tests.support.reports import token

if TYPE_CHECKING:
    from tests.support.reports import Function

CHECKS = (
    identifiers.check_sdk_app_id,
    identifiers.check_user_id,
    identifiers.parse_number_room,
    identifiers.parse_named_room,
    identifiers.parse_room_key,
)


def test_a_joining_report_parses_its_room_once(webhook: Function) -> None:
    """The token gives application, user and room; two keys more are of the items that are read.

    These are the room's head and the one report that came before.
    """
    room = identifiers.parse_room(fresh_room())
    for size in (1, 2):
        view = plain_view(size)
        body = {"seq": size, "ageMs": 0, "userlist": userlist(view)}
        with counted_calls(*CHECKS) as calls:
            assert webhook.report(token(view.reporter, room), body).status == 200
    assert calls == {
        "check_sdk_app_id": 1,
        "check_user_id": 1,
        "parse_number_room": 3,
        "parse_room_key": 3,
    }
