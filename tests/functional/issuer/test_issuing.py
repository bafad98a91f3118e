from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.auth.report_grants import check_report_token
from chalicelib.auth.report_tokens import Claims, TokenKey
from chalicelib.stores.settings import DAY
from chalicelib.tickets import verify_private_map_key, verify_user_sig
from chalicelib.trtc import parse_room_url
from chalicelib.trtc.identifiers import parse_room
from tests.functional.issuer.conftest import (
    BOUND_KEY,
    BROKEN_APP,
    ECDSA_APP,
    HMAC_APP,
    KEYLESS_APP,
    WEBHOOK_URL,
    Issuer,
)
from tests.support.reports import KEY, Function, put_caller

if TYPE_CHECKING:
    from collections.abc import Callable


ENTRIES = "/v1/entries"
USER_SIGS = "/v1/user-sigs"
MAP_KEYS = "/v1/private-map-keys"
SHORT_KEY = "rg_short_" + "s" * 43
ENTRY = {"sdkAppId": ECDSA_APP, "userId": "alice", "roomId": 1234}


def test_a_report_token_knows_role_and_scene(issuer: Issuer) -> None:
    """Nobody is shown the audience of a live room, so what a member is must be known."""
    for role in ("anchor", "audience"):
        wanted = ENTRY | {"role": role, "scene": "live"}
        token = issuer.post(ENTRIES, wanted).body["report"]["token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert (claims["role"], claims["scene"]) == (role, "live")


ROOMS: list[tuple[int, int | str]] = [(ECDSA_APP, 1234), (HMAC_APP, 1234), (HMAC_APP, "a room")]


def where(app: int, room: int | str) -> dict[str, Any]:
    member = "roomId" if isinstance(room, int) else "strRoomId"
    return {"sdkAppId": app, "userId": "alice", member: room}


@pytest.mark.parametrize(("app", "room"), ROOMS)
def test_an_entry_holds_all_that_a_user_needs(issuer: Issuer, app: int, room: int | str) -> None:
    """Both tickets verify with the key that keyId names; URL, request and token carry the same."""
    before = int(time.time())
    answer = issuer.post(ENTRIES, where(app, room))
    now = int(time.time())
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    entry, key = answer.body, issuer.keys[app]
    assert entry["keyId"] == key.key_id
    sig = verify_user_sig(entry["userSig"], [key], sdk_app_id=app, user_id="alice", now=now)
    map_key = verify_private_map_key(
        entry["privateMapKey"],
        [key],
        sdk_app_id=app,
        user_id="alice",
        room=parse_room(room),
        now=now,
    )
    assert before + DAY <= entry["userSigExpiresAt"] == sig.ends_at <= now + DAY
    assert entry["privateMapKeyExpiresAt"] == map_key.ends_at == sig.ends_at
    assert map_key.privileges == 255
    url = parse_room_url(entry["rtcUrl"])
    assert (url.sdk_app_id, url.user_id, url.room) == (app, "alice", room)
    assert (url.user_sig, url.private_map_key) == (entry["userSig"], entry["privateMapKey"])
    report = entry["report"]
    assert report["url"] == f"{WEBHOOK_URL}/v1/userlist-reports"
    assert report["rosterUrl"] == f"{WEBHOOK_URL}/v1/roster"
    claims = check_report_token(report["token"], [TokenKey("1", KEY, None)], now)
    assert claims == Claims(app, "alice", parse_room(room), report["epoch"], report["expiresAt"])
    assert report["expiresAt"] == map_key.ends_at


OPTIONS = {
    "smallStream": True,
    "streamId": "stream-1",
    "recordId": "record_1",
    "pureAudioMode": 1,
    "receiveMode": 4,
}


def test_the_rtc_url_takes_what_current_clients_have(issuer: Issuer) -> None:
    """Each option of an entry stands in its rtc URL; what is left out stands in none."""
    url = parse_room_url(issuer.post(ENTRIES, ENTRY | OPTIONS).body["rtcUrl"])
    expected = {
        "encsmall": "1",
        "streamid": "stream-1",
        "userdefinerecordid": "record_1",
        "pureaudiomode": "1",
        "recvmode": "4",
    }
    assert {name: url.options[name] for name in expected} == expected
    plain = parse_room_url(issuer.post(ENTRIES, ENTRY).body["rtcUrl"])
    assert (
        not {"streamid", "userdefinerecordid", "pureaudiomode", "recvmode"} & plain.options.keys()
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("smallStream", False),
        ("streamId", ""),
        ("streamId", "a b"),
        ("streamId", "x" * 65),
        ("recordId", "a&b"),
        ("pureAudioMode", 3),
        ("receiveMode", 0),
    ],
)
def test_an_option_that_tencent_does_not_know_is_refused(
    issuer: Issuer, option: str, value: object
) -> None:
    """With its place, before anything is signed."""
    answer = issuer.post(ENTRIES, ENTRY | {option: value})
    assert (answer.status, answer.places) == (400, [f"#/{option}"])


