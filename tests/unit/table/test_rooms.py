from __future__ import annotations

import pytest

from chalicelib.roster.fold import Folded
from chalicelib.roster.head import Head, Lease, Pending
from chalicelib.roster.members import Member, Reason, Transition, replay
from chalicelib.roster.signal import Source
from chalicelib.roster.transforms import Outcome
from chalicelib.roster.view import set_hash
from chalicelib.table.item_keys import RoomKey, item_bytes
from chalicelib.table.reports import UNIT_BYTES
from chalicelib.table.rooms import (
    SNAPSHOT_EVERY,
    SNAPSHOT_EVERY_APART,
    RoomState,
    beside,
    change_of,
    due_minute,
    snapshot_of,
    state_of,
    written_room,
)
from chalicelib.trtc.identifiers import parse_room
from tests.support.lists import plain_view

T0 = 1_600_000_000_000
DAY_MS = 86_400_000
REF = RoomKey(1400000001, parse_room("a room #1"))


def filled(members: int, version: int = 1) -> tuple[RoomState, dict[str, Member]]:
    """A room of some members with openids, of which the last one has just come."""
    view = plain_view(members)
    roster = {
        user: Member(T0 + 12_000 * at, view.reporter, Source.CLIENT)
        for at, user in enumerate([view.reporter, *view.others])
    }
    head = Head(version, version, set_hash(roster), size=members, lease=Lease(T0))
    state = RoomState(REF, head, base=version, based=T0, latest=T0)
    room, _ = written_room(state, folded(head, []), lambda: roster, T0, 90)
    return room._replace(inline=None), roster


def folded(head: Head, transitions: list[Transition]) -> Folded:
    """A step of a head."""
    return Folded(head, tuple(transitions), Outcome.APPLIED, resend=False)


def join(user: str = "zoe", t: int = T0) -> Transition:
    """Somebody comes."""
    return Transition(True, user, t, user, Source.CLIENT, Reason.LISTED)


def joined(room: RoomState, by: int = 1) -> Folded:
    """Somebody joins a room, after some other changes."""
    head = room.head
    after = head._replace(
        version=head.version + by, revision=head.revision + by, size=head.size + 1
    )
    return folded(after, [join()])


def test_what_is_written_of_a_room_is_read_again() -> None:
    """Its head with few members, the change, and where the room is due in the index."""
    first = Head(1, 1, set_hash(["zoe"]), size=1, lease=Lease(T0 + 1))
    after, items = written_room(RoomState(REF), folded(first, [join()]), dict, T0 + 50, 90)
    head, change = items
    assert state_of(head) == after
    assert after == RoomState(REF, first, after.inline, 0, T0 + 50, T0)
    assert change_of(change) == (REF, 1, T0 + 50, 1, T0, (join(),))
    assert (head["pk"], head["sk"]) == ({"S": "R#1400000001#s:YSByb29tICMx"}, {"S": "HEAD"})
    assert (change["pk"], change["sk"]) == (head["pk"], {"S": "T#0000000001"})
    assert head["open"] == {"S": REF.shard}
    assert head["due"] == {"N": str(due_minute(first.lease_ends))}
    assert "ttl" not in head
    assert change["ttl"] == {"N": str((T0 + 50) // 1000 + 90 * 86_400)}


def test_an_empty_room_is_not_in_the_index_and_keeps_its_version() -> None:
    """Its head never expires: it is small, and a version must not be given twice."""
    room, roster = filled(1)
    (user,) = roster
    leave = Transition(False, user, T0 + 60_000, user, Source.CLIENT, Reason.LEFT)
    empty = room.head._replace(version=2, revision=2, size=0)
    after, (head, _) = written_room(room, folded(empty, [leave]), lambda: roster, T0, 90)
    assert not {"open", "due", "ttl"} & head.keys()
    assert item_bytes(head) < UNIT_BYTES // 2
    assert after.inline == {"S": "[]"}


@pytest.mark.parametrize(("ms", "minute"), [(0, 0), (1, 1), (60_000, 1), (60_001, 2)])
def test_a_due_minute_has_come_when_it_begins(ms: int, minute: int) -> None:
    """So the sweeper finds nothing that is not due."""
    assert due_minute(ms) == minute


@pytest.mark.parametrize(
    ("members", "inline", "most"), [(4, True, 1), (50, True, 3), (90, True, 3), (130, False, 1)]
)
def test_members_stand_in_the_head_while_they_are_few(
    members: int,
    inline: bool,  # noqa: FBT001 (a row of the table)
    most: int,
) -> None:
    """A head is one strong read at any size, and a write of few units."""
    room, roster = filled(members)
    room = room._replace(inline={"S": "[]"})
    _, (head, *_) = written_room(room, joined(room), lambda: roster, T0, 90)
    assert ("members" in head) == inline
    assert item_bytes(head) <= most * UNIT_BYTES


@pytest.mark.parametrize(("members", "kind"), [(64, "apart"), (63, "inline")])
def test_members_that_stand_apart_come_back_when_they_are_few(members: int, kind: str) -> None:
    """A large room that has shrunk costs what a small one does."""
    room, roster = filled(members)
    after, _ = written_room(room, joined(room), lambda: roster, T0, 90)
    assert after.inline is None if kind == "apart" else after.inline is not None


@pytest.mark.parametrize(("members", "every"), [(5, SNAPSHOT_EVERY), (400, SNAPSHOT_EVERY_APART)])
def test_a_snapshot_is_written_every_so_many_versions(members: int, every: int) -> None:
    """So that few changes lead from one to any version."""
    room, roster = filled(members)
    assert len(written_room(room, joined(room, every - 1), lambda: roster, T0, 90)[1]) == 2
    after, (_, _, snapshot) = written_room(room, joined(room, every), lambda: roster, T0, 90)
    assert (after.base, after.based) == (1 + every, T0)
    assert snapshot["sk"] == {"S": f"ROSTER#{1 + every:010}"}
    assert snapshot_of(snapshot) == replay(roster, [join()])


def test_a_snapshot_is_written_anew_before_it_is_garbage() -> None:
    """Even if nobody comes or goes: a lease that is renewed is enough."""
    room, roster = filled(400)
    still = folded(room.head._replace(revision=2), [])
    for age, wanted in ((45 * DAY_MS, False), (45 * DAY_MS + 1, True)):
        after, items = written_room(room, still, lambda: roster, T0 + age, 90)
        assert [item["sk"]["S"] for item in items[1:]] == ["ROSTER#0000000001"] * wanted
        assert (after.base, after.based) == (1, T0 + age * wanted)


def unread() -> dict[str, Member]:
    """Nobody may read the members."""
    raise AssertionError


def test_a_head_alone_is_written_where_nobody_comes_or_goes() -> None:
    """The members are not even read."""
    room, _ = filled(400)
    still = folded(room.head._replace(revision=2), [])
    after, items = written_room(room, still, unread, T0, 90)
    assert len(items) == 1
    assert state_of(items[0]) == after


def test_a_report_is_written_beside_those_who_stay() -> None:
    """Who is about to leave is known from the head, unless it says who is not."""
    room, roster = filled(4)
    some = frozenset(list(roster)[:1])
    for others, leaving in ((False, some), (True, None)):
        group = Pending(T0, T0, Source.CLIENT, 1, others, some, ("x",))
        pending = room._replace(head=room.head._replace(pending=(group,)))
        found = beside(pending, lambda: roster)
        assert (found.version, found.hash, found.leaving) == (1, room.head.hash, leaving)
        assert set(found.members()) == set(roster)
