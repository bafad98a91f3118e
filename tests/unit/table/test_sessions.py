from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.roster.members import Reason, Transition
from chalicelib.roster.signal import Source
from chalicelib.table.item_keys import RoomKey, user_pk
from chalicelib.table.items import Items
from chalicelib.table.rooms import DAY, Change
from chalicelib.table.sessions import (
    PAGE,
    Evidence,
    Session,
    SessionWriter,
    decode_session,
    session_updates,
)
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from tests.support.event_table import stored_items

if TYPE_CHECKING:
    from collections.abc import Sequence

T0 = 1_600_000_000_000
HISTORY_DAYS = 30
ROOM, OTHER = RoomKey(1400037025, parse_room(107688)), RoomKey(1400037025, parse_room("107688"))


class Users:
    """Users and their sessions in a table of their own."""

    def __init__(self, client: DynamoDBEmulator | None = None) -> None:
        self.client = client or DynamoDBEmulator()
        items: Any = Items(self.client, "events")  # type: ignore[arg-type]  # A stand-in.
        self._writer = SessionWriter(items, HISTORY_DAYS)

    def write(self, change: Change) -> list[bool | None]:
        """Write a change; what became of each update."""
        return [self._writer.write(update) for update in session_updates(change)]

    def items(self, user: str) -> list[Any]:
        """The items of a user's sessions."""
        return stored_items(self.client, "events", user_pk(1400037025, user))  # type: ignore[arg-type]  # A stand-in.

    def story(self, user: str) -> list[tuple[int, int | None]]:
        """Beginnings and ends of a user's sessions, in ms since the start of the test."""
        sessions = [decode_session(item) for item in self.items(user)]
        return [(it.joined - T0, it.left and it.left - T0) for it in sessions]


def transition(what: str) -> Transition:
    """``+anna@5``: anna came at 5."""
    name, _, t = what[1:].partition("@")
    joined = what[0] == "+"
    reason = Reason.LISTED if joined else Reason.GRACE
    return Transition(joined, name, T0 + int(t), "berta", Source.CLIENT, reason)


def change(version: int, *what: str, ref: RoomKey = ROOM) -> Change:
    """A change of a room."""
    return Change(ref, version, T0, 1, T0, tuple(map(transition, what)))


@pytest.fixture
def users() -> Users:
    """Users without sessions."""
    return Users()


def test_a_stay_is_a_session_with_its_evidence(users: Users) -> None:
    """From the join to the leave, each with whose word it was."""
    written = [
        users.write(change(1, "+anna@5", "+berta@5")),
        users.write(change(2, "-anna@65")),
    ]
    assert written == [[True, True], [True]]
    assert users.write(change(2, "-anna@65")) == [False]
    (item,) = users.items("anna")
    session = decode_session(item)
    listed = Evidence("berta", Source.CLIENT, Reason.LISTED)
    missed = Evidence("berta", Source.CLIENT, Reason.GRACE)
    assert session == Session(ROOM, "anna", T0 + 5, listed, T0 + 65, missed, mark=4)
    assert session.duration == 60
    assert users.story("berta") == [(5, None)]


def test_only_what_has_ended_can_expire(users: Users) -> None:
    """A session is kept so many days after its end; one that goes on has no ttl."""
    users.write(change(1, "+anna@5"))
    assert "ttl" not in users.items("anna")[0]
    users.write(change(2, "-anna@6000"))
    (item,) = users.items("anna")
    assert int(item["ttl"]["N"]) == T0 // 1000 + 6 + HISTORY_DAYS * DAY


def test_rooms_do_not_close_each_others_sessions(users: Users) -> None:
    """Room 107688 and room "107688" are two, and one may be left while the other goes on."""
    users.write(change(1, "+anna@5"))
    users.write(change(1, "+anna@7", ref=OTHER))
    users.write(change(2, "-anna@9"))
    assert users.story("anna") == [(5, 9), (7, None)]


