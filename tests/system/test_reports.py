"""Reports and rooms over real HTTP: from an entry's report token to what a backend reads."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import requests

from chalicelib.roster.view import View, view_of
from chalicelib.trtc.identifiers import parse_room
from tests.support.event_table import fresh_room
from tests.support.lists import plain_view, push_event, userlist

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.deploy.deployment import Deployed
    from tests.system.conftest import Tenant, Tenants

SECONDS = 30
THREADS = 20


class Rooms:
    """The deployed bundle as one tenant's backend and its members' clients use it."""

    def __init__(self, deployed: Deployed, tenant: Tenant) -> None:
        self._urls, self._tenant = deployed.urls, tenant

    def token(self, user: str, room: int | str) -> str:
        """The report token of an entry."""
        member = "roomId" if isinstance(room, int) else "strRoomId"
        response = requests.post(
            f"{self._urls['issuer']}/v1/entries",
            headers=self._tenant.headers,
            json={"sdkAppId": self._tenant.sdk_app_id, "userId": user, member: room},
            timeout=SECONDS,
        )
        assert response.status_code == 200, response.text
        token: str = response.json()["report"]["token"]
        return token

    def report(self, token: str, body: bytes | dict[str, Any]) -> requests.Response:
        """Post a report."""
        return requests.post(
            f"{self._urls['webhook']}/v1/userlist-reports",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            data=body if isinstance(body, bytes) else json.dumps(body),
            timeout=SECONDS,
        )

    def get(
        self, path: str, query: dict[str, object] | None = None, *, known: str = ""
    ) -> requests.Response:
        """Ask for something of the application; ``known`` is an ETag."""
        return requests.get(
            f"{self._urls['rooms']}/v1/apps/{self._tenant.sdk_app_id}/{path}",
            headers=self._tenant.headers | ({"If-None-Match": known} if known else {}),
            params={name: str(value) for name, value in (query or {}).items()},
            timeout=SECONDS,
        )

    def read(self, key: str, **query: object) -> requests.Response:
        """Ask for a room by its key, as it stands in the path."""
        return self.get(f"rooms/{key}", query)

    def members(self, room: int | str, asking: str = "anna") -> dict[str, str | None]:
        """Who is in a room, with the playurls that one of them knows."""
        shown = self.read(parse_room(room).key, **{"for": asking}).json()["members"]
        return {member["userId"]: member.get("playUrl") for member in shown}


@pytest.fixture(scope="module")
def rooms(deployed: Deployed, tenant: Tenant) -> Rooms:
    """A tenant with numeric rooms."""
    return Rooms(deployed, tenant)


@pytest.mark.parametrize("members", [2, 1000])
def test_what_members_report_is_what_a_backend_reads(rooms: Rooms, members: int) -> None:
    """Either form of a report, small or large, is there once it is acknowledged."""
    room, view = fresh_room(), plain_view(members)
    event = {"seq": 0, "event": push_event(view)}
    listed = {"seq": 1, "ageMs": 20, "userlist": userlist(view)}
    token = rooms.token(view.reporter, room)
    for body in (event, listed):
        answer = rooms.report(token, body)
        assert (answer.status_code, answer.json()["version"]) == (200, 1)
        assert answer.json()["hash"] == view.hash
    assert rooms.members(room, view.reporter) == {view.reporter: None, **view.others}
    assert rooms.read(str(room)).json()["hash"] == view.hash


def test_string_rooms_work_from_entry_to_reading(deployed: Deployed, tenants: Tenants) -> None:
    """A string room's key goes through paths, encoded or not, and through tokens."""
    name = "a room [#1] ~"
    rooms = Rooms(deployed, tenants.new(key=token_hex(32)))
    rooms.report(rooms.token("anna", name), {"seq": 0, "userlist": [{"userid": "berta"}]})
    assert rooms.members(name) == {"anna": None, "berta": None}
    encoded = rooms.read(parse_room(name).key.replace(":", "%3A")).json()
    assert encoded["strRoomId"] == name
    assert encoded["size"] == 2


