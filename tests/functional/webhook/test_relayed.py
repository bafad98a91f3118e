from __future__ import annotations

import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.auth.relay import Relay
from chalicelib.roster.signal import Source
from chalicelib.roster.view import set_hash, view_of
from chalicelib.table.client import connect
from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.table import EventTable
from chalicelib.trtc.identifiers import parse_room
from tests.support.event_table import fresh_room, items_in
from tests.support.reports import APP, STACK, TABLE, Function, paced, token
from tests.support.signing import NEW, OLD, OTHER, relay_headers

if TYPE_CHECKING:
    from chalicelib.table.reports import Report
    from tests.support.reports import Answer

ROUTE = "/v1/relays/{relay}/userlist-reports"
EPOCH = 1_600_000_000_000


@pytest.fixture(scope="module", autouse=True)
def relays(webhook: Function) -> None:
    """Two relays; one may report of the application, the other of another one only."""
    assert webhook
    client = boto3.client("secretsmanager")
    for relay_id, relay in (
        ("relay", Relay((NEW, OLD), frozenset({APP}))),
        ("elsewhere", Relay((OTHER,), frozenset({7}))),
        ("anywhere", Relay((OTHER,))),
    ):
        name = f"{STACK}/relay/{relay_id}"
        client.create_secret(Name=name, SecretString=relay.to_json())


@pytest.fixture
def room() -> int:
    """A room of the test's own."""
    return fresh_room()


dynamodb = cache(connect)


@cache
def table() -> EventTable:
    return EventTable(dynamodb(), TABLE)


def stored(room: int | str, user: str = "anna", app: int = APP) -> Report | None:
    return table().newest(ReporterKey(app, parse_room(room), user))


def said(room: int | str, **changes: Any) -> dict[str, Any]:
    """What a relay says of anna, with nobody else in the room."""
    where = {"roomId": room} if isinstance(room, int) else {"strRoomId": room}
    whose = {"sdkAppId": APP, **where, "userId": "anna", "epoch": EPOCH}
    return {**whose, "seq": 1, "userlist": []} | changes


def relayed(
    webhook: Function, body: Any, *, relay_id: str = "relay", secret: str = NEW, **headers: str
) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = relay_headers(raw, secret) | headers
    return paced(webhook.call("POST", ROUTE, body=raw, headers=signed, path={"relay": relay_id}))


@pytest.mark.parametrize("secret", [NEW, OLD], ids=["newer", "older"])
def test_a_relayed_report_is_taken_as_the_members_own(
    webhook: Function, room: int, secret: str
) -> None:
    """Stored before the answer, with its source; the answer says what it did."""
    body = said(room, seq=3, ageMs=20, userlist=[{"userid": "berta"}])
    answer = relayed(webhook, body, secret=secret)
    assert (answer.status, answer.body) == (
        200,
        {
            "outcome": "applied",
            "version": 1,
            "hash": set_hash(["anna", "berta"]),
            "epoch": EPOCH,
            "seq": 3,
            "members": 2,
        },
    )
    report = stored(room)
    assert report
    assert (report.source, report.epoch, report.seq, report.age) == (Source.RELAY, EPOCH, 3, 20)
    assert report.view == view_of("anna", {"berta": None})
    assert relayed(webhook, body, secret=secret).body["outcome"] == "duplicate"


def test_a_string_room_is_another_room(webhook: Function, room: int) -> None:
    """As everywhere: strRoomId names it."""
    assert relayed(webhook, said(str(room))).status == 200
    assert stored(str(room))
    assert stored(room) is None


def test_a_relay_passes_on_that_a_member_left_and_that_it_lives(
    webhook: Function, room: int
) -> None:
    """Whatever a member can send a relay can pass on."""
    assert relayed(webhook, said(room)).body["outcome"] == "applied"
    whose = {name: said(room)[name] for name in ("sdkAppId", "roomId", "userId", "epoch")}
    beat = relayed(webhook, {**whose, "heartbeat": True, "hash": set_hash(["anna"])})
    assert (beat.status, beat.body["outcome"]) == (200, "unchanged")
    left = relayed(webhook, {**whose, "seq": 2, "left": True})
    assert (left.status, left.body["outcome"], left.body["version"]) == (200, "applied", 2)


def test_a_relay_for_all_applications_may_report_of_any(webhook: Function, room: int) -> None:
    """Where none is named, none is refused."""
    body = said(room, sdkAppId=9)
    assert relayed(webhook, body, relay_id="anywhere", secret=OTHER).status == 200
    assert stored(room, app=9)


def test_a_relay_may_not_report_of_another_application(webhook: Function, room: int) -> None:
    """A 403 that points to it; nothing is stored."""
    answer = relayed(webhook, said(room), relay_id="elsewhere", secret=OTHER)
    assert (answer.status, answer.code) == (403, "application-not-allowed")
    assert answer.places == ["#/sdkAppId"]
    assert stored(room) is None


@pytest.mark.parametrize("body", [b"not even JSON", b"", b"\xff", None])
def test_without_its_signature_nothing_is_looked_at(
    webhook: Function, room: int, body: bytes | None
) -> None:
    """A 401, whatever the body is; nothing is stored."""
    raw = json.dumps(said(room)).encode() if body is None else body
    good = relay_headers(b"another body")
    for headers, code in (
        ({}, "relay-signature-missing"),
        ({**good, "webhook-id": ""}, "relay-signature-missing"),
        ({"Authorization": f"Bearer {token('anna', parse_room(room))}"}, "relay-signature-missing"),
        (good, "relay-signature-invalid"),
        ({**good, "webhook-signature": "v1,é"}, "relay-signature-invalid"),
    ):
        answer = webhook.call("POST", ROUTE, body=raw, headers=headers, path={"relay": "relay"})
        assert (answer.status, answer.code) == (401, code)
        assert answer.headers["WWW-Authenticate"].startswith("Webhook-Signature ")
    assert stored(room) is None