def test_the_roomsig_request_is_data_for_the_client(issuer: Issuer) -> None:
    """It is Tencent's request, with both tickets in their places; a string room has none."""
    entry = issuer.post(ENTRIES, ENTRY).body
    request = entry["roomsigRequest"]
    url = urlsplit(request["url"])
    assert (request["method"], url.scheme) == ("POST", "https")
    assert url.netloc == "official.opensso.tencent-cloud.com"
    query = parse_qs(url.query)
    assert query["usersig"] == [entry["userSig"]]
    assert query["identifier"] == ["alice"]
    assert request["body"]["ReqHead"]["GroupId"] == 1234
    assert request["body"]["ReqBody"]["PrivMapEncrypt"] == entry["privateMapKey"]
    assert "roomsigRequest" not in issuer.post(ENTRIES, where(HMAC_APP, parse_room("a room"))).body


@pytest.mark.parametrize(
    ("given_privileges", "bits", "names"),
    [
        ({"role": "audience"}, 42, ["enter", "receiveAudio", "receiveVideo"]),
        ({"privileges": ["receiveAudio", "enter"]}, 10, ["enter", "receiveAudio"]),
        ({"privileges": 6}, 6, ["enter", "sendAudio"]),
    ],
)
def test_privileges_by_role_name_or_bits(
    issuer: Issuer, given_privileges: dict[str, Any], bits: int, names: list[str]
) -> None:
    """All three ways lead to the same bits in the ticket, and back to names in the answer."""
    answer = issuer.post(MAP_KEYS, ENTRY | given_privileges)
    assert answer.body["privileges"] == names
    ticket = verify_private_map_key(
        answer.body["privateMapKey"],
        [issuer.keys[ECDSA_APP]],
        sdk_app_id=ECDSA_APP,
        user_id="alice",
        room=parse_room(1234),
        now=int(time.time()),
    )
    assert ticket.privileges == bits


def test_one_user_sig(issuer: Issuer) -> None:
    """A ttl that is asked for is the ticket's, to the second."""
    answer = issuer.post(USER_SIGS, {"sdkAppId": HMAC_APP, "userId": "bob", "ttl": 3600})
    now = int(time.time())
    sig = verify_user_sig(
        answer.body["userSig"], [issuer.keys[HMAC_APP]], sdk_app_id=HMAC_APP, user_id="bob", now=now
    )
    assert sig.ends_at - sig.issued_at == 3600
    assert answer.body["expiresAt"] == sig.ends_at


BAD_USERS: list[Any] = ["a\nb", "é", "", "a" * 33, "a b", None, 7, []]
BAD_MEMBERS: list[tuple[dict[str, Any], str]] = [
    *[({"userId": bad}, "#/userId") for bad in BAD_USERS],
    *[({"roomId": bad}, "#/roomId") for bad in (0, -1, 2**32, 1.5, True, "12a", "12", None)],
    *[({"sdkAppId": bad}, "#/sdkAppId") for bad in (0, 2**32, "1400000001", False)],
    *[({"userSigTtl": bad}, "#/userSigTtl") for bad in (0, -1, "60", 1.5, 2**31)],
    ({"privileges": ["fly"]}, "#/privileges/0"),
    ({"privileges": []}, "#/privileges"),
    ({"privileges": 256}, "#/privileges"),
    ({"privileges": "enter"}, "#/privileges"),
    ({"privileges": ["enter", "enter"]}, "#/privileges"),
    ({"role": "owner"}, "#/role"),
    ({"role": "anchor", "privileges": 1}, "#/role"),
    ({"scene": "theatre"}, "#/scene"),
    ({"terminalType": 5}, "#/terminalType"),
    ({"user_id": "alice"}, "#/user_id"),
    ({"strRoomId": "x"}, "#/strRoomId"),
]


