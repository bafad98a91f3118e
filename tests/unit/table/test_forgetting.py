from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.roster.callback import parse_callback
from chalicelib.roster.members import Member, Reason, Transition
from chalicelib.roster.signal import Source
from chalicelib.roster.view import view_of
from chalicelib.table.archive import Archive
from chalicelib.table.callback_items import StoredCallback, encode_callback
from chalicelib.table.forgetting import PREFIX, Forgetting
from chalicelib.table.item_keys import ReporterKey, RoomKey, change_key
from chalicelib.table.reports import Report, report_of
from chalicelib.table.rooms import change_of
from chalicelib.table.sessions import Evidence, Session, decode_session, encode_session
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc import check_user_id
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from tests.support.event_table import EPOCH, report
from tests.support.lists import plain_view
from tests.support.signing import callback_body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.table.item_keys import Item

SALT = b"test salt, no secret"
ROOM = RoomKey(1, parse_room(7))
EVERYONE = sorted(plain_view(40).others)
GONE, STAYS, *OTHERS = EVERYONE
FORGETTING = Forgetting(1, GONE, SALT)


class World:
    """A table in which a user has been in a room, and in another application's."""

    def __init__(self) -> None:
        client: Any = DynamoDBEmulator()
        self.table, self.archive = EventTable(client, "t"), Archive(client, "t")
        self.folder = RoomWriter(self.table)
        self._seq = 0

    def reports(
        self, user: str, others: Iterable[str], t: int, app: int = 1, *, anew: bool = False
    ) -> None:
        """Somebody reports a list."""
        self._seq += 1
        view = view_of(user, {each: f"room://x/1_7_{each}" for each in others if each != user})
        sent = report(parse_room(7), view, self._seq, app=app)._replace(received=EPOCH + t)
        if anew:
            sent = sent._replace(epoch=EPOCH + t)
        self.folder.record(sent, EPOCH + t)

    def leaves(self, user: str, t: int) -> None:
        """Somebody says it left."""
        self._seq += 1
        place = report(parse_room(7), view_of(user, {})).place
        left = Report(place, EPOCH, self._seq, EPOCH + t, 0, Source.CLIENT, None)
        self.folder.record(left, EPOCH + t)

    def forget(self) -> set[RoomKey]:
        """Do it; the rooms that have to wait."""
        later = set()
        for item in self.archive.everything():
            kept = FORGETTING.replacement(item, self.holds)
            if kept.item is None:
                self.archive.delete(item)
            elif kept.item is not item:
                assert self.archive.replace(item, kept.item)
            elif kept.present:
                later.add(ref_of(item["pk"]["S"]))
        return later

    def holds(self, ref: RoomKey) -> bool:
        """Whether the user is in a room."""
        return GONE in self.table.members(self.table.room(ref))

    def contents(self) -> dict[tuple[str, str], Any]:
        """What each item of the room says, by its key."""
        found: dict[tuple[str, str], Any] = {}
        for item in self.archive.everything():
            key = item["pk"]["S"], item["sk"]["S"]
            if key[0].startswith("P#1#"):
                view = report_of(item, lambda version: self.table.members_at(ROOM, version)).view
                found[key] = view and dict(view.others)
            elif key[1].startswith("T#"):
                found[key] = set(change_of(item).transitions)
            elif key[1] == "HEAD":
                found[key] = dict(self.table.members(self.table.room(RoomKey.of(key[0]))))
        return found


def ref_of(pk: str) -> RoomKey:
    """The room of a report, a head, a change or a snapshot."""
    return ReporterKey.of(pk).ref if pk.startswith("P#") else RoomKey.of(pk)


def nowhere(_ref: RoomKey) -> bool:
    """The user is in no room."""
    return False


def renamed(value: Any) -> Any:
    """The same, with the pseudonym wherever the name stands."""
    if isinstance(value, str):
        return value.replace(GONE, FORGETTING.pseudonym)
    if isinstance(value, dict):
        return {renamed(key): renamed(each) for key, each in value.items()}
    if isinstance(value, set):
        return set(map(renamed, value))
    if isinstance(value, (Member, Transition)):
        return type(value)._make(map(renamed, value))
    return value


@pytest.fixture
def world() -> World:
    """The user came first, named everyone, and has left; it is elsewhere, too."""
    world = World()
    world.reports(GONE, EVERYONE, 0)
    world.reports(STAYS, EVERYONE, 500)
    world.leaves(GONE, 60_000)
    world.reports(STAYS, [STAYS, *OTHERS], 61_000)
    world.reports(GONE, [STAYS], 0, app=2)
    return world