def test_a_token_reports_its_own_room_only(rooms: Rooms) -> None:
    """A member cannot report for another room or user, whatever its body says."""
    room, other = fresh_room(), fresh_room()
    answer = rooms.report(
        rooms.token("anna", room), {"seq": 0, "userlist": [], "roomId": other, "userId": "berta"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")
    assert rooms.members(room) == rooms.members(other) == {}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"\xff{", 400, "malformed-json"),
        (b'{"seq":0,"userlist":[', 400, "malformed-json"),
        (b'{"seq":0,"userlist":[{"userid":"anna"}]}', 400, "invalid-request"),
        (b'{"seq":0,"event":{"code":1031,"message":"{}"}}', 400, "invalid-request"),
        (b'{"seq":0,"userlist":[]}'.ljust(1024 * 1024 + 1), 413, "body-too-large"),
        (
            json.dumps({"seq": 0, "userlist": [{"userid": f"u{n}"} for n in range(5001)]}).encode(),
            413,
            "list-too-large",
        ),
    ],
    ids=["bytes", "json", "reporter", "event", "bytes-too-many", "users-too-many"],
)
def test_a_bad_report_is_refused_and_not_stored(
    rooms: Rooms, body: bytes, status: int, code: str
) -> None:
    """The gateway hands bad bodies on, and webhook says what is wrong with them."""
    room = fresh_room()
    answer = rooms.report(rooms.token("anna", room), body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert rooms.members(room) == {}


def test_a_report_without_its_token_is_refused(rooms: Rooms) -> None:
    """A changed token and none at all are 401s."""
    token = rooms.token("anna", fresh_room())
    codes = [rooms.report(bad, {}).json()["code"] for bad in ("", token[:-3], token + "x")]
    assert codes == ["report-token-missing", "report-token-invalid", "report-token-invalid"]


def report_at_once(rooms: Rooms, room: int, views: list[View]) -> Counter[str]:
    """What came of one member's reports under one token and seq, sent at the same moment."""
    token, barrier = rooms.token("anna", room), Barrier(len(views))

    def send(view: View) -> str:
        barrier.wait()
        body = rooms.report(token, {"seq": 3, "userlist": userlist(view)}).json()
        return str(body.get("outcome") or body["code"])

    with ThreadPoolExecutor(len(views)) as pool:
        return Counter(pool.map(send, views))


@pytest.mark.parametrize("lists", [1, THREADS])
def test_20_clients_under_one_seq_store_one_list(rooms: Rooms, lists: int) -> None:
    """Equal lists are one success and its repeats; of different ones all but one are 409s."""
    room = fresh_room()
    views = [view_of("anna", {f"u{n % lists}": None}) for n in range(THREADS)]
    outcomes = report_at_once(rooms, room, views)
    assert outcomes["report-conflict"] == (0 if lists == 1 else THREADS - 1)
    done = sum(outcomes[each] for each in ("applied", "unchanged", "stored", "duplicate"))
    assert done == THREADS // lists
    assert rooms.members(room) in [{"anna": None, **view.others} for view in views]


def came_and_gone(rooms: Rooms, room: int) -> list[int]:
    """Anna and berta come, and berta leaves; which version of the room each report led to."""
    anna, berta = (rooms.token(user, room) for user in ("anna", "berta"))
    both = [{"userid": "berta"}]
    reports: list[tuple[str, dict[str, Any]]] = [
        (anna, {"seq": 0, "userlist": []}),
        (anna, {"seq": 1, "userlist": both}),
        (berta, {"seq": 0, "userlist": [{"userid": "anna"}]}),
        (berta, {"seq": 1, "left": True}),
    ]
    return [rooms.report(token, body).json()["version"] for token, body in reports]


def test_a_timeline_tells_what_became_of_reports(rooms: Rooms) -> None:
    """Page by page, and so does the roster, now and at each of its moments."""
    room = fresh_room()
    assert came_and_gone(rooms, room) == [1, 2, 2, 3]
    entries: list[Any] = []
    query: dict[str, object] = {"limit": 1}
    while True:
        page = rooms.get(f"rooms/{room}/timeline", query).json()
        entries += page["entries"]
        if "nextCursor" not in page:
            break
        query["cursor"] = page["nextCursor"]
    transitions = [each for entry in entries for each in entry["transitions"]]
    told = [(each["userId"], each["change"], each["reason"]) for each in transitions]
    assert told == [
        ("anna", "joined", "listed"),
        ("berta", "joined", "listed"),
        ("berta", "left", "left"),
    ]
    assert [entry["version"] for entry in entries] == [1, 2, 3]
    rosters = [rooms.read(str(room), at=each["t"]).json() for each in transitions]
    assert [roster["size"] for roster in rosters] == [1, 2, 1]
    assert rooms.read(str(room)).json()["members"] == rosters[-1]["members"]


def test_an_open_room_is_listed_until_it_is_empty(deployed: Deployed, tenants: Tenants) -> None:
    """The index follows the head, a moment later."""
    rooms, room = Rooms(deployed, tenants.new()), fresh_room()
    came_and_gone(rooms, room)
    (shown,) = eventually(lambda: rooms.get("rooms").json()["rooms"], 1)
    assert (shown["roomId"], shown["size"], shown["version"]) == (room, 1, 3)
    rooms.report(rooms.token("anna", room), {"seq": 0, "left": True})
    eventually(lambda: rooms.get("rooms").json()["rooms"], 0)


def eventually(read: Callable[[], list[Any]], wanted: int) -> list[Any]:
    """Read until so many things come, for some seconds at most."""
    ends = time.monotonic() + SECONDS
    while len(found := read()) != wanted:
        assert time.monotonic() < ends, found
    return found


def test_what_a_backend_knows_is_not_sent_again(rooms: Rooms) -> None:
    """The gateway hands If-None-Match in, and 304 out, which has no body."""
    room = fresh_room()
    came_and_gone(rooms, room)
    for path in (f"rooms/{room}", f"rooms/{room}/timeline", "users/anna/sessions"):
        first = rooms.get(path)
        assert first.headers["Cache-Control"] == "private, no-cache"
        again = rooms.get(path, known=first.headers["ETag"])
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert rooms.get(path, known='"x"').json() == first.json()


def test_a_users_sessions_are_read(rooms: Rooms) -> None:
    """A user that was never anywhere has none."""
    answer = rooms.get("users/nobody/sessions").json()
    assert (answer["userId"], answer["sessions"]) == ("nobody", [])


@pytest.mark.parametrize(
    ("key", "query", "place"),
    [
        ("0", {}, "room"),
        ("s:%C3%A9", {}, "room"),
        ("7", {"at": 10**13 - 1}, "at"),
        ("7", {"for": "a b"}, "for"),
        ("7/timeline", {"limit": 0}, "limit"),
        ("7/timeline", {"cursor": "a b"}, "cursor"),
    ],
)
def test_a_bad_parameter_is_named(
    rooms: Rooms, key: str, query: dict[str, object], place: str
) -> None:
    """What is no room, time, user, limit or cursor is a 400 that says which."""
    problem = rooms.read(key, **query).json()
    assert (problem["status"], problem["code"]) == (400, "invalid-request")
    assert [error["parameter"] for error in problem["errors"]] == [place]


def test_reading_needs_the_action(deployed: Deployed, tenants: Tenants, tenant: Tenant) -> None:
    """A backend that may issue entries may not read rooms for that."""
    api_key = tenants.caller(tenant.sdk_app_id, "--action", "issue")
    answer = Rooms(deployed, tenant._replace(api_key=api_key)).read("7")
    assert (answer.status_code, answer.json()["code"]) == (403, "action-not-allowed")
