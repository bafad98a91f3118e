from __future__ import annotations

import json
import random
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from chalicelib.roster.view import View, set_hash, view_of
from chalicelib.stores.settings import Settings
from chalicelib.table.client import connect
from chalicelib.table.item_keys import ReporterKey, RoomKey
from chalicelib.table.reports import report_of
from chalicelib.table.table import EventTable
from chalicelib.trtc.identifiers import parse_room
from tests.support.event_table import fresh_room, items_in, stored_items
from tests.support.lists import plain_view, push_event, userlist, views
from tests.support.reports import APP, KEY, REPORTS, STACK, TABLE, Function, token

if TYPE_CHECKING:
    from collections.abc import Callable

BERTA = [{"userid": "berta", "playurl": "room://1.2.3.4:1935/webrtc/1_2_berta"}]


@pytest.fixture
def room() -> int:
    """A room of the test's own."""
    return fresh_room()


dynamodb = cache(connect)


def stored(room: int | str, user: str = "anna", app: int = APP) -> list[View | None]:
    """The views that a member's stored reports hold; None for "I left"."""
    table = EventTable(dynamodb(), TABLE)
    place = ReporterKey(app, parse_room(room), user)
    return [
        report_of(item, lambda version: table.members_at(place.ref, version)).view
        for item in stored_items(dynamodb(), TABLE, place.pk)
    ]


def members(room: int | str, app: int = APP) -> set[str]:
    """Who is in a room."""
    table = EventTable(dynamodb(), TABLE)
    return set(table.members(table.room(RoomKey(app, parse_room(room)))))


@pytest.mark.parametrize("form", [push_event, userlist])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_report_is_stored_and_folded(
    webhook: Function, room: int, form: Callable[[View], Any], size: int
) -> None:
    """Either form of a report is answered with what it did, and has done so by then."""
    view = plain_view(size)
    pushed = {"event" if form is push_event else "userlist": form(view)}
    answer = webhook.report(
        token(view.reporter, parse_room(room)), {"seq": 7, "ageMs": 30, **pushed}
    )
    assert answer.status == 200
    assert answer.body == {
        "outcome": "applied",
        "version": 1,
        "hash": view.hash,
        "epoch": 1_600_000_000_000,
        "seq": 7,
        "members": size,
    }
    assert stored(room, view.reporter) == [view]
    assert members(room) == {view.reporter, *view.others}


def test_a_repeat_is_a_success_and_stored_once(webhook: Function, room: int) -> None:
    """A client that lost the answer sends the same again and learns that all is well."""
    answers = [
        webhook.report(token("anna", parse_room(room)), {"seq": 0, "ageMs": age, "userlist": BERTA})
        for age in (0, 500, 500)
    ]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [a.body.pop("outcome") for a in answers] == ["applied", "duplicate", "duplicate"]
    assert answers[0].body == answers[1].body == answers[2].body
    assert len(stored(room)) == 1


def test_another_list_under_the_same_seq_is_a_conflict(webhook: Function, room: int) -> None:
    """The list that came first stays; the caller learns to count on."""
    webhook.report(token("anna", parse_room(room)), {"seq": 1, "userlist": BERTA})
    answer = webhook.report(token("anna", parse_room(room)), {"seq": 1, "userlist": []})
    assert (answer.status, answer.code) == (409, "report-conflict")
    assert stored(room) == [view_of("anna", {"berta": BERTA[0]["playurl"]})]


def test_seq_starts_anew_with_each_token(webhook: Function, room: int) -> None:
    """A new entry brings a new epoch, so a client may count from nought again."""
    outcomes = [
        webhook.report(
            token("anna", parse_room(room), epoch=1_600_000_000_000 + epoch),
            {"seq": 0, "userlist": []},
        ).body["outcome"]
        for epoch in range(2)
    ]
    assert outcomes == ["applied", "unchanged"]
    assert len(stored(room)) == 2


def test_members_come_and_go(webhook: Function, room: int) -> None:
    """Each answer says what the report did, and which version of the room it left."""
    lists = [("anna", []), ("berta", ["anna"]), ("anna", ["berta"]), ("anna", ["berta"])]
    answers = [
        webhook.report(
            token(user, parse_room(room)),
            {"seq": seq, "userlist": [{"userid": each} for each in others]},
        ).body
        for seq, (user, others) in enumerate(lists)
    ]
    assert [(each["outcome"], each["version"]) for each in answers] == [
        ("applied", 1),
        ("applied", 2),
        ("unchanged", 2),
        ("unchanged", 2),
    ]
    assert members(room) == {"anna", "berta"}
    for outcome in ("applied", "duplicate"):
        left = webhook.report(token("berta", parse_room(room)), {"seq": 9, "left": True}).body
        expected = {"outcome": outcome, "version": 3, "epoch": 1_600_000_000_000, "seq": 9}
        assert left == expected
    assert members(room) == {"anna"}
    assert stored(room, "berta")[-1] is None