@pytest.mark.parametrize("relay_id", ["elsewhere", "nobody", "..%2Fapp%2F1", "report-token"])
def test_one_relay_does_not_sign_for_another(webhook: Function, room: int, relay_id: str) -> None:
    """Nor for one that there is not."""
    answer = relayed(webhook, said(room), relay_id=relay_id)
    assert (answer.status, answer.code) == (401, "relay-signature-invalid")
    assert stored(room) is None


def test_an_old_message_is_refused(webhook: Function, room: int) -> None:
    """What was overheard is of no use six minutes later; nor six minutes earlier."""
    raw = json.dumps(said(room)).encode()
    for off in (-360, 360):
        headers = relay_headers(raw, now=time.time() + off)
        answer = webhook.call("POST", ROUTE, body=raw, headers=headers, path={"relay": "relay"})
        assert (answer.status, answer.code) == (401, "relay-signature-invalid")
    assert stored(room) is None


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"sdkAppId": 0}, ["#/sdkAppId"]),
        ({"sdkAppId": "7"}, ["#/sdkAppId"]),
        ({"userId": "a b"}, ["#/userId"]),
        ({"roomId": 0}, ["#/roomId"]),
        ({"strRoomId": "x"}, ["#/roomId", "#/strRoomId"]),
        ({"epoch": -1}, ["#/epoch"]),
        ({"epoch": 10**13}, ["#/epoch"]),
        ({"epoch": 10**13 - 1}, ["#/epoch"]),
        ({"seq": 2**31}, ["#/seq"]),
        ({"ageMs": 86_400_001}, ["#/ageMs"]),
        ({"source": "tencent"}, ["#/source"]),
        ({"received": 1}, ["#/received"]),
        ({"userlist": [{"userid": "anna"}]}, ["#/userlist/0/userid"]),
    ],
)
def test_what_is_wrong_is_pointed_at(
    webhook: Function, room: int, changes: dict[str, Any], places: list[str]
) -> None:
    """Signed or not, what breaks the schema is a 400 and stores nothing."""
    answer = relayed(webhook, said(room) | changes)
    assert (answer.status, answer.code) == (400, "invalid-request")
    assert answer.places == places
    assert stored(room) is None


@pytest.mark.parametrize("name", ["sdkAppId", "roomId", "userId", "epoch", "seq"])
def test_whose_report_it_is_must_be_said(webhook: Function, room: int, name: str) -> None:
    """No token says it."""
    body = {member: value for member, value in said(room).items() if member != name}
    answer = relayed(webhook, body)
    assert (answer.status, answer.code) == (400, "invalid-request")
    assert answer.places == ["#" if name == "roomId" else f"#/{name}"]


def test_each_is_one_log_line_without_secrets(
    webhook: Function, room: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says which relay, whose report it was and what became of it; refused ones too."""
    relayed(webhook, said(room))
    relayed(webhook, said(room, more=1))
    relayed(webhook, said(room), secret=OTHER)
    text = capsys.readouterr().out
    good, bad, forged = (json.loads(line) for line in text.splitlines())
    known = {"relay": "relay", "sdkAppId": APP, "room": str(room), "userId": "anna", "seq": 1}
    assert good.items() >= (known | {"event": "report", "outcome": "applied"}).items()
    assert bad.items() >= {"relay": "relay", "outcome": "invalid-request", "status": 400}.items()
    assert forged.items() >= {"relay": "relay", "outcome": "relay-signature-invalid"}.items()
    for secret in (NEW, OTHER):
        assert secret.removeprefix("whsec_") not in text
    assert "v1," not in text


members = st.sampled_from(["sdkAppId", "roomId", "userId", "epoch", "seq", "userlist", "left"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=4),
    max_leaves=8,
)
gentle = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@gentle
@given(
    st.binary(max_size=60)
    | st.dictionaries(members, values).map(lambda changes: said(1) | changes).map(json.dumps),
    st.sampled_from(["signed", ""]),
    st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp"]), st.text(max_size=10)),
)
def test_whatever_the_bytes_they_fit_or_are_refused(
    webhook: Function, body: bytes | str, signed: str, headers: dict[str, str]
) -> None:
    """Never a 500; what is not signed is a 401; and what is refused stores nothing."""
    room, before = fresh_room(), items_in(dynamodb(), TABLE)
    raw = (
        body
        if isinstance(body, bytes)
        else body.replace('"roomId": 1', f'"roomId": {room}').encode()
    )
    text = raw.decode(errors="replace")
    good = relay_headers(text.encode()) if signed else {}
    sent = good | headers
    answer = webhook.call("POST", ROUTE, body=raw, headers=sent, path={"relay": "relay"})
    if signed and not headers and text.encode() == raw:
        assert answer.status in {200, 400, 403}
    else:
        assert answer.status == 401
    assert (stored(room) is None) == (answer.status != 200)
    assert answer.status == 200 or items_in(dynamodb(), TABLE) == before
