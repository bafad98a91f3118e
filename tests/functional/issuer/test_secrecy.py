"""Nothing secret shows: not in logs, exceptions, reprs or the answers of any route.

Every route is called rightly and wrongly, with the stores whole and with garbage in them that holds
the very secrets. Then all that was printed, logged, raised and answered is searched for them.
"""

from __future__ import annotations

import base64
import gc
import io
import json
import logging
import secrets
import time
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

from chalicelib.auth.callback_keys import CallbackKeys, new_key
from chalicelib.auth.caller import Caller, hash_of
from chalicelib.auth.relay import SECRET_BYTES, Relay, secret_of
from chalicelib.auth.report_tokens import parse_keys
from chalicelib.keys.material import KeyReader
from chalicelib.stores import store as stores
from chalicelib.stores.settings import Settings
from chalicelib.tickets import TicketError, load_key, verify_user_sig
from tests.functional.issuer.conftest import (
    API_KEY,
    BOUND_KEY,
    ECDSA_APP,
    HMAC_APP,
    KEYLESS_APP,
    Issuer,
)
from tests.support.apps import api_event
from tests.support.reports import API_KEY as READER_KEY
from tests.support.reports import APP as READ_APP
from tests.support.reports import KEY, STACK, Function
from tests.support.secrecy import SHORTEST, own_part, shown
from tests.support.signing import callback_body, relay_headers, sign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

FUNCTIONS = ("issuer", "webhook", "rooms")
READING = (
    "/v1/apps/{app}/rooms",
    "/v1/apps/{app}/rooms/{room}",
    "/v1/apps/{app}/rooms/{room}/timeline",
    "/v1/apps/{app}/users/{user}/sessions",
)
RELAY_SECRET, CALLBACK_KEY = secret_of(secrets.token_bytes(SECRET_BYTES)), new_key()


class Seen(NamedTuple):
    """What came out.

    Attributes:
        told: what was printed or logged.
        answers: bodies by the route that answered.
        tickets: that were issued.
        secrets: keys and API keys that were used.
    """

    told: str
    answers: list[tuple[str, str]]
    tickets: list[str]
    secrets: list[str]


def stored_secrets() -> list[str]:
    """Every key and secret that this stack's Secrets Manager holds, as it stands in a value."""
    client = boto3.client("secretsmanager")
    found = []
    for name in (f"{STACK}/app/{ECDSA_APP}", f"{STACK}/app/{HMAC_APP}"):
        key = json.loads(client.get_secret_value(SecretId=name)["SecretString"])["key"]
        found.append(own_part(key))
    return [*found, base64.urlsafe_b64encode(KEY).decode().rstrip("="), KEY.decode()]


Request = tuple[str, str, str, dict[str, Any]]
"""Function, method, resource, parts."""


def requests(entry: dict[str, Any]) -> Iterator[Request]:
    """Each route, rightly and wrongly, with the tickets of an entry in wrong places too."""
    token = entry["report"]["token"]
    yield from issuer_requests(entry)
    for authorization in wrong_ones(API_KEY):
        for app in (str(ECDSA_APP), str(HMAC_APP), entry["userSig"]):
            yield get("issuer", "/v1/apps/{app}/keys", authorization, app=app)
    for authorization in (*wrong_ones(token), f"Bearer {API_KEY}"):
        for report in ({"seq": 0, "userlist": [{"userid": "bob"}]}, {"seq": token}, token):
            yield post("webhook", "/v1/userlist-reports", authorization, report)
        yield get("webhook", "/v1/roster", authorization)
    yield from signed_requests()
    for authorization in (*wrong_ones(READER_KEY), f"Bearer {token}"):
        for part in ("1234", token):
            path = {"app": str(READ_APP), "room": part, "user": part}
            for resource in READING:
                yield get("rooms", resource, authorization, **path)
    open_to_all = ("/healthz", "/readyz", "/v1/openapi.json")
    yield from (get(name, each, "") for name in FUNCTIONS for each in open_to_all)


def signed_requests() -> Iterator[Request]:
    """A relay's report and a callback of Tencent's: signed rightly, wrongly and not at all."""
    now = int(time.time() * 1000)
    report = {"sdkAppId": READ_APP, "roomId": 1234, "userId": "bob", "epoch": now, "seq": 0}
    raw = json.dumps({**report, "userlist": []}).encode()
    headers = relay_headers(raw, RELAY_SECRET)
    for sent in (headers, headers | {"webhook-id": "another"}, {"authorization": RELAY_SECRET}):
        resource = "/v1/relays/{relay}/userlist-reports"
        parts = {"headers": sent, "body": raw, "path": {"relay": "my-relay"}}
        yield "webhook", "POST", resource, parts
    raw = callback_body(now, RoomId=1234, UserId="bob")
    for signature in (sign(CALLBACK_KEY, raw), sign(CALLBACK_KEY, raw)[:-2], CALLBACK_KEY):
        sent = {"SdkAppId": str(READ_APP), "Sign": signature}
        yield "webhook", "POST", "/v1/trtc-callbacks", {"headers": sent, "body": raw}


