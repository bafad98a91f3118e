"""The roster of a room, as a backend reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.roster.fold import Folded
from chalicelib.roster.head import LEASE, Pending, Reconnect
from chalicelib.roster.signal import Source
from chalicelib.roster.transforms import Outcome
from chalicelib.roster.userlist import MOST_PLAYURL
from chalicelib.roster.view import View, set_hash, view_of
from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.reports import Report
from chalicelib.trtc.identifiers import parse_room
from tests.support.event_table import fresh_room
from tests.support.lists import PREFIX, plain_view, userlist
from tests.support.reports import APP, ROOM, Answer, Function, token
from tests.support.stories import came, went

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.stories import Story

LAMBDA_MOST = 6 * 1024 * 1024  # AWS's limit of a synchronous answer.
DAY = 86_400_000


def roster(rooms: Function, key: object, **asked: Any) -> Answer:
    """Ask for a room by its key."""
    return rooms.read(ROOM, room=str(key), **asked)


def who(answer: Answer) -> list[str]:
    """Whom a roster names, in its order."""
    return [member["userId"] for member in answer.body["members"]]


def test_what_members_report_is_who_is_in_the_room(webhook: Function, rooms: Function) -> None:
    """A report that was acknowledged is what a backend reads a moment later."""
    room, view = fresh_room(), view_of("anna", {"berta": "room://x/berta", "carla": None})
    body = {"seq": 3, "ageMs": 100, "userlist": userlist(view)}
    said = webhook.report(token("anna", parse_room(room)), body)
    answer = roster(rooms, room)
    since = {member.pop("since") for member in answer.body["members"]}
    heard = answer.body.pop("heardAt")
    assert since == {heard}
    assert answer.body == {
        "sdkAppId": APP,
        "roomId": room,
        "version": said.body["version"],
        "hash": said.body["hash"],
        "size": 3,
        "leaseEndsAt": heard + LEASE,
        "members": [
            {"userId": "anna", "by": "anna", "source": "client", "confirmed": True},
            {"userId": "berta", "by": "anna", "source": "client"},
            {"userId": "carla", "by": "anna", "source": "client"},
        ],
    }


def test_who_was_named_by_others_is_confirmed_by_its_own_report(
    webhook: Function, rooms: Function
) -> None:
    """Though that report changes nothing; and a caller that knows the roster is told."""
    room, here = fresh_room(), {"anna", "berta"}
    for user, confirmed in (("anna", {"anna"}), ("berta", here)):
        view = view_of(user, dict.fromkeys(here - {user}))
        known = roster(rooms, room).headers["ETag"]
        webhook.report(token(user, parse_room(room)), {"seq": 1, "userlist": userlist(view)})
        answer = roster(rooms, room, known=known)
        assert answer.status == 200
        assert {
            each["userId"] for each in answer.body["members"] if "confirmed" in each
        } == confirmed
        assert roster(rooms, room, known=answer.headers["ETag"]).status == 304


def test_members_stand_in_the_order_in_which_they_came(
    rooms: Function, begin: Callable[..., Story], now: int
) -> None:
    """Those of one moment by name; Tencent's word needs nobody else's, and confirms."""
    story = begin()
    story.tell(now, came("dora", now - 9), came("berta", now - 9, by="dora"))
    story.tell(now, came("anna", now - 2, by="", source=Source.TENCENT))
    story.tell(now, came("carla", now - 5, by="anna", source=Source.RELAY))
    members = roster(rooms, story.ref.room).body["members"]
    assert members == [
        {"userId": "berta", "since": now - 9, "by": "dora", "source": "client"},
        {"userId": "dora", "since": now - 9, "by": "dora", "source": "client", "confirmed": True},
        {"userId": "carla", "since": now - 5, "by": "anna", "source": "relay"},
        {"userId": "anna", "since": now - 2, "source": "tencent", "confirmed": True},
    ]


def about_to_leave(user: str, now: int) -> Pending:
    """Anna does not name a user any more."""
    return Pending(now, now, Source.CLIENT, 1, False, frozenset([user]), ("anna",))


def test_who_is_about_to_leave_is_marked(
    rooms: Function, begin: Callable[..., Story], now: int
) -> None:
    """Such a member counts, but the hash is what the others' lists should state."""
    story = begin()
    came_both = (came("anna", now - 5), came("berta", now - 5))
    story.tell(now, *came_both, pending=(about_to_leave("berta", now),))
    body = roster(rooms, story.ref.room).body
    assert [member.get("leavingSince") for member in body["members"]] == [None, now]
    assert (body["size"], body["hash"]) == (2, set_hash(["anna"]))


