from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from chalicelib.events.items import Place, Report
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from chalicelib.rooms import room_key
from chalicelib.roster.view import View, set_hash, view_of
from tests.support.event_table import fresh_room
from tests.support.lists import plain_view, userlist, views
from tests.support.reports import API_KEY, APP, ROOM, Answer, Function, put_caller, token

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH = 1_600_000_000_000
LAMBDA_MOST = 6 * 1024 * 1024  # AWS's limit of a synchronous answer.


@pytest.fixture
def room() -> int:
    """A room of the test's own."""
    return fresh_room()


def put(rooms: Function, room: int | str, view: View, seq: int = 1) -> None:
    """Store a report, 250 ms old when it came in."""
    place = Place(APP, room, view.reporter)
    rooms.module.table.store(Report(place, EPOCH, seq, EPOCH + 1000, 250, "client", view))


def test_what_a_member_reported_is_shown(webhook: Function, rooms: Function, room: int) -> None:
    """A report that was acknowledged is what a backend reads a moment later."""
    view = view_of("anna", {"berta": "room://x/berta", "carla": None})
    body = {"seq": 3, "ageMs": 100, "userlist": userlist(view)}
    webhook.report(token("anna", room, epoch=EPOCH), body)
    answer = rooms.room(str(room))
    assert answer.status == 200
    received = answer.body["views"][0].pop("receivedAt")
    assert answer.body == {
        "sdkAppId": APP,
        "roomId": room,
        "views": [
            {
                "reporter": "anna",
                "epoch": EPOCH,
                "seq": 3,
                "t": received - 100,
                "hash": set_hash(["anna", "berta", "carla"]),
                "source": "client",
                "users": [
                    {"userId": "anna"},
                    {"userId": "berta", "playUrl": "room://x/berta"},
                    {"userId": "carla"},
                ],
            }
        ],
    }


def test_the_newest_view_of_each_member_is_shown(rooms: Function, room: int) -> None:
    """Each member stands once, with what it said last."""
    put(rooms, room, view_of("anna", {}), 1)
    put(rooms, room, view_of("berta", {"anna": None}), 2)
    put(rooms, room, view_of("anna", {"berta": None}), 3)
    shown = [(view["reporter"], view["seq"]) for view in rooms.room(str(room)).body["views"]]
    assert shown == [("anna", 3), ("berta", 2)]


@pytest.mark.parametrize("name", ["adbjkl", "a b#c", "123"])
@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_a_string_room_is_named_by_its_key(rooms: Function, name: str, colon: str) -> None:
    """The gateway may hand a path on as it was sent, percent-encoded."""
    put(rooms, name, view_of("anna", {}))
    answer = rooms.room(room_key(name).replace(":", colon))
    assert answer.body["strRoomId"] == name
    assert [view["reporter"] for view in answer.body["views"]] == ["anna"]


def test_a_room_that_nobody_reported_from_is_an_empty_list(rooms: Function, room: int) -> None:
    """Nobody yet, and nobody any more, are no error."""
    assert rooms.room(str(room)).body == {"sdkAppId": APP, "roomId": room, "views": []}


def lambda_bytes(answer: Answer) -> int:
    """The size of an answer as Lambda returns it: its body is a JSON string within JSON."""
    return len(json.dumps(json.dumps(answer.body)))


def pages(rooms: Function, room: int, **query: str) -> list[list[str]]:
    """The reporters of each page, following the cursors."""
    seen = []
    while True:
        body = rooms.room(str(room), **query).body
        seen.append([view["reporter"] for view in body["views"]])
        if "nextCursor" not in body:
            return seen
        query["cursor"] = body["nextCursor"]


def test_views_come_in_pages(rooms: Function, room: int) -> None:
    """Following the cursor shows each member once; 50 a page, unless the caller says."""
    users = [f"u{number:02}" for number in range(51)]
    for user in users:
        put(rooms, room, view_of(user, {}))
    assert pages(rooms, room) == [users[:50], users[50:]]
    assert pages(rooms, room, limit="17") == [users[:17], users[17:34], users[34:]]
    assert pages(rooms, room, limit="51") == [users]


def test_large_views_make_a_page_short(rooms: Function, room: int) -> None:
    """An answer stays below what Lambda can return, and the rest follows on the next page."""
    view = plain_view(5001, length=32)
    users = [f"u{number:02}" for number in range(8)]
    for user in users:
        put(rooms, room, view_of(user, view.others))
    first, *rest = pages(rooms, room)
    assert rest
    assert [*first, *chain(*rest)] == users
    assert lambda_bytes(rooms.room(str(room))) < LAMBDA_MOST