def issuer_requests(entry: dict[str, Any]) -> Iterator[Request]:
    sig, map_key = entry["userSig"], entry["privateMapKey"]
    who = {"sdkAppId": ECDSA_APP, "userId": "alice"}
    room = {**who, "roomId": 1234}
    answer = {"RspHead": {"ErrorCode": 0, "ErrorInfo": ""}, "RspBody": {"opaque": "x"}}
    bodies: dict[str, list[dict[str, Any]]] = {
        "/v1/entries": [room, room | {"sdkAppId": KEYLESS_APP}, room | {"ttl": sig}],
        "/v1/user-sigs": [who, who | {"userId": sig}, who | {sig: 1}],
        "/v1/private-map-keys": [room, room | {"privileges": [map_key]}],
        "/v1/room-urls": [room | {"answer": answer}, room | {"answer": sig}],
        "/v1/inspections": [
            {"sdkAppId": ECDSA_APP, "ticket": sig},
            {"sdkAppId": ECDSA_APP, "ticket": sig[:-9] + "A*******"},
            {"sdkAppId": HMAC_APP, "ticket": map_key, "userId": "bob"},
            {"sdkAppId": ECDSA_APP, "ticket": entry["report"]["token"]},
            {"sdkAppId": ECDSA_APP, "ticket": API_KEY},
        ],
    }
    for resource, asked in bodies.items():
        good, *wrong = wrong_ones(API_KEY)
        yield from (post("issuer", resource, good, body) for body in asked)
        yield from (post("issuer", resource, each, asked[0]) for each in wrong)
        broken = {"body": json.dumps(asked[0])[:-1] + sig, "headers": {"Authorization": good}}
        yield "issuer", "POST", resource, broken


def wrong_ones(credential: str) -> tuple[str, ...]:
    """A right Authorization header, and three wrong ones."""
    return f"Bearer {credential}", f"Bearer {credential}x", f"Basic {credential}", credential


def get(function: str, resource: str, authorization: str, **path: str) -> Request:
    return function, "GET", resource, {"headers": {"Authorization": authorization}, "path": path}


def post(function: str, resource: str, authorization: str, body: Any) -> Request:
    headers = {"Authorization": authorization}
    return function, "POST", resource, {"headers": headers, "body": json.dumps(body)}


@pytest.fixture(scope="module")
def seen(issuer: Issuer, webhook: Function, rooms: Function) -> Seen:
    """All that three functions said while every route was called; every route was."""
    functions = {"issuer": issuer.function, "webhook": webhook, "rooms": rooms}
    client = boto3.client("secretsmanager")
    for name, value in (
        (f"{STACK}/relay/my-relay", Relay((RELAY_SECRET,))),
        (f"{STACK}/callback/{READ_APP}", CallbackKeys((CALLBACK_KEY,))),
    ):
        client.create_secret(Name=name, SecretString=value.to_json())
    printed, answers = io.StringIO(), []
    handler = logging.StreamHandler(printed)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    called = set()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdout", printed)
            patch.setattr("sys.stderr", printed)
            entry = issuer.post("/v1/entries", {"sdkAppId": ECDSA_APP, "userId": "a", "roomId": 1})
            for name, method, resource, parts in requests(entry.body):
                answered = functions[name].module.app(api_event(method, resource, **parts), None)
                answers.append((resource, answered["body"] + json.dumps(answered["headers"])))
                called.add((name, method, resource))
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(logging.WARNING)
    assert called == {
        (name, route.method, route.path)
        for name, function in functions.items()
        for route in function.module.gate.routes
    }
    body = entry.body
    tickets = [body["userSig"], body["privateMapKey"], body["report"]["token"]]
    for _, answer in answers:
        tickets += issued(answer)
    known = [*stored_secrets(), API_KEY[11:], BOUND_KEY[9:], READER_KEY[10:]]
    known += [RELAY_SECRET, RELAY_SECRET.removeprefix("whsec_"), CALLBACK_KEY]
    return Seen(printed.getvalue(), answers, tickets, known)


def issued(answer: str) -> list[str]:
    """The tickets and tokens in an answer."""
    body, _ = json.JSONDecoder().raw_decode(answer)
    found = [body.get("userSig"), body.get("privateMapKey"), body.get("report", {}).get("token")]
    return [ticket for ticket in found if ticket]