def test_a_heartbeat_is_not_stored(webhook: Function, room: int) -> None:
    """It echoes the hash of the client's last list; one that the room does not know asks for it."""
    known = webhook.report(token("anna", parse_room(room)), {"seq": 0, "userlist": BERTA}).body[
        "hash"
    ]
    beat = webhook.report(token("berta", parse_room(room)), {"heartbeat": True, "hash": known})
    assert beat.body == {"outcome": "unchanged", "version": 1}
    beat = webhook.report(token("berta", parse_room(room)), {"heartbeat": True, "hash": "0" * 16})
    assert beat.body == {"outcome": "unchanged", "version": 1, "resend": True}
    assert stored(room, "berta") == []


def test_a_list_that_was_asked_for_says_so(webhook: Function, room: int) -> None:
    """The fold trusts it to be what the client sees now."""
    webhook.report(token("anna", parse_room(room)), {"seq": 0, "userlist": [], "resent": True})
    (item,) = stored_items(dynamodb(), TABLE, ReporterKey(APP, parse_room(room), "anna").pk)
    assert item["resent"] == {"BOOL": True}


def test_a_room_over_its_cap_is_refused(load: Callable[[str], Function]) -> None:
    """The application's settings say how many members a room may have."""
    settings = Settings(largest_room=3).to_json()
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=f"/{STACK}/apps/{APP}", Value=settings, Type="String", Overwrite=True)
    fresh, room = load("webhook"), fresh_room()
    try:
        answer = fresh.report(
            token("anna", parse_room(room)),
            {"seq": 1, "userlist": [{"userid": f"u{n}"} for n in range(3)]},
        )
        assert (answer.status, answer.code) == (413, "list-too-large")
        assert "allows 3" in answer.body["detail"]
        assert stored(room) == []
        fresh.report(
            token("anna", parse_room(room)), {"seq": 1, "userlist": [*BERTA, {"userid": "carla"}]}
        )
        fresh.report(
            token("zoe", parse_room(room)), {"seq": 1, "userlist": [*BERTA, {"userid": "dora"}]}
        )
        assert len(members(room)) == 3
    finally:
        ssm.delete_parameter(Name=f"/{STACK}/apps/{APP}")


@pytest.mark.parametrize("name", ["adbjkl", "a b#c", "123"])
def test_string_rooms_are_rooms(webhook: Function, name: str) -> None:
    """A string room's reports stand under the string, apart from a number's."""
    webhook.report(token("anna", parse_room(name)), {"seq": 1, "userlist": []})
    assert stored(name) == [view_of("anna", {})]


