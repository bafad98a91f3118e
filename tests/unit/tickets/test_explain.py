from __future__ import annotations

import json
import re
import zlib
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.tickets import (
    ECDSA,
    Check,
    Explanation,
    SigningKey,
    explain,
    issue_private_map_key,
    issue_user_sig,
    load_key,
)
from chalicelib.trtc import CODES, PRIVILEGES
from chalicelib.trtc.identifiers import parse_room
from tests.support.keys import pem_of_new_key
from tests.support.ticket_material import (
    APP,
    KEYS,
    NOW,
    ORDER,
    P256,
    ROOM,
    ROOM_ORDER,
    SECRET,
    TTL,
    USER,
    WHO,
    b64,
    foreign,
    signed,
    tencent,
    ticket,
    userbuf,
)

SIG = issue_user_sig(P256, **ORDER)
MAP_KEY = issue_private_map_key(P256, **ROOM_ORDER)
EXPECTED: dict[str, Any] = {"now": NOW, **WHO, "room": ROOM}
BINARY = {name: issue_user_sig(key, **ORDER) for name, key in KEYS.items()}


def explained(made: object, *keys: SigningKey, **expected: Any) -> Explanation:
    """An explanation with everything expected that is right."""
    return explain(made, keys or (P256,), **{**EXPECTED, **expected})


def checks(explanation: Explanation) -> dict[str, bool | None]:
    """What was looked at, and how it went."""
    return {check.name: check.passed for check in explanation.checks}


def with_marks(marks: str, *, plain: bool = False) -> tuple[str, bytes]:
    """A userSig whose text holds all of these marks, and the bytes inside."""
    while True:
        framed = zlib.compress(json.dumps(signed(P256)).encode())
        text = (b64 if plain else tencent)(framed)
        if all(mark in text for mark in marks):
            return text, framed


def test_a_user_sig_that_holds_has_code_0() -> None:
    """Code 0, with all its fields and the key that signed it."""
    explanation = explained(SIG, kind="userSig")
    assert explanation == Explanation(
        kind="userSig",
        fields={
            "algorithm": ECDSA,
            "sdkAppId": APP,
            "userId": USER,
            "issuedAt": NOW,
            "ttl": TTL,
            "endsAt": NOW + TTL,
        },
        code=0,
        name="ok",
        cause="Nothing is wrong with the ticket.",
        key_id=P256.key_id,
        checks=tuple(
            Check(name, passed=True)
            for name in ("form", "kind", "application", "signature", "user", "time")
        ),
    )


@pytest.mark.parametrize("room", [ROOM, "a lobby!"])
def test_a_private_map_key_that_holds_has_code_0(room: int | str) -> None:
    """With the room under the name of its kind, and the privileges by name."""
    made = issue_private_map_key(SECRET, **{**ROOM_ORDER, "room": room, "privileges": 42})
    explanation = explained(made, SECRET, room=room)
    assert (explanation.kind, explanation.code) == ("privateMapKey", 0)
    name = "roomId" if isinstance(room, int) else "strRoomId"
    assert {
        name: room,
        "privileges": 42,
        "privilegeNames": ["enter", "receiveAudio", "receiveVideo"],
    }.items() <= explanation.fields.items()
    assert checks(explanation) == {
        "form": True,
        "kind": None,
        "application": True,
        "signature": True,
        "user": True,
        "userbuf": True,
        "room": True,
        "privileges": True,
        "time": True,
    }


def test_what_is_not_expected_is_not_compared() -> None:
    """With nothing to compare with, a ticket is read, and its time checked."""
    explanation = explain(MAP_KEY, now=NOW)
    assert explanation.code == 0
    assert explanation.key_id is None
    assert "not checked" in explanation.cause
    passed = {name for name, passed in checks(explanation).items() if passed}
    assert passed == {"form", "userbuf", "privileges", "time"}


