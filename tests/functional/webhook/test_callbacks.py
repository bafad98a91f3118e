from __future__ import annotations

import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.auth.callback_keys import CallbackKeys, new_key
from chalicelib.table.callback_items import decode_callback
from chalicelib.table.client import connect
from chalicelib.table.item_keys import RoomKey, callbacks_pk
from chalicelib.table.table import EventTable
from chalicelib.trtc.identifiers import parse_room
from tests.support.event_table import fresh_room, items_in, stored_items
from tests.support.reports import APP, STACK, TABLE, Function
from tests.support.signing import KNOWN_BODY, KNOWN_KEY, KNOWN_SIGN, callback_body, sign

if TYPE_CHECKING:
    from tests.support.reports import Answer

ROUTE = "/v1/trtc-callbacks"
KNOWN_APP = 1400000002
KEYS = CallbackKeys((new_key(), new_key()))
MINUTE_MS = 60_000


@pytest.fixture(scope="module", autouse=True)
def keys(webhook: Function) -> None:
    """Two applications with callback keys."""
    assert webhook
    client = boto3.client("secretsmanager")
    for app, its in ((APP, KEYS), (KNOWN_APP, CallbackKeys((KNOWN_KEY,)))):
        client.create_secret(Name=f"{STACK}/callback/{app}", SecretString=its.to_json())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just("anna"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


dynamodb = cache(connect)


def now_ms() -> int:
    return int(time.time() * 1000)


def called_back(
    webhook: Function, raw: bytes, *, signature: str | None = None, app: object = APP
) -> Answer:
    headers = {"SdkAppId": str(app), "Sign": signature or sign(KEYS.keys[0], raw)}
    return webhook.call("POST", ROUTE, body=raw, headers=headers)


@pytest.mark.parametrize("raw", [b"not even JSON", b"", b"\xff", callback_body(now_ms())])
def test_without_its_sign_nothing_is_looked_at(webhook: Function, raw: bytes) -> None:
    """A 401, whatever the body is."""
    bare = webhook.call("POST", ROUTE, body=raw, headers={"SdkAppId": str(APP)})
    assert (bare.status, bare.code) == (401, "callback-signature-missing")
    for signature, app in ((sign(new_key(), raw), APP), (sign(KEYS.keys[0], raw), 7), ("é", APP)):
        answer = called_back(webhook, raw, signature=signature, app=app)
        assert (answer.status, answer.code) == (401, "callback-signature-invalid")
        assert answer.headers["WWW-Authenticate"].startswith("Sign ")


def test_tencents_example_is_signed_and_of_another_day(webhook: Function) -> None:
    """Its signature is taken, so it is refused for its time alone."""
    answer = called_back(webhook, KNOWN_BODY, signature=KNOWN_SIGN, app=KNOWN_APP)
    assert (answer.status, answer.code) == (401, "callback-out-of-time")


@pytest.mark.parametrize("minutes", [-6, 2])
def test_a_callback_of_another_time_is_refused(webhook: Function, minutes: int) -> None:
    """One that was overheard is of no use later."""
    raw = callback_body(now_ms() + minutes * MINUTE_MS, RoomId=1, UserId="anna")
    answer = called_back(webhook, raw)
    assert (answer.status, answer.code) == (401, "callback-out-of-time")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "malformed-json"),
        (b"\xff", "malformed-json"),
        (b"{", "malformed-json"),
        (b"[]", "invalid-request"),
        (b'{"EventGroupId": 1}', "invalid-request"),
    ],
)
def test_what_is_signed_and_no_callback_is_refused(
    webhook: Function, raw: bytes, code: str
) -> None:
    """By what is wrong with it."""
    answer = called_back(webhook, raw)
    assert (answer.status, answer.code) == (400, code)


def test_over_64_kb_is_refused(webhook: Function) -> None:
    """Before anything is computed of it."""
    answer = called_back(webhook, b" " * (64 * 1024 + 1))
    assert (answer.status, answer.code) == (413, "body-too-large")


def test_a_refusal_fits_into_what_tencent_reads(webhook: Function) -> None:
    """Header and body within 2,000 bytes (TRTC, "Format of Callback Messages")."""
    answer = called_back(webhook, b"{}")
    assert len(json.dumps(answer.body)) + len(json.dumps(answer.headers)) < 2000


def test_each_is_one_log_line_without_keys(
    webhook: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says of which application, what it is about and what came of it."""
    raw = callback_body(now_ms() - 10 * MINUTE_MS, RoomId=12, UserId="anna")
    called_back(webhook, raw)
    called_back(webhook, raw, signature="AAAA")
    text = capsys.readouterr().out
    old, forged = (json.loads(line) for line in text.splitlines())
    known = {"event": "callback", "sdkAppId": APP, "status": 401, "CallbacksRefused": 1}
    said = {"eventType": 103, "room": "12", "userId": "anna", "reason": "callback-out-of-time"}
    assert old.items() >= (known | said).items()
    assert forged.items() >= (known | {"reason": "callback-signature-invalid"}).items()
    assert not any(secret in text for secret in (*KEYS.keys, sign(KEYS.keys[0], raw), "AAAA"))


def test_only_what_is_refused_is_counted_as_refused(
    webhook: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a first callback nor one that comes again."""
    raw = callback_body(now_ms(), RoomId=fresh_room(), UserId="anna")
    for _ in range(2):
        called_back(webhook, raw)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["outcome"] for line in lines] == ["applied", "duplicate"]
    assert [line["Callbacks"] for line in lines] == [1, 1]
    assert not any("CallbacksRefused" in line for line in lines)