@pytest.mark.parametrize(
    "claim", ["userId", "sdkAppId", "roomId", "room", "epoch", "reporter", "source", "received"]
)
def test_nothing_in_the_body_speaks_for_the_token(webhook: Function, room: int, claim: str) -> None:
    """Whose report it is, and of which room, only the token says."""
    answer = webhook.report(token("anna", parse_room(room)), {"seq": 1, "userlist": [], claim: 1})
    assert (answer.status, answer.code) == (400, "invalid-request")
    assert answer.places == [f"#/{claim}"]
    assert stored(room) == []


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, ["#/seq", "#"]),
        ({"seq": 1}, ["#"]),
        ({"userlist": []}, ["#/seq"]),
        ({"seq": 1, "userlist": [], "event": {}}, ["#/event", "#/userlist"]),
        ({"seq": 1, "userlist": [], "left": True}, ["#/left", "#/userlist"]),
        ({"seq": 1, "left": False}, ["#/left"]),
        ({"left": True}, ["#/seq"]),
        ({"seq": 1, "userlist": [], "resent": 1}, ["#/resent"]),
        ({"heartbeat": True}, ["#/hash"]),
        ({"heartbeat": 1, "hash": "0" * 16}, ["#/heartbeat"]),
        ({"heartbeat": True, "hash": "0" * 15}, ["#/hash"]),
        ({"heartbeat": True, "hash": "G" * 16}, ["#/hash"]),
        ({"heartbeat": True, "hash": "0" * 16, "seq": 1}, ["#/seq"]),
        ({"seq": -1, "userlist": []}, ["#/seq"]),
        ({"seq": 2**31, "userlist": []}, ["#/seq"]),
        ({"seq": 10**400, "userlist": []}, ["#/seq"]),
        ({"seq": True, "userlist": []}, ["#/seq"]),
        ({"seq": "1", "userlist": []}, ["#/seq"]),
        ({"seq": 1.0, "userlist": []}, ["#/seq"]),
        ({"seq": 1, "ageMs": -1, "userlist": []}, ["#/ageMs"]),
        ({"seq": 1, "ageMs": 86_400_001, "userlist": []}, ["#/ageMs"]),
        ({"seq": 1, "ageMs": None, "userlist": []}, ["#/ageMs"]),
        ({"seq": 1, "userlist": {}}, ["#/userlist"]),
        ({"seq": 1, "userlist": '{"userlist":[]}'}, ["#/userlist"]),
        ({"seq": 1, "userlist": None}, ["#/userlist"]),
        ({"seq": 1, "event": []}, ["#/event"]),
        ({"seq": 1, "event": {}}, ["#/event/code"]),
        ({"seq": 1, "event": {"code": 1031, "message": "{}"}}, ["#/event/code"]),
        ({"seq": 1, "event": {"code": 1020, "message": {}}}, ["#/event/message"]),
        ({"seq": 1, "userlist": [*BERTA, {"userid": ""}]}, ["#/userlist/1/userid"]),
        ({"seq": 1, "userlist": [*BERTA, {"userid": "anna"}]}, ["#/userlist/1/userid"]),
        ({"seq": 1, "userlist": BERTA * 2}, ["#/userlist/1/userid"]),
        ({"seq": 1, "userlist": [{"userid": "b", "playurl": 1}]}, ["#/userlist/0/playurl"]),
        ([], ["#"]),
        (None, ["#"]),
        ("report", ["#"]),
    ],
)
def test_a_bad_report_is_named_by_its_place(
    webhook: Function, room: int, body: Any, places: list[str]
) -> None:
    """What breaks the schema is a 400 that points to it, and stores nothing."""
    answer = webhook.report(token("anna", parse_room(room)), body)
    assert (answer.status, answer.code) == (400, "invalid-request")
    assert sorted(answer.places) == sorted(places)
    assert stored(room) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"seq":1,"seq":2,"userlist":[]}',
        b'{"seq":1,"userlist":[{"userid":"a","userid":"b"}]}',
        b'{"seq":NaN,"userlist":[]}',
        b"[" * 100_000,
        b"1" * 5000,
    ],
)
def test_what_is_no_json_is_refused(webhook: Function, room: int, body: bytes) -> None:
    """A body that two parsers could read differently is not read at all."""
    answer = webhook.report(token("anna", parse_room(room)), body)
    assert (answer.status, answer.code) == (400, "malformed-json")
    assert stored(room) == []


def test_another_content_type_is_refused(webhook: Function, room: int) -> None:
    """Reports are JSON, and say so."""
    headers = {
        "Authorization": f"Bearer {token('anna', parse_room(room))}",
        "Content-Type": "text/plain",
    }
    answer = webhook.call("POST", REPORTS, body=b'{"seq":1,"userlist":[]}', headers=headers)
    assert (answer.status, answer.code) == (415, "unsupported-media-type")


def test_a_body_over_1_mb_is_refused(webhook: Function, room: int) -> None:
    """Up to 1 MB is read, whatever it holds; one byte more is not."""
    body = json.dumps({"seq": 1, "userlist": []}).encode()
    largest = body.ljust(1024 * 1024)
    assert webhook.report(token("anna", parse_room(room)), largest + b" ").code == "body-too-large"
    assert stored(room) == []
    assert webhook.report(token("anna", parse_room(room)), largest).status == 200


def test_over_5_000_users_are_refused(webhook: Function, room: int) -> None:
    """5,000 others are read; one more is a 413."""
    users = [{"userid": f"u{number}"} for number in range(5001)]
    answer = webhook.report(token("anna", parse_room(room)), {"seq": 1, "userlist": users})
    assert (answer.status, answer.code) == (413, "list-too-large")
    assert stored(room) == []
    answer = webhook.report(token("anna", parse_room(room)), {"seq": 1, "userlist": users[:-1]})
    assert answer.body["members"] == 5001


def test_playurls_that_fit_no_item_are_refused(webhook: Function, room: int) -> None:
    """Noise under 1 MB can be too much for one item: a 413, before any write."""
    chance = random.Random(3)  # noqa: S311 (noise, no secret)
    users = [{"userid": f"u{n}", "playurl": chance.randbytes(250).hex()} for n in range(1700)]
    answer = webhook.report(token("anna", parse_room(room)), {"seq": 1, "userlist": users})
    assert (answer.status, answer.code) == (413, "list-too-large")
    assert stored(room) == []