def signed_part(ticket: str) -> str:
    """What of a ticket is its own: all of them begin alike."""
    return ticket[len(ticket) // 3 :]


def test_no_log_holds_a_secret_or_a_ticket(seen: Seen) -> None:
    """Log lines and tracebacks name keys by keyId and callers by id, and nothing more."""
    assert seen.told.count("\n") >= len(seen.answers) // 2
    assert shown(seen.secrets, seen.told) == []
    assert shown([signed_part(ticket) for ticket in seen.tickets], seen.told) == []


def test_what_was_signed_rightly_was_taken(seen: Seen) -> None:
    """Else its secrets might never have been read."""
    answers = [answer for _, answer in seen.answers]
    assert [each for each in answers if each.startswith('{"code":0}')]
    assert [each for each in answers if '"outcome":"applied"' in each or '"unchanged"' in each]


def test_no_answer_holds_a_secret(seen: Seen) -> None:
    """Of no route, whatever it was asked."""
    for resource, answer in seen.answers:
        assert shown(seen.secrets, answer) == [], resource


def test_tickets_are_answered_by_the_routes_that_issue_them_alone(seen: Seen) -> None:
    """A refusal never repeats the ticket that it refuses."""
    issuing = {"/v1/entries", "/v1/user-sigs", "/v1/private-map-keys"}
    tickets = [signed_part(ticket) for ticket in seen.tickets]
    for resource, answer in seen.answers:
        if resource not in issuing or '"status"' in answer:
            assert shown(tickets, answer) == [], resource


def is_ours(kind: type) -> bool:
    return str(kind.__module__).startswith("chalicelib")


def test_no_repr_holds_a_secret_or_a_ticket(seen: Seen, issuer: Issuer, webhook: Function) -> None:
    """Whatever object of ours is alive, its repr can be logged."""
    assert webhook
    issuer.post("/v1/entries", {"sdkAppId": HMAC_APP, "userId": "alice", "roomId": 1})
    ours = [each for each in gc.get_objects() if is_ours(type(each))]
    names = {type(each).__name__ for each in ours}
    assert {"Application", "EcdsaKey", "HmacKey", "TokenKey", "Caller"} <= names
    told = "\n".join(repr(each) for each in ours)
    assert shown(seen.secrets, told) == []
    assert shown([signed_part(ticket) for ticket in seen.tickets], told) == []


def test_no_exception_holds_what_the_stores_said(seen: Seen) -> None:
    """Garbage in a store may be a key with a typo: the error names the place, not the value."""
    told, read = [], KeyReader().read
    for secret in seen.secrets:
        pem = f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----"
        kinds = ("ECDSA-SHA256", "HMAC-SHA256", secret)
        keys = (secret, f"{secret} {secret}", f"{secret}é", pem, [secret], {secret: 1})
        values = [{"algorithm": kind, "key": key} for kind in kinds for key in keys]
        values += [{"algorithm": kind, "kmsKeyId": secret} for kind in kinds]
        for value in [*map(json.dumps, values), secret, json.dumps(secret), f'{{"key": "{secret}"']:
            told.append(raised(read, value, "name"))
            told.append(raised(parse_keys, value))
            told.append(raised(Settings.from_json, value))
            told.append(raised(Caller.from_json, value))
        told.append(raised(load_key, secret, secret))
    for ticket in seen.tickets:
        key = load_key("HMAC-SHA256", "x" * 64)
        for text in (ticket, ticket[:-8] + "AAAAAAAA", ticket[9:]):
            who: dict[str, Any] = {"sdk_app_id": HMAC_APP, "user_id": "alice", "now": 0}
            told.append(raised(verify_user_sig, text, [key], **who))
    everything = "\n".join(told)
    assert everything.count("Traceback") > len(seen.secrets) * 40
    assert shown(seen.secrets, everything) == []
    assert shown([signed_part(ticket) for ticket in seen.tickets], everything) == []


def raised(call: Any, *arguments: Any, **named: Any) -> str:
    """What a log would show of the error of a call, with all its causes; else nothing."""
    try:
        call(*arguments, **named)
    except (stores.StoreError, TicketError, ValueError) as error:
        return "".join(traceback.format_exception(error)) + repr(error)
    return ""


def test_the_hash_of_an_api_key_does_not_show_either(seen: Seen) -> None:
    """It opens nothing, but it need not be told."""
    hashes = [hash_of(key) for key in (API_KEY, BOUND_KEY, READER_KEY)]
    assert shown(hashes, seen.told) == []


def test_the_search_finds_what_it_looks_for(issuer: Issuer) -> None:
    """Were a key in a log, these tests would fail."""
    module: ModuleType = issuer.function.module
    assert module
    (secret, *_) = stored_secrets()
    assert shown([secret], f"key={secret[3:40]}") == []
    assert shown([secret], f"key={secret}") != []
    assert shown([secret], secret[: SHORTEST + 1]) != []