@pytest.mark.parametrize(("changed", "place"), BAD_MEMBERS)
def test_a_wrong_member_is_pointed_at(issuer: Issuer, changed: dict[str, Any], place: str) -> None:
    """Each wrong value is a 400 that names its member."""
    answer = issuer.post(ENTRIES, ENTRY | changed)
    assert (answer.status, answer.code) == (400, "invalid-request")
    assert place in answer.places


@pytest.mark.parametrize("missing", ENTRY)
def test_a_missing_member_is_named(issuer: Issuer, missing: str) -> None:
    """Leaving out what is needed is a 400."""
    body = {name: value for name, value in ENTRY.items() if name != missing}
    answer = issuer.post(ENTRIES, body)
    assert answer.status == 400
    assert missing in answer.body["errors"][0]["detail"] + answer.body["errors"][0]["pointer"]


@pytest.mark.parametrize(
    ("resource", "body", "status", "code", "places"),
    [
        (ENTRIES, ENTRY | {"sdkAppId": HMAC_APP}, 403, "application-not-allowed", ["#/sdkAppId"]),
        (ENTRIES, ENTRY, 403, "user-not-allowed", ["#/userId"]),
        (ENTRIES, ENTRY | {"userId": "tenant1-a"}, 403, "room-not-allowed", ["#/roomId"]),
        (
            ENTRIES,
            ENTRY | {"userId": "tenant1-a", "roomId": 77, "privateMapKeyTtl": 3601},
            403,
            "ttl-not-allowed",
            ["#/privateMapKeyTtl"],
        ),
        (
            USER_SIGS,
            {"sdkAppId": ECDSA_APP, "userId": "tenant1-a", "ttl": 3601},
            403,
            "ttl-not-allowed",
            ["#/ttl"],
        ),
        (
            "/v1/inspections",
            {"sdkAppId": ECDSA_APP, "ticket": "x"},
            403,
            "action-not-allowed",
            [],
        ),
    ],
)
def test_a_caller_gets_what_is_its_own(
    issuer: Issuer, resource: str, body: Any, status: int, code: str, places: list[str]
) -> None:
    """A bound caller is held to its applications, users, rooms, ttl and actions."""
    answer = issuer.post(resource, body, api_key=BOUND_KEY)
    assert (answer.status, answer.code, answer.places) == (status, code, places)


