from __future__ import annotations

from chalicelib.roster.members import Member
from chalicelib.roster.signal import Source
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.roster_cache import MOST_MEMBERS, RosterCache
from chalicelib.trtc.identifiers import parse_room

ANNA = {"anna": Member(1, "anna", Source.CLIENT)}
ROOM, OTHER = RoomKey(1, parse_room(1)), RoomKey(1, parse_room("1"))


def test_the_newest_roster_of_a_room_is_kept() -> None:
    """An older one does not take its place."""
    rosters = RosterCache()
    rosters.keep(ROOM, 5, ANNA)
    rosters.keep(ROOM, 4, {})
    assert rosters.nearest(ROOM, 0, 9) == (5, ANNA)
    rosters.keep(ROOM, 6, {})
    assert rosters.nearest(ROOM, 0, 9) == (6, {})


def test_one_that_leads_to_the_version_asked_for_is_found() -> None:
    """Neither a newer one, nor one from before the snapshot, from which it is as far."""
    rosters = RosterCache()
    rosters.keep(ROOM, 5, ANNA)
    found = [rosters.nearest(ROOM, least, most) for least, most in ((5, 5), (0, 4), (6, 9))]
    assert found == [(5, ANNA), None, None]
    assert rosters.nearest(OTHER, 0, 9) is None


def test_rooms_that_were_not_used_for_longest_are_forgotten() -> None:
    """Memory is bounded by the members of all."""
    rosters = RosterCache()
    third = dict.fromkeys(map(str, range(MOST_MEMBERS // 3)), ANNA["anna"])
    for room in (1, 2, 3):
        rosters.keep(RoomKey(1, parse_room(room)), 1, third)
    rosters.nearest(RoomKey(1, parse_room(1)), 0, 1)
    rosters.keep(RoomKey(1, parse_room(4)), 1, third)
    kept = [room for room in (1, 2, 3, 4) if rosters.nearest(RoomKey(1, parse_room(room)), 0, 1)]
    assert kept == [1, 3, 4]


def test_one_room_that_is_too_large_is_kept_all_the_same() -> None:
    """It is the one in use."""
    rosters = RosterCache()
    rosters.keep(ROOM, 1, dict.fromkeys(map(str, range(MOST_MEMBERS + 1)), ANNA["anna"]))
    assert rosters.nearest(ROOM, 1, 1) is not None