OTHER_KEY = load_key(ECDSA, pem_of_new_key())
NO_ENTER = issue_private_map_key(P256, **{**ROOM_ORDER, "privileges": 253})
FAILURES: dict[str, tuple[object, dict[str, Any], int, str]] = {
    "empty": ("", {}, 70002, "is empty"),
    "empty key": ("", {"kind": "privateMapKey"}, 80, "is empty"),
    "nothing": (None, {}, 70002, "is empty"),
    "a number": (7, {}, 70002, "is empty"),
    "white space": (" \n", {}, 70002, "is empty"),
    "cut short": (SIG[:-60], {}, 70003, "cut short after"),
    "cut short, key": (MAP_KEY[:-60], {"kind": "privateMapKey"}, 87, "cut short after"),
    "cut unevenly": (SIG[:-59], {}, 70003, "cut short after"),
    "lower case": (SIG.lower(), {}, 70003, "lower case"),
    "garbage": ("no ticket at all!", {}, 70003, "Character 3 of the ticket, U+0020"),
    "damaged": (SIG[:40] + "AAAA" + SIG[44:], {}, 70003, "damaged"),
    "white space around": (f" {SIG}\n", {}, 70003, "white space or a quotation mark around"),
    "quoted": (f'"{SIG}"', {}, 70003, "white space or a quotation mark around"),
    "broken lines": (f"{SIG[:76]}\r\n{SIG[76:]}", {}, 70003, "line breaks inside"),
    "not JSON": (tencent(zlib.compress(b"hello")), {}, 70003, "not JSON"),
    "a bomb": (tencent(zlib.compress(bytes(10**6))), {}, 70003, "inflates to more than 16384"),
    "half a bomb": (tencent(zlib.compress(bytes(10**5))[:-8]), {}, 70003, "inflates to more"),
    "less of it": (tencent(zlib.compress(bytes(8000))[:-5]), {}, 70003, "cut short after"),
    "long": ("A" * 10**5, {}, 70003, "100000 characters"),
    "other application": (SIG, {"sdk_app_id": 7}, 70014, "another application, 1400037025"),
    "other application, key": (MAP_KEY, {"sdk_app_id": 7}, 87, "another application"),
    "other user": (SIG, {"user_id": "x"}, 70013, "another user, webrtc98"),
    "other user, key": (MAP_KEY, {"user_id": "x"}, 87, "another user, webrtc98"),
    "other room": (MAP_KEY, {"room": 5}, 87, "another room, 1234."),
    "other kind of room": (MAP_KEY, {"room": "1234"}, 87, "different rooms"),
    "expired": (SIG, {"now": NOW + TTL + 60}, 70001, "ended at 2020-09-13T12:31:40Z, 60 s ago"),
    "expired, key": (MAP_KEY, {"now": NOW + 10**6}, 86, "ended at 2020-09-13T12:31:40Z"),
    "future": (SIG, {"now": NOW - 3600}, 70001, "3600 s from now: the clock of its issuer"),
    "future, key": (MAP_KEY, {"now": NOW - 3600}, 86, "clock"),
    "key for a userSig": (MAP_KEY, {"kind": "userSig"}, 70009, "This is a privateMapKey"),
    "userSig for a key": (SIG, {"kind": "privateMapKey"}, 87, "This is a userSig"),
    "no enter": (NO_ENTER, {}, -100006, "lack enter"),
    "halves differ": (
        foreign(P256, userbuf=userbuf("victim")),
        {},
        87,
        "another userId than its envelope",
    ),
    "injection": (
        foreign(P256, identifier="zz\nTLS.identifier:victim"),
        {},
        70003,
        "injects a line",
    ),
    "bad member": (foreign(P256, time=None), {}, 70003, "TLS.time must be"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_each_fault_has_tencents_code_and_a_cause(case: str) -> None:
    """Each has the code that Tencent answers, and a sentence that names the cause."""
    made, expected, code, cause = FAILURES[case]
    explanation = explained(made, **expected)
    assert (explanation.code, explanation.name) == (code, CODES[code].name)
    assert cause in explanation.cause
    assert explanation.cause.endswith(".")


def test_keys_that_do_not_fit_are_the_cause() -> None:
    """Another key, or another algorithm: both are 70009 or 87, the causes differ."""
    other = explained(SIG, OTHER_KEY)
    assert (other.code, other.key_id) == (70009, None)
    assert OTHER_KEY.key_id in other.cause
    assert explained(MAP_KEY, OTHER_KEY).code == 87
    mixed = explained(SIG, SECRET)
    assert mixed.code == 70009
    assert mixed.cause.startswith("Two algorithms are mixed up: the ticket is ECDSA-SHA256")


def test_another_application_is_the_cause_of_its_bad_signature() -> None:
    """Every check is shown; the likelier cause comes first."""
    explanation = explained(SIG, OTHER_KEY, sdk_app_id=7)
    assert explanation.code == 70014
    assert checks(explanation)["signature"] is False


@pytest.mark.parametrize(
    ("marks", "damage", "cause"),
    [
        ("*", lambda text: quote(text, safe=""), "percent-encoded (as %2A for *)"),
        ("*", lambda text: quote(quote(text, safe="")), "percent-encoded"),
        ("*", lambda text: text.replace("*", " "), "Spaces stand where * was"),
        ("_", lambda text: text.rstrip("_"), "padding, _ at its end, was cut off"),
        ("*-_", lambda text: text.replace("*", "+"), "mixes two alphabets"),
        ("*-_", lambda text: text.replace("_", "="), "mixes two alphabets"),
    ],
)
def test_damage_by_urls_is_recognised(marks: str, damage: Any, cause: str) -> None:
    """The cause is named, and the fields are read all the same."""
    text, _ = with_marks(marks)
    explanation = explained(damage(text))
    assert explanation.code == 70003
    assert cause in explanation.cause
    assert explanation.fields["userId"] == USER
    assert checks(explanation)["signature"] is True


def test_plain_base64_in_a_url_is_recognised() -> None:
    """The plain alphabet's + becomes a space."""
    text, _ = with_marks("+=", plain=True)
    assert "Spaces stand where + was" in explained(text.replace("+", " ")).cause


@pytest.mark.parametrize("padding", ["", "="])
def test_base64url_is_recognised(padding: str) -> None:
    """The alphabet that most libraries offer is not Tencent's."""
    text, _ = with_marks("+/=", plain=True)
    changed = text.replace("+", "-").replace("/", "_").rstrip("=")
    changed += padding * (-len(changed) % 4)
    explanation = explained(changed)
    assert explanation.code == 70003
    assert "in base64url, the wrong alphabet" in explanation.cause


def test_plain_base64_is_noted_though_the_ticket_holds() -> None:
    """A verifier takes it, and a query string will not carry it."""
    text, _ = with_marks("+", plain=True)
    explanation = explained(text)
    assert explanation.code == 0
    assert "plain base64" in explanation.cause


def test_the_remaining_fields_of_a_ticket_are_shown() -> None:
    """The fields of a ticket cut short are those before the cut."""
    made = foreign(P256)
    explanation = explained(made[: len(made) * 2 // 3])
    assert explanation.fields["userId"] == USER
    assert explanation.kind == "userSig"
    assert "TLS" not in str(explanation.fields)


def test_the_fields_of_a_broken_ticket_are_shown_harmlessly() -> None:
    """Whatever stands in them: escaped, short, and what is no field not at all."""
    made = ticket(
        {
            "TLS.identifier": "zz\n\x1b\ud800" + "x" * 999,
            "TLS.sdkappid": 10**4000,
            "TLS.time": "1600000000",
            "TLS.expire": [1],
            "TLS.sig": "secret",
            "TLS.userbuf": userbuf(room=parse_room("lobby")),
            "more": "secret",
        }
    )
    explanation = explained(made)
    assert explanation.fields == {
        "userId": r"zz\n\x1b\ud800" + "x" * 26,
        "sdkAppId": "a number with too many digits",
        "issuedAt": 1600000000,
        "strRoomId": "lobby",
        "privileges": 255,
        "privilegeNames": list(PRIVILEGES),
    }
    assert explanation.kind == "privateMapKey"
    assert explanation.code == 87


def test_bytes_are_read_as_text() -> None:
    """A ticket may come as it stood in a file."""
    assert explained(SIG.encode()) == explained(SIG)


def test_an_unknown_kind_is_not_expected() -> None:
    """Nothing is compared with it."""
    assert explained(SIG, kind="roomsig").code == 0


ANYTHING = (
    st.text()
    | st.binary()
    | st.none()
    | st.integers()
    | st.lists(st.text())
    | st.text("eJxABab019*-_+/= %\n")
    | st.binary().map(zlib.compress).map(tencent)
    | st.text().map(ticket)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from([f"TLS.{name}" for name in ("identifier", "sdk_appid", "time", "sig")])
MEMBERS = st.dictionaries(
    NAMES | st.sampled_from(["TLS.ver", "TLS.userbuf", "TLS.sdkappid", "TLS.expire"]), JSON
)


def assert_harmless(explanation: Explanation, made: object) -> None:
    """It can be shown as JSON, its code is known, and it holds neither ticket nor signature."""
    shown = json.dumps(explanation._asdict(), allow_nan=False)
    assert explanation.code in CODES
    assert explanation.cause
    if isinstance(made, str) and len(made) > 60:
        assert made not in shown
    for text in re.findall(r"[A-Za-z0-9+/*_=-]{44,}", shown):
        raise AssertionError(text)


@given(ANYTHING, st.sampled_from([None, "userSig", "privateMapKey"]))
@settings(deadline=None, max_examples=300)
def test_explaining_any_input_raises_nothing(made: object, kind: str | None) -> None:
    """Whatever it is given."""
    assert_harmless(explained(made, kind=kind), made)


@given(MEMBERS, st.integers(-(2**70), 2**70))
@settings(deadline=None, max_examples=200)
def test_explaining_any_members_raises_nothing(members: dict[str, Any], now: int) -> None:
    """Whatever the JSON inside holds, and whenever it is asked."""
    made = ticket(members)
    assert_harmless(explained(made, SECRET, now=now), made)


@given(st.sampled_from([SIG, MAP_KEY, *BINARY.values()]), st.data())
@settings(deadline=None, max_examples=300)
def test_explaining_any_mutation_raises_nothing(made: str, data: st.DataObject) -> None:
    """Real tickets with pieces cut out, put in or repeated."""
    start = data.draw(st.integers(0, len(made)))
    end = data.draw(st.integers(start, min(len(made), start + 20)))
    put = data.draw(st.text("eJx09AZ*-_+/=% \n", max_size=4) | st.text(max_size=3))
    mutated = made[:start] + put + made[end:]
    assert_harmless(explained(mutated, *KEYS.values()), mutated)


@given(st.binary(max_size=60))
@settings(deadline=None, max_examples=100)
def test_explaining_any_damaged_stream_raises_nothing(junk: bytes) -> None:
    """Sound streams that stop, go on as junk, or inflate to far too much."""
    framed = zlib.compress(json.dumps(signed(SECRET)).encode())
    for made in (framed[:-9] + junk, framed + junk, zlib.compress(junk * 10**4)):
        assert_harmless(explained(tencent(made), SECRET), tencent(made))