def test_who_reconnected_is_in_one_stay(
    rooms: Function, begin: Callable[..., Story], now: int
) -> None:
    """The roster says how often, and when last; there is no second join."""
    story = begin()
    story.tell(now - 9000, came("anna", now - 9000), came("berta", now - 9000))
    table = story.table
    room = table.room(story.ref)
    head = room.head._replace(
        revision=room.head.revision + 1, reconnects=(Reconnect("berta", 2, now - 3000),)
    )
    folded = Folded(head, (), Outcome.UNCHANGED, resend=False)
    table.commit(room, folded, lambda: table.members(room), now)
    members = roster(rooms, story.ref.room).body["members"]
    assert [(each.get("reconnects"), each.get("reconnectedAt")) for each in members] == [
        (None, None),
        (2, now - 3000),
    ]
    assert {each["since"] for each in members} == {now - 9000}


def test_leaves_and_leases_that_are_over_count_though_nobody_wrote_that(
    rooms: Function, begin: Callable[..., Story], now: int
) -> None:
    """The settled view; the version is that of what is written."""
    grace, lease = begin(), begin()
    before = now - 60_000
    came_both = (came("anna", before), came("berta", before))
    grace.tell(before, *came_both, pending=(about_to_leave("berta", before),))
    lease.tell(now - LEASE, came("anna", now - LEASE))
    assert who(roster(rooms, grace.ref.room)) == ["anna"]
    over = roster(rooms, lease.ref.room).body
    assert (over["members"], over["size"], over["version"]) == ([], 0, 1)
    assert over["hash"] == set_hash([])
    assert "leaseEndsAt" not in over


@pytest.mark.parametrize("name", ["adbjkl", "a b#c", "123"])
@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_a_string_room_is_named_by_its_key(
    rooms: Function, begin: Callable[..., Story], now: int, name: str, colon: str
) -> None:
    """The gateway may hand a path on as it was sent, percent-encoded."""
    story = begin(name)
    story.tell(now, came(f"u{story.version}", now))
    answer = roster(rooms, parse_room(name).key.replace(":", colon))
    assert answer.body["strRoomId"] == name
    assert answer.body["size"] == story.version


def test_a_room_that_nobody_reported_from_is_empty(rooms: Function) -> None:
    """Nobody yet, and nobody any more, are no error."""
    room = fresh_room()
    assert roster(rooms, room).body == {
        "sdkAppId": APP,
        "roomId": room,
        "version": 0,
        "hash": set_hash([]),
        "size": 0,
        "members": [],
    }


def store(story: Story, view: View | None, seq: int, now: int) -> None:
    """Store a report of anna."""
    table = story.table
    state = table.room(story.ref)
    report = Report(ReporterKey(*story.ref, "anna"), now, seq, now, 0, Source.CLIENT, view)
    table.store(report, state, lambda: table.members(state))


def test_playurls_are_those_of_the_newest_list_of_who_asks(
    rooms: Function, begin: Callable[..., Story], now: int
) -> None:
    """As far as it names the members: each reporter has playurls of its own."""
    story = begin()
    story.tell(now, came("anna", now), came("berta", now), came("carla", now))
    store(
        story, view_of("anna", {"berta": "room://old/berta", "carla": "room://old/carla"}), 1, now
    )
    store(story, view_of("anna", {"berta": "room://x/berta", "zoe": "room://x/zoe"}), 2, now)

    def urls(user: str) -> list[str | None]:
        members = roster(rooms, story.ref.room, query={"for": user}).body["members"]
        return [member.get("playUrl") for member in members]

    assert urls("anna") == [None, "room://x/berta", None]
    assert urls("berta") == [None, None, None]
    store(story, None, 3, now)
    assert urls("anna") == [None, None, None]


