"""What is asked of rooms: cursors, ETags, parameters, and who may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.table.sessions import Session
from tests.support.event_table import fresh_room
from tests.support.reports import (
    APP,
    EVERYWHERE,
    ROOM,
    ROOMS,
    SESSIONS,
    TIMELINE,
    Answer,
    Function,
    put_caller,
)
from tests.support.stories import OWN_WORD, came, put_sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.stories import Story

T = 1_600_000_000_000


def each_list(room: int) -> list[dict[str, Any]]:
    """What is asked for with a cursor."""
    return [
        {"resource": ROOMS},
        {"resource": TIMELINE, "room": str(room)},
        {"resource": SESSIONS, "user": "anna"},
    ]


@pytest.fixture
def cursors(
    rooms: Function, begin: Callable[..., Story], dynamodb: Any, now: int, app: int
) -> list[tuple[dict[str, Any], str]]:
    """How each list is asked for, with a cursor of it."""
    for room in (7, 8):
        story = begin(room, app)
        story.tell(now, came("anna", now))
        story.tell(now, came("berta", now))
        put_sessions(dynamodb, Session(story.ref, "anna", T, OWN_WORD))
    asked = [{**each, "app": app, "api_key": EVERYWHERE} for each in each_list(7)]
    answers = [rooms.read(**each, query={"limit": "1"}) for each in asked]
    found = [answer.body["nextCursor"] for answer in answers]
    return list(zip(asked, found, strict=True))


def test_a_cursor_is_good_for_its_own_list_only(
    rooms: Function, cursors: list[tuple[dict[str, Any], str]], app: int
) -> None:
    """That of another list, room, user or application is a 400, as is one that was changed."""
    others: list[dict[str, Any]] = [{"app": APP}, {"room": "8"}, {"user": "berta"}]
    for asked, cursor in cursors:
        assert rooms.read(**asked, query={"cursor": cursor}).status == 200
        strangers = [asked | other for other in others if other.keys() <= asked.keys()]
        wrong = [(each, cursor) for each in strangers]
        wrong += [(asked, other) for _, other in cursors if other != cursor]
        bad = ("", "x", "é", "=", cursor[:-4], cursor + "A", "A" + cursor[1:], cursor * 50)
        wrong += [(asked, each) for each in (*bad, cursor.swapcase(), f" {cursor}")]
        for each, garbled in wrong:
            answer = rooms.read(**each, query={"cursor": garbled})
            assert (answer.status, answer.places) == (400, ["cursor"]), (each, garbled)
    assert app != APP


def test_what_a_caller_has_is_not_sent_again(
    rooms: Function, cursors: list[tuple[dict[str, Any], str]]
) -> None:
    """Every list has an ETag, of the page as it is."""
    for asked, cursor in cursors:
        tags = []
        for query in ({"limit": "1"}, {"cursor": cursor}):
            first = rooms.read(**asked, query=query)
            tags.append(first.headers["ETag"])
            again = rooms.read(**asked, query=query, known=tags[-1])
            assert (again.status, again.headers["ETag"]) == (304, tags[-1])
        assert tags[0] != tags[1]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "1e1"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"from": "x"}, "from"),
        ({"from": "-1"}, "from"),
        ({"from": "9" * 14}, "from"),
        ({"to": ""}, "to"),
        ({"to": "1.5"}, "to"),
        ({"to": "2020-01-01T00:00:00Z"}, "to"),
        ({"from": "6", "to": "5"}, "from"),
    ],
)
def test_a_bad_parameter_is_named(rooms: Function, query: dict[str, str], place: str) -> None:
    """What is no limit or time is a 400 that says which; the list of rooms has no times."""
    for asked in each_list(7)[1 if place != "limit" else 0 :]:
        answer = rooms.read(**asked, query=query)
        assert (answer.status, answer.code, answer.places) == (400, "invalid-request", [place])


def test_a_parameter_that_is_not_known_is_refused(rooms: Function) -> None:
    """A misspelt cursor would begin the list anew for ever; each is named."""
    for asked in each_list(7):
        answer = rooms.read(**asked, query={"curser": "x", "limit": "5", "at ": "1"})
        assert (answer.status, answer.code) == (400, "invalid-request")
        assert sorted(answer.places) == ["at ", "curser"]


def test_a_parameter_that_comes_twice_is_refused(rooms: Function) -> None:
    """Either may be meant."""
    for asked in each_list(7):
        answer = rooms.read(**asked, query={"limit": "5"}, repeated="limit")
        assert (answer.status, answer.places) == (400, ["limit"])


@pytest.mark.parametrize("path", [{"app": "x"}, {"room": "s:"}, {"user": "a b"}])
def test_a_bad_path_is_named(rooms: Function, path: dict[str, str]) -> None:
    """What is no application, room or user."""
    for asked in each_list(7):
        if path.keys() <= {"app", *asked}:
            answer = rooms.read(**asked | path)
            assert (answer.status, answer.places) == (400, list(path))


def test_reading_needs_the_action_and_the_application(rooms: Function) -> None:
    """Whatever is read."""
    for name, may, code in (
        ("issuing", {"actions": frozenset({"issue"})}, "action-not-allowed"),
        ("elsewhere", {"applications": frozenset({5})}, "application-not-allowed"),
    ):
        api_key = f"rg_{name}_" + "s" * 43
        put_caller(api_key, **{"actions": frozenset({"read"}), **may})
        answers: list[Answer] = [rooms.read(**each, api_key=api_key) for each in each_list(7)]
        assert {(answer.status, answer.code) for answer in answers} == {(403, code)}


def test_a_timeline_needs_the_room(rooms: Function) -> None:
    """As the roster does."""
    api_key = "rg_ones_" + "s" * 43
    put_caller(api_key, actions=frozenset({"read"}), rooms="1*")
    answer = rooms.read(TIMELINE, room="7", api_key=api_key)
    assert (answer.code, answer.places) == ("room-not-allowed", ["room"])
    assert rooms.read(TIMELINE, room="17", api_key=api_key).status == 200


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.fixed_dictionaries(
        {name: st.text(max_size=20) for name in ("app", "room", "user")},
    ),
    st.dictionaries(
        st.sampled_from(["limit", "cursor", "from", "to", "for", "at"]),
        st.text(max_size=20) | st.integers(-1, 10**14).map(str),
    ),
    st.text(max_size=20),
)
def test_whatever_the_parameters_no_500(
    rooms: Function, path: dict[str, str], query: dict[str, str], known: str
) -> None:
    """No path, no query and no header makes rooms fail in another way than by saying no."""
    lists = {"limit", "cursor"}
    resources: dict[str, tuple[list[str], set[str]]] = {
        ROOMS: ([], lists),
        ROOM: (["room"], {"for", "at"}),
        TIMELINE: (["room"], lists | {"from", "to"}),
        SESSIONS: (["user"], lists | {"from", "to"}),
    }
    for resource, (own, taken) in resources.items():
        good = {"room": str(fresh_room()), "user": "anna"}
        asked = {name: query[name] for name in query.keys() & taken}
        for parts in ({"app": path["app"], **path}, {"app": APP, **good}):
            named = {name: str(parts[name]) for name in own}
            answer = rooms.read(resource, app=parts["app"], query=asked, known=known, **named)
            assert answer.status in {200, 304, 400, 403, 410}