def test_the_largest_view_fits_an_answer(rooms: Function, room: int) -> None:
    """A report of 1 MB grows most where JSON escapes every character; it is a page of its own."""
    wide: dict[str, str | None] = {f"u{number}": "\U0001f600" * 512 for number in range(500)}
    put(rooms, room, view_of("a", wide))
    put(rooms, room, view_of("b", wide))
    assert pages(rooms, room) == [["a"], ["b"]]
    assert lambda_bytes(rooms.room(str(room))) < LAMBDA_MOST


def test_playurls_full_of_quotes_fit_an_answer(rooms: Function, room: int) -> None:
    """A quote is written twice over: in the answer's JSON, and in Lambda's around it."""
    quoted: dict[str, str | None] = {f"u{number}": '"' * 75 for number in range(5000)}
    users = [f"m{number}" for number in range(4)]
    for user in users:
        put(rooms, room, view_of(user, quoted))
    assert [*chain(*pages(rooms, room))] == users
    assert lambda_bytes(rooms.room(str(room))) < LAMBDA_MOST


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
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "1e1"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "a b"}, "cursor"),
        ({"cursor": "u" * 33}, "cursor"),
        ({"cursor": "é"}, "cursor"),
    ],
)
def test_a_bad_parameter_is_named(rooms: Function, parts: dict[str, Any], place: str) -> None:
    """What is no application, room, limit or cursor is a 400 that says which."""
    answer = rooms.room(**{"key": "1", **parts})
    assert (answer.status, answer.code) == (400, "invalid-request")
    assert answer.places == [place]


@pytest.mark.parametrize(
    ("may", "code", "place"),
    [
        ({"actions": frozenset({"issue"})}, "action-not-allowed", []),
        ({"applications": frozenset({5})}, "application-not-allowed", ["app"]),
        ({"rooms": "2*"}, "room-not-allowed", ["room"]),
    ],
)
def test_a_caller_reads_only_what_it_may(
    rooms: Function, may: dict[str, Any], code: str, place: list[str]
) -> None:
    """Reading needs the action, and the application and room within the caller's bounds."""
    api_key = f"rg_{code}_" + "s" * 43
    put_caller(api_key, **{"actions": frozenset({"read"}), **may})
    answer = rooms.room("107688", api_key=api_key)
    assert (answer.status, answer.code) == (403, code)
    assert answer.places == place


@pytest.mark.parametrize("api_key", ["x", "rg_reader_" + "x" * 43, "rg_nobody_" + "x" * 43])
def test_an_unknown_key_reads_nothing(rooms: Function, api_key: str) -> None:
    """An API key that no caller has is a 401."""
    answer = rooms.room("1", api_key=api_key)
    assert (answer.status, answer.code) == (401, "api-key-invalid")


def test_no_key_reads_nothing(rooms: Function) -> None:
    """Without an API key it is a 401 that says so."""
    answer = rooms.call("GET", ROOM, path={"app": str(APP), "room": "1"})
    assert (answer.status, answer.code) == (401, "api-key-missing")


def test_a_reading_is_one_log_line(
    rooms: Function, room: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log says who read which room, and holds no API key."""
    rooms.room(str(room))
    text = capsys.readouterr().out
    line = json.loads(text)
    said = {"event": "room", "caller": "reader", "sdkAppId": APP, "room": str(room)}
    assert line.items() >= said.items()
    assert API_KEY not in text


def test_it_is_ready_once_the_callers_can_be_read(load: Callable[[str], Function]) -> None:
    """Readiness is answered from memory: 503 until the store of callers has answered."""
    fresh = load("rooms")
    assert fresh.call("GET", "/readyz").code == "not-ready"
    fresh.room("1", api_key="rg_nobody_" + "x" * 43)
    assert fresh.call("GET", "/readyz").status == 200


def test_in_lambda_it_is_ready_at_once(
    load: Callable[[str], Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    """INIT reads the callers where the store answers during INIT."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "rooms")
    assert load("rooms").call("GET", "/readyz").status == 200


def test_its_document_is_openapi(rooms: Function) -> None:
    """The API document is valid OpenAPI 3.1."""
    validate(rooms.call("GET", "/v1/openapi.json").body)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=9), st.text(max_size=9), st.text(max_size=9), st.text(max_size=9))
def test_whatever_the_parameters_no_500(
    rooms: Function, app: str, key: str, limit: str, cursor: str
) -> None:
    """No path and no query makes rooms fail in another way than by saying no."""
    answers = [
        rooms.room(key, limit=limit, cursor=cursor),
        rooms.room(key, app=app),
        rooms.room("1", cursor=cursor),
    ]
    assert {answer.status for answer in answers} <= {200, 400, 403}


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(views())
def test_any_view_is_shown_as_it_was_reported(rooms: Function, view: View) -> None:
    """Each user and playurl of a report comes out as it went in."""
    where = fresh_room()
    put(rooms, where, view)
    (shown,) = rooms.room(str(where)).body["views"]
    users = {user["userId"]: user.get("playUrl") for user in shown["users"]}
    assert users == {view.reporter: None, **view.others}
