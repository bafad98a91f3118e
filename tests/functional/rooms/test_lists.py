"""Open rooms, timelines and sessions, as a backend reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.roster.head import LEASE
from chalicelib.roster.members import Reason
from chalicelib.roster.signal import Source
from chalicelib.roster.view import set_hash
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.sessions import Evidence, Session
from chalicelib.trtc.identifiers import parse_room
from tests.support.reports import (
    APP,
    EVERYWHERE,
    ROOMS,
    SESSIONS,
    TABLE,
    TIMELINE,
    Function,
    put_caller,
)
from tests.support.stories import OWN_WORD, came, put_sessions, went

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.stories import Story

T = 1_600_000_000_000


def pages(rooms: Function, resource: str, what: str, **asked: Any) -> list[list[Any]]:
    """The things on each page, following the cursors."""
    asked = {"api_key": EVERYWHERE, **asked}
    query, seen = dict(asked.pop("query", {})), []
    while True:
        answer = rooms.read(resource, **asked, query=query)
        assert answer.status == 200
        seen.append(answer.body[what])
        if "nextCursor" not in answer.body:
            return seen
        query["cursor"] = answer.body["nextCursor"]


# Open rooms


def test_open_rooms_are_those_with_members(
    rooms: Function, begin: Callable[..., Story], now: int, app: int
) -> None:
    """Numeric and string rooms; empty ones are left out, also those whose lease is over."""
    for room in (7, "lobby", 8):
        begin(room, app).tell(now, came("anna", now), came("berta", now))
    begin(8, app).tell(now, went("anna", now), went("berta", now))
    begin(9, app).tell(now - LEASE, came("anna", now - LEASE))
    answer = rooms.read(ROOMS, app=app, api_key=EVERYWHERE)
    found = sorted(answer.body["rooms"], key=str)
    known = {"size": 2, "version": 1, "hash": set_hash(["anna", "berta"]), "heardAt": now}
    assert found == [{"roomId": 7, **known}, {"strRoomId": "lobby", **known}]
    assert answer.body.keys() == {"sdkAppId", "rooms"}


def test_every_open_room_is_on_one_page(
    rooms: Function, begin: Callable[..., Story], now: int, app: int
) -> None:
    """Whatever the size of the pages; empty rooms make them short."""
    for room in range(1, 26):
        story = begin(room, app)
        story.tell(now - LEASE * (room % 5 == 0), came("anna", now - LEASE))
    wanted = sorted(room for room in range(1, 26) if room % 5)
    for limit in (1, 4, 24, 25, 100):
        found = pages(rooms, ROOMS, "rooms", app=app, query={"limit": str(limit)})
        assert all(len(page) <= limit for page in found)
        assert sorted(each["roomId"] for page in found for each in page) == wanted


def test_a_room_whose_lease_is_renewed_meanwhile_is_not_missed(
    rooms: Function, begin: Callable[..., Story], now: int, app: int
) -> None:
    """Renewals move a room within the index, never within the list."""
    for room in range(1, 13):
        begin(room, app).tell(now - 60_000 * room, came("anna", now - LEASE))
    seen, query = [], {"limit": "3"}
    for renewed in range(1, 9):
        body = rooms.read(ROOMS, app=app, api_key=EVERYWHERE, query=query).body
        seen += [each["roomId"] for each in body["rooms"]]
        begin(renewed, app).tell(now + 600_000, came("berta", now))
        begin(13 - renewed, app).tell(now - 3_600_000, came("carla", now - LEASE))
        if "nextCursor" not in body:
            break
        query["cursor"] = body["nextCursor"]
    assert sorted(seen) == list(range(1, 13))


def test_a_caller_of_some_rooms_sees_these(
    rooms: Function, begin: Callable[..., Story], now: int, app: int
) -> None:
    """Neither their names nor their number show in another way."""
    for room in (20, 21, 3, "s20", "20"):
        begin(room, app).tell(now, came("anna", now))
    api_key = "rg_twenties_" + "t" * 43
    put_caller(api_key, actions=frozenset({"read"}), rooms="2?")
    found = pages(rooms, ROOMS, "rooms", app=app, api_key=api_key, query={"limit": "1"})
    assert sorted(each["roomId"] for page in found for each in page) == [20, 21]
    assert len(found) == 2


# Timelines


def test_a_timeline_tells_who_came_and_went_and_by_whose_word(
    rooms: Function, begin: Callable[..., Story]
) -> None:
    """In the order in which it was recorded."""
    story = begin()
    story.tell(T, came("anna", T), came("berta", T - 5, by="anna", source=Source.RELAY))
    story.tell(T + 900, came("carla", T + 800, by="", source=Source.TENCENT))
    story.tell(T + 20_000, went("berta", T + 700, by="anna"))
    asked = rooms.read(TIMELINE, room=str(story.ref.room))
    anna = {"userId": "anna", "change": "joined", "t": T, "by": "anna", "source": "client"}
    berta = {"userId": "berta", "change": "joined", "t": T - 5, "by": "anna", "source": "relay"}
    carla = {"userId": "carla", "change": "joined", "t": T + 800, "source": "tencent"}
    gone = {"userId": "berta", "change": "left", "t": T + 700, "by": "anna", "source": "client"}
    assert asked.body == {
        "sdkAppId": APP,
        "roomId": story.ref.room,
        "entries": [
            {
                "version": 1,
                "recordedAt": T,
                "transitions": [{**anna, "reason": "listed"}, {**berta, "reason": "listed"}],
            },
            {
                "version": 2,
                "recordedAt": T + 900,
                "transitions": [{**carla, "reason": "entered"}],
            },
            {
                "version": 3,
                "recordedAt": T + 20_000,
                "transitions": [{**gone, "reason": "grace"}],
            },
        ],
    }


def test_a_timeline_comes_in_pages_and_of_some_time(
    rooms: Function, begin: Callable[..., Story]
) -> None:
    """From and to are of when it happened, not of when it was recorded."""
    story = begin()
    for minute in range(10):
        t = T + 60_000 * minute
        story.tell(t, came(f"u{minute}", t))
    story.tell(T + 900_000, went("u2", T + 150_000))
    asked: dict[str, Any] = {"room": str(story.ref.room), "query": {"limit": "3"}}
    found = pages(rooms, TIMELINE, "entries", **asked)
    assert [[entry["version"] for entry in page] for page in found] == [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
        [10, 11],
    ]
    asked["query"] |= {"from": str(T + 120_000), "to": str(T + 180_000)}
    found = pages(rooms, TIMELINE, "entries", **asked)
    assert [entry["version"] for page in found for entry in page] == [3, 4, 11]


def test_a_timeline_that_was_left_too_long_is_gone(
    rooms: Function, begin: Callable[..., Story], dynamodb: Any
) -> None:
    """Who reads on where nothing is any more is told so, not given a timeline with a hole."""
    story = begin()
    for version in range(4):
        story.tell(T + version, came(f"u{version}", T + version))
    asked: dict[str, Any] = {"room": str(story.ref.room)}
    cursor = rooms.read(TIMELINE, **asked, query={"limit": "1"}).body["nextCursor"]
    key = {"pk": {"S": story.ref.pk}, "sk": {"S": "T#0000000002"}}
    dynamodb.delete_item(TableName=TABLE, Key=key)
    answer = rooms.read(TIMELINE, **asked, query={"cursor": cursor})
    assert (answer.status, answer.code) == (410, "history-gone")


# Sessions

TENCENT = Evidence("", Source.TENCENT, Reason.LEFT)


def test_sessions_are_a_users_stays_the_newest_first(
    rooms: Function, dynamodb: Any, app: int
) -> None:
    """With their durations and the evidence of both ends; one that goes on has but one end."""
    ended = Session(RoomKey(app, parse_room(7)), "anna", T, OWN_WORD, T + 90_000, TENCENT)
    going_on = Session(RoomKey(app, parse_room("lobby")), "anna", T + 100_000, OWN_WORD)
    put_sessions(dynamodb, ended, going_on, ended._replace(user_id="berta"))
    asked = rooms.read(SESSIONS, app=app, api_key=EVERYWHERE, user="anna")
    own = {"by": "anna", "source": "client", "reason": "listed"}
    assert asked.body == {
        "sdkAppId": app,
        "userId": "anna",
        "sessions": [
            {"strRoomId": "lobby", "joined": T + 100_000, "joinedBy": own, "confirmed": True},
            {
                "roomId": 7,
                "joined": T,
                "joinedBy": own,
                "left": T + 90_000,
                "leftBy": {"source": "tencent", "reason": "left"},
                "durationMs": 90_000,
                "confirmed": True,
            },
        ],
    }


def test_a_stay_that_only_others_told_of_is_not_confirmed(
    rooms: Function, dynamodb: Any, app: int
) -> None:
    """So what only a liar said can be found, and left out."""
    told = Evidence("liar", Source.CLIENT, Reason.LISTED)
    ghost = Session(RoomKey(app, parse_room(7)), "ghost", T, told, T + 9, told)
    put_sessions(dynamodb, ghost, ghost._replace(joined=T + 10, left=None, left_by=None))
    asked = rooms.read(SESSIONS, app=app, api_key=EVERYWHERE, user="ghost")
    assert [each.get("confirmed") for each in asked.body["sessions"]] == [None, None]
    assert asked.body["sessions"][0]["joinedBy"]["by"] == "liar"


def test_sessions_come_in_pages_and_of_some_time(rooms: Function, dynamodb: Any, app: int) -> None:
    """From and to are of when they began; two that began at once are both there."""
    refs = [
        RoomKey(app, parse_room(7)),
        RoomKey(app, parse_room(8)),
        RoomKey(app, parse_room("lobby")),
    ]
    put_sessions(
        dynamodb, *(Session(ref, "anna", T + n, OWN_WORD) for n in range(5) for ref in refs)
    )
    asked: dict[str, Any] = {"app": app, "user": "anna"}
    for limit in ("1", "4", "5", "15", "1000"):
        found = pages(rooms, SESSIONS, "sessions", **asked, query={"limit": limit})
        assert all(len(page) <= int(limit) for page in found)
        joined = [each["joined"] for page in found for each in page]
        assert joined == [T + n for n in (4, 3, 2, 1, 0) for _ in refs]
    window = {"from": str(T + 1), "to": str(T + 3), "limit": "2"}
    found = pages(rooms, SESSIONS, "sessions", **asked, query=window)
    assert [each["joined"] - T for page in found for each in page] == [3, 3, 3, 2, 2, 2, 1, 1, 1]


def test_a_caller_of_some_rooms_sees_the_sessions_in_these(
    rooms: Function, dynamodb: Any, app: int
) -> None:
    """A user's other sessions do not show, nor does a cursor tell of them."""
    put_sessions(
        dynamodb,
        *(Session(RoomKey(app, parse_room(n)), "anna", T + n, OWN_WORD) for n in range(20, 50)),
    )
    api_key = "rg_thirties_" + "t" * 43
    put_caller(api_key, actions=frozenset({"read"}), rooms="3?", users="an*")
    asked: dict[str, Any] = {"app": app, "api_key": api_key}
    found = pages(rooms, SESSIONS, "sessions", **asked, user="anna", query={"limit": "3"})
    seen = [each["roomId"] for page in found for each in page]
    assert (seen, len(found)) == (list(range(39, 29, -1)), 4)
    answer = rooms.read(SESSIONS, **asked, user="berta")
    assert (answer.status, answer.code) == (403, "user-not-allowed")
    assert answer.places == ["user"]


# All of them