def test_the_name_is_nowhere_and_all_else_is_as_it_was(world: World) -> None:
    """In rosters, timelines and other members' lists the pseudonym stands where the name stood."""
    before = world.contents()
    assert world.forget() == set()
    after = world.contents()
    own, elsewhere = f"P#1#7#{GONE}", RoomKey(2, parse_room(7)).pk
    expected = {key: renamed(each) for key, each in before.items() if key[0] != own}
    expected |= {key: each for key, each in before.items() if key[0] == elsewhere}
    assert after == expected
    assert [key for key in before if key[0] == own]
    assert GONE in after[elsewhere, "HEAD"]
    assert GONE not in repr({key: each for key, each in after.items() if key[0] != elsewhere})


def test_the_timeline_still_leads_to_the_roster(world: World) -> None:
    """A pseudonym comes and goes as the user did."""
    world.forget()
    fresh = EventTable(world.table._items._client, "t")
    version = world.table.room(ROOM).head.version
    assert set(fresh.members_at(ROOM, version)) == set(OTHERS) | {STAYS}
    assert FORGETTING.pseudonym in fresh.members_at(ROOM, 1)


def test_to_forget_twice_changes_nothing(world: World) -> None:
    """It can be run again, after a crash as well."""
    world.forget()
    assert all(
        FORGETTING.replacement(item, world.holds).item is item
        for item in world.archive.everything()
    )


def test_a_room_that_the_user_is_in_has_to_wait(world: World) -> None:
    """A member's name is not changed under it."""
    world.reports(GONE, [STAYS, *OTHERS], 200_000, anew=True)
    assert world.forget() == {ROOM}
    assert GONE in world.table.members(world.table.room(ROOM))


@pytest.mark.parametrize("many", [40, 400], ids=["inline", "apart"])
def test_the_history_of_a_room_that_the_user_is_in_waits_too(many: int) -> None:
    """Else it would tell of a pseudonym that never leaves, and of a leave of nobody who came."""
    world = World()
    everyone = sorted(plain_view(many).others)
    world.reports(GONE, everyone, 0)
    world.reports(STAYS, everyone, 500)
    before = world.contents()
    assert (world.table.room(ROOM).inline is None) == (many == 400)
    assert world.forget() == {ROOM}
    after = world.contents()
    assert after == {key: each for key, each in before.items() if key[0] != f"P#1#7#{GONE}"}
    world.leaves(GONE, 60_000)
    fresh = EventTable(world.table._items._client, "t")
    assert GONE not in fresh.members_at(ROOM, fresh.room(ROOM).head.version)
    assert world.forget() == set()
    world.table = EventTable(world.table._items._client, "t")  # One that remembers no roster.
    assert GONE not in repr(world.contents())


def test_a_head_moves_on_when_it_is_changed(world: World) -> None:
    """Whoever is folding a report reads it again."""
    before = world.table.room(ROOM).head.revision
    world.forget()
    assert world.table.room(ROOM).head.revision == before + 1


def test_sessions_and_callbacks_of_the_user_go() -> None:
    """Those of others stay, without its name."""
    word = Evidence(GONE, Source.CLIENT, Reason.LISTED)
    mine = encode_session(Session(ROOM, GONE, EPOCH, word), 1)
    other = Session(ROOM, STAYS, EPOCH, word, EPOCH + 5, word)
    assert FORGETTING.replacement(mine, nowhere).item is None
    kept = FORGETTING.replacement(encode_session(other, 1), nowhere).item
    assert kept is not None
    renamed = word._replace(by=FORGETTING.pseudonym)
    assert decode_session(kept) == other._replace(joined_by=renamed, left_by=renamed)

    def called(user: str) -> Item:
        callback = parse_callback(callback_body(EPOCH, RoomId=7, UserId=user))
        return encode_callback(StoredCallback(1, EPOCH, callback), 1)

    assert FORGETTING.replacement(called(GONE), nowhere).item is None
    assert FORGETTING.replacement(called(STAYS), nowhere).item == called(STAYS)


def test_a_pseudonym_is_stable_and_nobodys_name() -> None:
    """The same for the same user of the same application, by the stack's salt; a userid as well."""
    assert Forgetting(1, GONE, SALT).pseudonym == FORGETTING.pseudonym
    others = [Forgetting(2, GONE, SALT), Forgetting(1, STAYS, SALT), Forgetting(1, GONE, b"other")]
    assert FORGETTING.pseudonym not in [each.pseudonym for each in others]
    assert check_user_id(FORGETTING.pseudonym).startswith(PREFIX)


def test_what_does_not_name_the_user_is_the_very_same() -> None:
    """Nothing is written that need not be."""
    item = {**change_key(ROOM, 1), "transitions": {"S": json.dumps([])}}
    assert FORGETTING.replacement(item, nowhere).item is item