def test_a_list_that_cannot_be_read_any_more_has_no_playurls(
    rooms: Function, begin: Callable[..., Story], dynamodb: Any, now: int
) -> None:
    """It was stored as a difference from a roster that is gone; the room is shown all the same."""
    story, view = begin(), plain_view(100)
    story.tell(now, came("anna", now), *(came(user, now) for user in view.others))
    store(story, view_of("anna", view.others), 1, now)
    asked = {"query": {"for": "anna"}}
    assert "playUrl" in roster(rooms, story.ref.room, **asked).body["members"][0]
    story.tell(now, *(went(user, now) for user in view.others))
    key = {"pk": {"S": story.ref.pk}, "sk": {"S": "T#0000000001"}}
    dynamodb.delete_item(TableName="events", Key=key)
    fresh = roster(rooms, story.ref.room, **asked)
    assert fresh.body["members"] == roster(rooms, story.ref.room).body["members"]


def lambda_bytes(answer: Answer) -> int:
    """The size of an answer as Lambda returns it: its body is a JSON string within JSON."""
    return len(json.dumps(json.dumps(answer.body)))


# What a report of 1 MB may hold, by what grows most when it is written as JSON within JSON.
@pytest.mark.parametrize("letter", ["\U0001f600", "é", '"', "\\"])
def test_the_largest_room_fits_an_answer(
    rooms: Function, begin: Callable[..., Story], now: int, letter: str
) -> None:
    """5,000 members with the longest ids, who are all about to leave, and a report's playurls."""
    story, view = begin(), plain_view(5000, length=32)
    users = ["anna", *view.others]
    wide = letter * min(MOST_PLAYURL, 950_000 // len(users) // len(letter.encode()))
    playurls: dict[str, str | None] = dict.fromkeys(view.others, wide)
    others = Pending(now, now, Source.CLIENT, 4999, True, frozenset(["anna"]), ("anna",))
    came_by = [came(user, now, by=max(users, key=len)) for user in users]
    story.tell(now, *came_by, pending=(others,))
    store(story, view_of("anna", playurls), 1, now)
    answer = roster(rooms, story.ref.room, query={"for": "anna"})
    assert answer.body["size"] == 5000
    urls = {member["userId"]: member.get("playUrl") for member in answer.body["members"]}
    assert urls == {"anna": None, **playurls}
    assert lambda_bytes(answer) < LAMBDA_MOST


def test_a_roster_of_the_past(rooms: Function, begin: Callable[..., Story], now: int) -> None:
    """Who was there then, as far as is known by the newest version."""
    story = begin()
    story.tell(now - 9_000, came("anna", now - 9_000))
    story.tell(now - 1_000, came("berta", now - 4_000))
    story.tell(now, went("anna", now - 6_000))

    def then(t: int) -> Answer:
        return roster(rooms, story.ref.room, query={"at": str(t)})

    rosters = [who(then(now - t)) for t in (9_001, 9_000, 6_000, 4_000, 0)]
    assert rosters == [[], ["anna"], [], ["berta"], ["berta"]]
    body = then(now - 7_000).body
    member = {"userId": "anna", "since": now - 9_000, "by": "anna"}
    assert body == {
        "sdkAppId": APP,
        "roomId": story.ref.room,
        "at": now - 7_000,
        "version": 3,
        "hash": set_hash(["anna"]),
        "size": 1,
        "members": [{**member, "source": "client", "confirmed": True}],
    }


def test_a_past_that_is_not_kept_any_more_is_gone(
    rooms: Function, begin: Callable[..., Story], now: int
) -> None:
    """410, since no later try will find it."""
    story = begin()
    story.tell(now - 5, came("anna", now - 5))
    answer = roster(rooms, story.ref.room, query={"at": str(now - 91 * DAY)})
    assert (answer.status, answer.code) == (410, "history-gone")


def test_a_roster_that_is_known_is_not_sent_again(
    rooms: Function, begin: Callable[..., Story], now: int
) -> None:
    """304 with the same ETag while the settled view is the same; and it may be kept by callers."""
    story = begin()
    story.tell(now, came("anna", now))
    first = roster(rooms, story.ref.room)
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        again = roster(rooms, story.ref.room, known=known)
        assert (again.status, again.body) == (304, {})
        assert again.headers == {"ETag": etag, "Cache-Control": "private, no-cache"}
    for known in ('"x"', etag.strip('"'), "", "\x00", "W/"):
        assert roster(rooms, story.ref.room, known=known).status == 200
    story.tell(now, came("berta", now))
    assert roster(rooms, story.ref.room, known=etag).headers["ETag"] != etag


def test_an_etag_is_another_when_time_alone_has_changed_the_roster(
    rooms: Function, begin: Callable[..., Story], now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A leave that has waited long enough, though nothing was written."""
    story = begin()
    came_both = (came("anna", now), came("berta", now))
    story.tell(now, *came_both, pending=(about_to_leave("berta", now),))
    etag = roster(rooms, story.ref.room).headers["ETag"]
    monkeypatch.setattr(rooms.module.gate, "_clock", lambda: now / 1000 + 20)
    later = roster(rooms, story.ref.room, known=etag)
    assert (later.status, who(later)) == (200, ["anna"])
    assert roster(rooms, story.ref.room, known=later.headers["ETag"]).status == 304


def test_an_etag_is_of_what_who_asks_is_shown(
    rooms: Function, begin: Callable[..., Story], now: int
) -> None:
    """Playurls make another answer; so does another moment."""
    story = begin()
    story.tell(now - 5, came("anna", now - 5), came("berta", now - 5))
    store(story, view_of("anna", {"berta": PREFIX + "berta"}), 1, now)
    queries = [{}, {"for": "anna"}, {"at": str(now - 6)}, {"at": str(now - 5)}]
    tags = [roster(rooms, story.ref.room, query=query).headers["ETag"] for query in queries]
    assert len(set(tags)) == len(queries)
    for query, tag in zip(queries, tags, strict=True):
        assert roster(rooms, story.ref.room, query=query, known=tag).status == 304


def test_a_roster_of_the_future_is_refused(rooms: Function, now: int) -> None:
    """Nobody knows it."""
    answer = roster(rooms, 1, query={"at": str(now + 3_600_000)})
    assert (answer.status, answer.code, answer.places) == (400, "invalid-request", ["at"])


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ({"app": "0"}, "app"),
        ({"app": "-1"}, "app"),
        ({"app": "x"}, "app"),
        ({"app": 2**32}, "app"),
        ({"key": "0"}, "room"),
        ({"key": "4294967296"}, "room"),
        ({"key": "12a"}, "room"),
        ({"key": "1.5"}, "room"),
        ({"key": "%31%00"}, "room"),
        ({"key": "s:"}, "room"),
        ({"key": "s:YWRiamts="}, "room"),
        ({"key": "s:Cg"}, "room"),
        ({"key": "s:é"}, "room"),
        ({"query": {"for": ""}}, "for"),
        ({"query": {"for": "u" * 33}}, "for"),
        ({"query": {"for": "é"}}, "for"),
        ({"query": {"at": ""}}, "at"),
        ({"query": {"at": "-1"}}, "at"),
        ({"query": {"at": "1e3"}}, "at"),
        ({"query": {"at": "now"}}, "at"),
        ({"query": {"at": "9" * 13}}, "at"),
        ({"query": {"at": "9" * 5000}}, "at"),
        ({"query": {"at": "\u0661"}}, "at"),
    ],
)
def test_a_bad_parameter_is_named(rooms: Function, parts: dict[str, Any], place: str) -> None:
    """What is no application, room, user or time is a 400 that says which."""
    answer = roster(rooms, **{"key": "1", **parts})
    assert (answer.status, answer.code) == (400, "invalid-request")
    assert answer.places == [place]