HOUR = 3600


@pytest.mark.parametrize(
    ("bearer", "code"),
    [
        ("", "report-token-missing"),
        ("x", "report-token-invalid"),
        ("a.b.c", "report-token-invalid"),
        ("é.é.é", "report-token-invalid"),
        (token("anna", parse_room(1))[:-2], "report-token-invalid"),
        (token("anna", parse_room(1)).replace(".", ".e", 1), "report-token-invalid"),
        (jwt.encode({"sub": "anna"}, "w" * 32, headers={"kid": "1"}), "report-token-invalid"),
        (jwt.encode({"sub": "anna"}, KEY, headers={"kid": "2"}), "report-token-invalid"),
        (jwt.encode({"sub": "anna"}, KEY, headers={"kid": "1"}), "report-token-invalid"),
        (jwt.encode({"sub": "a"}, "", "none", headers={"kid": "1"}), "report-token-invalid"),
        (token("anna", parse_room(1), ends=1_600_000_000), "report-token-expired"),
    ],
)
def test_a_report_needs_its_token(webhook: Function, bearer: str, code: str) -> None:
    """No token of ours, or one of yesterday, is a 401 before the body is looked at."""
    answer = webhook.report(bearer, b"not even JSON")
    assert (answer.status, answer.code) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The log lines since the last look."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_report_is_one_log_line(
    webhook: Function, room: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log says whose report it was and what became of it, counts it, and holds no token."""
    bearer = token("anna", parse_room(room))
    for body in ([{"userid": "berta"}], [{"userid": "berta"}], [], [{"userid": ""}]):
        webhook.report(bearer, {"seq": 5, "userlist": body})
    lines = logged(capsys)
    assert [line["outcome"] for line in lines] == [
        "applied",
        "duplicate",
        "report-conflict",
        "invalid-request",
    ]
    assert [line["status"] for line in lines] == [200, 200, 409, 400]
    counted = ["ReportsApplied", "ReportsDuplicate", "ReportsConflict"]
    assert [line[name] for line, name in zip(lines, counted, strict=False)] == [1, 1, 1]
    assert not set(counted) & set(lines[3])
    first = lines[0]
    known = {"sdkAppId": APP, "room": str(room), "userId": "anna", "epoch": 1_600_000_000_000}
    said = {"event": "report", "seq": 5, "members": 2, "hash": set_hash(["anna", "berta"])}
    assert first.items() >= (known | said).items()
    assert bearer.rpartition(".")[2] not in json.dumps(lines)


def test_it_is_ready_once_the_token_keys_are_loaded(load: Callable[[str], Function]) -> None:
    """Readiness is answered from memory: 503 until a report made the keys known."""
    fresh = load("webhook")
    assert fresh.call("GET", "/readyz").code == "not-ready"
    fresh.report(token("anna", parse_room(1)), b"")
    assert fresh.call("GET", "/readyz").status == 200
    assert fresh.call("GET", "/healthz").body == {"status": "ok"}


def test_its_document_is_openapi(webhook: Function) -> None:
    """The API document is valid OpenAPI 3.1."""
    validate(webhook.call("GET", "/v1/openapi.json").body)


ours = st.sampled_from(
    ["seq", "ageMs", "event", "userlist", "userid", "playurl", "left", "heartbeat", "hash"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | ours,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ours, inner, max_size=4),
    max_leaves=12,
)
bodies = st.binary(max_size=60) | st.builds(
    lambda value, tail: json.dumps(value).encode() + tail,
    anything | st.fixed_dictionaries({"seq": st.integers(0, 3), "userlist": anything}),
    st.sampled_from([b"", b"", b"", b"}", b"\x00"]),
)
gentle = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@gentle
@given(bodies)
def test_whatever_the_bytes_they_fit_or_are_refused(webhook: Function, body: bytes) -> None:
    """No body makes a 500, and what is not a 200 has stored nothing."""
    room, before = fresh_room(), items_in(dynamodb(), TABLE)
    answer = webhook.report(token("anna", parse_room(room)), body)
    assert answer.status in {200, 400, 413}
    assert len(stored(room)) == ("seq" in answer.body)
    assert answer.status == 200 or items_in(dynamodb(), TABLE) == before


@gentle
@given(views())
def test_any_valid_list_comes_back_as_it_was_sent(webhook: Function, view: View) -> None:
    """What a member reports is what is stored, whatever its playurls hold."""
    room = fresh_room()
    answer = webhook.report(
        token(view.reporter, parse_room(room)), {"seq": 1, "userlist": userlist(view)}
    )
    assert answer.status == 200
    assert stored(room, view.reporter) == [view]