def test_a_session_is_found_behind_many_of_other_rooms(users: Users) -> None:
    """However often the user went through other rooms meanwhile."""
    users.write(change(1, "+anna@5"))
    for version in range(1, 2 * PAGE):
        users.write(change(version, f"+anna@{version + 10}", ref=OTHER))
    users.write(change(2, "-anna@999"))
    assert users.story("anna")[0] == (5, 999)


def test_a_leave_without_a_session_is_told(users: Users) -> None:
    """It has expired, or was never written: no error, and no session made of half of one."""
    assert users.write(change(7, "-anna@5")) == [None]
    assert users.items("anna") == []
    users.write(change(8, "+anna@9"))
    users.write(change(9, "-anna@10"))
    assert users.write(change(11, "-anna@20")) == [None]
    assert users.story("anna") == [(9, 10)]


@pytest.mark.parametrize("together", [True, False])
def test_who_left_and_came_in_one_ms_has_stayed(users: Users, *, together: bool) -> None:
    """A session that began in that ms as well goes on, whether one change tells of it or two."""
    back = (
        [change(2, "-anna@5", "+anna@5")]
        if together
        else [change(2, "-anna@5"), change(3, "+anna@5")]
    )
    for each in [change(1, "+anna@5"), *back, change(4, "-anna@8")]:
        users.write(each)
    assert users.story("anna") == [(5, 8)]


def test_who_came_and_left_in_one_change_has_been_there(users: Users) -> None:
    """A session that is over when it is first written, and can expire."""
    assert users.write(change(1, "+anna@5", "-anna@8")) == [True]
    assert users.write(change(1, "+anna@5", "-anna@8")) == [False]
    assert users.story("anna") == [(5, 8)]
    assert "ttl" in users.items("anna")[0]


STORY = [
    change(1, "+anna@5", "+berta@5"),
    change(2, "-anna@7", "+anna@7"),
    change(3, "-berta@9"),
    change(4, "-anna@9"),
    change(6, "+anna@9"),
    change(7, "+berta@12", "-anna@12"),
]
"""Version 5 did not concern them. Ends and beginnings fall into the same ms."""


@given(st.lists(st.integers(0, len(STORY)), max_size=6))
def test_whatever_comes_again_changes_nothing(checkpoints: Sequence[int]) -> None:
    """AWS goes back to a checkpoint any number of times; it never passes anything over."""
    users, done = Users(), 0
    for back_to in checkpoints:
        for each in STORY[min(back_to, done) :]:
            users.write(each)
        done = len(STORY)
    for each in STORY[done:]:
        users.write(each)
    assert users.story("anna") == [(5, 7), (7, 9), (9, 12)]
    assert users.story("berta") == [(5, 9), (12, None)]


def test_a_session_that_was_forgotten_meanwhile_does_not_come_back() -> None:
    """A leave closes what is there, and makes nothing new."""

    class Forgetful(DynamoDBEmulator):
        def query(self, **asked: Any) -> dict[str, Any]:
            answer = super().query(**asked)
            for item in answer["Items"]:
                self.delete_item(TableName="events", Key={"pk": item["pk"], "sk": item["sk"]})
            return answer

    users = Users(Forgetful())
    users.write(change(1, "+anna@5"))
    assert users.write(change(2, "-anna@9")) == [False]
    assert users.items("anna") == []


def test_a_session_that_ends_while_a_name_in_it_is_changed_stays_ended(users: Users) -> None:
    """Whoever read it before it ended must read it again."""
    items: Any = Items(users.client, "events")  # type: ignore[arg-type]  # A stand-in.
    users.write(change(1, "+anna@5"))
    (before,) = users.items("anna")
    users.write(change(2, "-anna@9"))
    (after,) = users.items("anna")
    named = {"joinedBy": {"L": [{"S": "gone"}, {"S": "client"}, {"S": "listed"}]}}
    assert not items.replace(before, before | named)
    assert items.replace(after, after | named)
    assert users.story("anna") == [(5, 9)]