def members(room: int | str) -> set[str]:
    """Who is in a room."""
    table = EventTable(dynamodb(), TABLE)
    return set(table.members(table.room(RoomKey(APP, parse_room(room)))))


def kept(room: int | str | None) -> list[dict[str, Any]]:
    """The callbacks that are stored of a room, as they came."""
    pk = callbacks_pk(APP, None if room is None else parse_room(room).key)
    items = stored_items(dynamodb(), TABLE, pk)
    return [json.loads(decode_callback(item).callback.raw) for item in items]


@pytest.mark.parametrize("name", [None, "a room"])
def test_what_tencent_saw_counts_at_once(webhook: Function, name: str | None) -> None:
    """Who entered is in the room, who left is not; each is answered as Tencent asks."""
    room = name or fresh_room()
    for event, expected in ((103, {"anna"}), (104, set())):
        raw = callback_body(now_ms(), event, RoomId=room, UserId="anna", TerminalType=2)
        answer = called_back(webhook, raw)
        assert (answer.status, answer.body) == (200, {"code": 0})
        assert members(room) == expected


def test_a_callback_that_comes_again_is_stored_once(webhook: Function) -> None:
    """Tencent's retries carry another time of sending; the first one is kept, all are successes."""
    room, t = fresh_room(), now_ms()
    first = callback_body(t, RoomId=room, UserId="anna")
    again = json.dumps(json.loads(first) | {"CallbackTs": t + 10}).encode()
    answers = [called_back(webhook, raw).body for raw in (first, again, first)]
    assert answers == [{"code": 0}] * 3
    assert kept(room) == [json.loads(first)]


def test_callbacks_of_other_kinds_are_kept_as_they_came(webhook: Function) -> None:
    """Unknown events, members, rooms and users too; they say nothing of who is in the room."""
    room = fresh_room()
    for event, info in (
        (101, {"RoomId": room, "UserId": "anna"}),
        (104, {"RoomId": room, "UserId": "not a userid"}),
        (999, {"RoomId": room, "New": [{"member": None}]}),
    ):
        assert called_back(webhook, callback_body(now_ms(), event, **info)).status == 200
    nowhere = callback_body(now_ms(), 103, RoomId=0, UserId="anna")
    assert called_back(webhook, nowhere).status == 200
    assert {each["EventType"] for each in kept(room)} == {101, 104, 999}
    assert json.loads(nowhere) in kept(None)
    assert members(room) == set()


def test_what_is_refused_is_not_stored(webhook: Function) -> None:
    """Neither a forged callback nor one of another time."""
    room = fresh_room()
    called_back(webhook, callback_body(now_ms(), RoomId=room, UserId="anna"), signature="AAAA")
    called_back(webhook, callback_body(now_ms() - 10 * MINUTE_MS, RoomId=room, UserId="anna"))
    assert kept(room) == []


gentle = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


signed_bodies = st.binary(max_size=60) | st.builds(
    lambda changes, info: changed(callback_body(now_ms(), **info), changes),
    st.dictionaries(st.sampled_from(["EventGroupId", "EventType", "EventInfo"]), VALUES),
    st.dictionaries(st.sampled_from(["RoomId", "UserId", "EventTs", "EventMsTs"]), VALUES),
)


def changed(raw: bytes, changes: dict[str, Any]) -> bytes:
    return json.dumps(json.loads(raw) | changes).encode()


@gentle
@given(st.binary(max_size=60), st.text(max_size=60), st.text(max_size=12) | st.just(str(APP)))
def test_whatever_the_bytes_and_headers_what_is_not_signed_is_refused(
    webhook: Function, raw: bytes, signature: str, app: str
) -> None:
    """Never a 500, and nothing is stored."""
    before = items_in(dynamodb(), TABLE)
    headers = {"SdkAppId": app, "Sign": signature}
    assert webhook.call("POST", ROUTE, body=raw, headers=headers).status == 401
    assert items_in(dynamodb(), TABLE) == before


@gentle
@given(signed_bodies)
def test_whatever_is_signed_is_a_callback_or_refused(webhook: Function, raw: bytes) -> None:
    """Never a 500, and what is refused has stored nothing."""
    before = items_in(dynamodb(), TABLE)
    answer = called_back(webhook, raw)
    assert answer.status in {200, 400}
    assert answer.status == 200 or items_in(dynamodb(), TABLE) == before


@pytest.mark.parametrize("member", ["EventGroupId", "EventType"])
def test_a_number_that_fits_no_key_is_refused(webhook: Function, member: str) -> None:
    """However long it is: DynamoDB takes a kilobyte of key."""
    raw = changed(callback_body(now_ms(), RoomId=fresh_room()), {member: 10**2000})
    answer = called_back(webhook, raw)
    assert (answer.status, answer.places) == (400, [f"#/{member}"])