def test_a_bound_caller_gets_tickets_within_its_bounds(issuer: Issuer) -> None:
    """Without a ttl the caller's own bound is the default, where it is the smaller one."""
    body = {"sdkAppId": ECDSA_APP, "userId": "tenant1-a", "roomId": 771}
    answer = issuer.post(ENTRIES, body, api_key=BOUND_KEY)
    assert answer.status == 200
    assert answer.body["userSigExpiresAt"] - answer.body["report"]["epoch"] // 1000 == 3600


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"userSigTtl": 7 * DAY + 1}, 422, "ttl-out-of-bounds"),
        ({"privateMapKeyTtl": 59}, 422, "ttl-out-of-bounds"),
        ({"sdkAppId": 1400000099}, 404, "unknown-application"),
        ({"sdkAppId": KEYLESS_APP}, 503, "no-signing-key"),
        ({"sdkAppId": BROKEN_APP}, 503, "no-signing-key"),
    ],
)
def test_what_the_application_cannot_do(
    issuer: Issuer, changed: dict[str, Any], status: int, code: str
) -> None:
    """Bounds are refused, not clipped; a missing key is a 503 that says when to come back."""
    answer = issuer.post(ENTRIES, ENTRY | changed)
    assert (answer.status, answer.code) == (status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_string_room_needs_hmac(issuer: Issuer) -> None:
    """An ECDSA application can't be asked for a string room's ticket."""
    for resource in (ENTRIES, MAP_KEYS):
        answer = issuer.post(resource, where(ECDSA_APP, parse_room("lobby")))
        assert (answer.status, answer.code) == (422, "string-room-unsupported")
        assert answer.places == ["#/strRoomId"]


@pytest.mark.parametrize(
    ("api_key", "code"),
    [(None, "api-key-missing"), ("rg_backend_" + "x" * 43, "api-key-invalid")],
)
@pytest.mark.parametrize(
    "resource", [ENTRIES, USER_SIGS, MAP_KEYS, "/v1/room-urls", "/v1/inspections"]
)
def test_nobody_without_a_key_gets_in(
    issuer: Issuer, resource: str, api_key: str | None, code: str
) -> None:
    """Every route asks for an API key."""
    answer = issuer.post(resource, ENTRY, api_key=api_key)
    assert (answer.status, answer.code) == (401, code)


@given(body=st.binary(max_size=300))
def test_no_bytes_whatever_make_a_fault(issuer: Issuer, body: bytes) -> None:
    """Any body is answered with a 4xx that fits."""
    assert issuer.post(ENTRIES, body).status == 400


def test_a_body_over_64_kb_is_refused(issuer: Issuer) -> None:
    """The bound is 65,536 bytes."""
    body = json.dumps(ENTRY).encode()
    assert issuer.post(ENTRIES, body.ljust(65_536)).status == 200
    assert issuer.post(ENTRIES, body.ljust(65_537)).code == "body-too-large"


def test_another_content_type_is_refused(issuer: Issuer) -> None:
    """JSON must say that it is."""
    answer = issuer.post(ENTRIES, ENTRY, headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.code) == (415, "unsupported-media-type")


def test_each_ticket_is_one_log_line_without_the_ticket(
    issuer: Issuer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line traces a ticket to caller, user, room and key; it holds no secret of any kind."""
    entry = issuer.post(ENTRIES, ENTRY).body
    refused = issuer.post(ENTRIES, ENTRY | {"userSigTtl": 8 * DAY})
    printed = capsys.readouterr().out
    good, bad = (json.loads(line) for line in printed.splitlines())
    facts = {
        "event": "ticket",
        "function": "issuer",
        "caller": "backend",
        "sdkAppId": ECDSA_APP,
        "userId": "alice",
        "room": "1234",
        "keyId": entry["keyId"],
        "userSigTtl": DAY,
        "privateMapKeyTtl": DAY,
        "status": 200,
        "outcome": "ok",
    }
    assert good | facts == good
    assert (bad["outcome"], bad["userSigTtl"]) == ("ttl-out-of-bounds", 8 * DAY)
    assert refused.status == 422
    tickets = (entry["userSig"], entry["privateMapKey"], entry["report"]["token"])
    assert not [secret for secret in (*issuer.secrets, *tickets) if secret in printed]


def test_readiness(load: Callable[[str], Function], issuer: Issuer) -> None:
    """Ready means: the callers answered and the report-token keys are loaded; INIT loads both."""
    assert issuer.post(ENTRIES, ENTRY).status == 200
    assert issuer.function.call("GET", "/readyz").status == 200
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROOMGATE_WEBHOOK_URL", WEBHOOK_URL)
        cold = load("issuer")
        assert cold.call("GET", "/healthz").status == 200
        assert cold.call("GET", "/readyz").status == 503
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "issuer")
        assert load("issuer").call("GET", "/readyz").status == 200


def test_a_default_that_the_application_forbids_is_refused(issuer: Issuer) -> None:
    """A caller whose longest ttl is under the application's least gets nothing."""
    put_caller(SHORT_KEY, actions=frozenset({"issue"}), most_ttl=30)
    for ttl in ({}, {"ttl": 30}):
        answer = issuer.post(USER_SIGS, {"sdkAppId": HMAC_APP, "userId": "a"} | ttl, SHORT_KEY)
        assert (answer.status, answer.code) == (422, "ttl-out-of-bounds")
