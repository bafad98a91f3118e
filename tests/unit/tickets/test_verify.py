from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from chalicelib.tickets import (
    ECDSA,
    HMAC,
    BadMember,
    BadSignature,
    Expired,
    InconsistentUserbuf,
    NoKey,
    NotYetValid,
    PrivateMapKey,
    SigningKey,
    TicketRefused,
    UserSig,
    WrongAlgorithm,
    WrongApplication,
    WrongKind,
    WrongRoom,
    WrongUser,
    issue_private_map_key,
    issue_user_sig,
    load_key,
    load_public_key,
    verify_private_map_key,
    verify_user_sig,
)
from chalicelib.tickets.ecdsa_sha256 import EcdsaKey
from chalicelib.tickets.verify import CLOCK_LEEWAY, open_ticket
from chalicelib.trtc.identifiers import parse_room
from tests.support.keys import new_secret, pem_of_new_key
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
    foreign,
    signed,
    ticket,
    userbuf,
)

HERE: dict[str, Any] = {**WHO, "room": ROOM, "now": NOW}


def test_a_user_sig_that_holds_is_returned(key: SigningKey) -> None:
    """With who it is for, when it ends and the key that signed it."""
    made = issue_user_sig(key, **ORDER)
    expected = UserSig(APP, USER, NOW, NOW + TTL, key.key_id)
    assert verify_user_sig(made, [key], **WHO, now=NOW) == expected


def test_a_private_map_key_that_holds_is_returned(key: SigningKey) -> None:
    """With the room and what it allows there."""
    made = issue_private_map_key(key, **{**ROOM_ORDER, "privileges": 42})
    expected = PrivateMapKey(APP, USER, parse_room(ROOM), 42, NOW, NOW + TTL, key.key_id)
    assert verify_private_map_key(made, [key], **HERE) == expected


def test_any_key_may_have_signed(key: SigningKey) -> None:
    """While keys change, several are given, newest first; which one signed is returned."""
    newer = load_key(key.algorithm, pem_of_new_key() if key.algorithm == ECDSA else new_secret())
    made = issue_user_sig(key, **ORDER)
    assert verify_user_sig(made, iter([newer, key]), **WHO, now=NOW).key_id == key.key_id
    with pytest.raises(BadSignature) as refused:
        verify_user_sig(made, [newer], **WHO, now=NOW)
    assert refused.value.key_ids == (newer.key_id,)


@pytest.mark.parametrize("name", ["P-256", "secp256k1"])
def test_a_public_key_suffices(name: str) -> None:
    """Whoever only checks needs no secret."""
    key = KEYS[name]
    assert isinstance(key, EcdsaKey)
    public = load_public_key(key.public_pem)
    verified = verify_private_map_key(issue_private_map_key(key, **ROOM_ORDER), [public], **HERE)
    assert verified.key_id == key.key_id


def test_without_a_key_nothing_holds(key: SigningKey) -> None:
    """No key is not the same as any key."""
    with pytest.raises(NoKey):
        verify_user_sig(issue_user_sig(key, **ORDER), [], **WHO, now=NOW)


def test_a_private_map_key_is_no_user_sig(key: SigningKey) -> None:
    """Some v2 verifiers take one for the other."""
    with pytest.raises(WrongKind) as refused:
        verify_user_sig(issue_private_map_key(key, **ROOM_ORDER), [key], **WHO, now=NOW)
    assert (refused.value.expected, refused.value.found) == ("userSig", "privateMapKey")


def test_a_user_sig_is_no_private_map_key(key: SigningKey) -> None:
    """A login opens no room."""
    with pytest.raises(WrongKind) as refused:
        verify_private_map_key(issue_user_sig(key, **ORDER), [key], **HERE)
    assert (refused.value.expected, refused.value.found) == ("privateMapKey", "userSig")


def test_leaving_the_userbuf_out_does_not_make_a_user_sig(key: SigningKey) -> None:
    """The userbuf's line is signed, so that its absence shows."""
    members = signed(key, {"TLS.userbuf": userbuf()})
    del members["TLS.userbuf"]
    with pytest.raises(BadSignature):
        verify_user_sig(ticket(members), [key], **WHO, now=NOW)


def test_adding_a_userbuf_does_not_make_a_private_map_key(key: SigningKey) -> None:
    """Likewise its presence."""
    members = {**signed(key), "TLS.userbuf": userbuf()}
    with pytest.raises(BadSignature):
        verify_private_map_key(ticket(members), [key], **HERE)


def test_the_key_decides_the_algorithm() -> None:
    """An ECDSA key never checks a v2 ticket, nor a secret a v1 ticket: no algorithm confusion."""
    with pytest.raises(WrongAlgorithm) as refused:
        verify_user_sig(issue_user_sig(SECRET, **ORDER), [P256], **WHO, now=NOW)
    assert (refused.value.expected, refused.value.found) == (ECDSA, HMAC)
    with pytest.raises(WrongAlgorithm) as refused:
        verify_user_sig(issue_user_sig(P256, **ORDER), [SECRET], **WHO, now=NOW)
    assert (refused.value.expected, refused.value.found) == (HMAC, ECDSA)


def test_a_public_key_is_no_secret() -> None:
    """Regression of the classic attack: a MAC made with the public key's text is not believed."""
    assert isinstance(P256, EcdsaKey)
    text = P256.public_pem.replace("\n", "").replace(" ", "")
    forged = foreign(load_key(HMAC, text.strip("-").replace("-----", "")))
    with pytest.raises(WrongAlgorithm):
        verify_user_sig(forged, [P256], **WHO, now=NOW)


def test_another_application_is_refused(key: SigningKey) -> None:
    """A ticket counts in its own application only."""
    with pytest.raises(WrongApplication) as refused:
        verify_user_sig(
            issue_user_sig(key, **ORDER), [key], sdk_app_id=APP + 1, user_id=USER, now=NOW
        )
    assert (refused.value.expected, refused.value.found) == (APP + 1, APP)


def test_another_user_is_refused(key: SigningKey) -> None:
    """A ticket counts for its own user only."""
    with pytest.raises(WrongUser) as refused:
        verify_private_map_key(
            issue_private_map_key(key, **ROOM_ORDER), [key], **{**HERE, "user_id": "webrtc99"}
        )
    assert (refused.value.expected, refused.value.found) == ("webrtc99", USER)


@pytest.mark.parametrize("room", [1235, "1234"])
def test_another_room_is_refused(key: SigningKey, room: int | str) -> None:
    """A number and a string that look alike are different rooms."""
    with pytest.raises(WrongRoom) as refused:
        verify_private_map_key(
            issue_private_map_key(key, **ROOM_ORDER), [key], **{**HERE, "room": room}
        )
    assert (refused.value.expected, refused.value.found) == (room, ROOM)


def test_a_string_room_is_verified() -> None:
    """With HMAC a room may have a name, and then it is not the number of that name."""
    made = issue_private_map_key(SECRET, **{**ROOM_ORDER, "room": "1234"})
    assert verify_private_map_key(made, [SECRET], **{**HERE, "room": "1234"}).room == "1234"
    with pytest.raises(WrongRoom, match="though they look alike"):
        verify_private_map_key(made, [SECRET], **HERE)


def test_a_ticket_ends_at_the_exact_second(key: SigningKey) -> None:
    """Valid in its last second, expired in the next one."""
    user_sig = issue_user_sig(key, **ORDER)
    private_map_key = issue_private_map_key(key, **ROOM_ORDER)
    last = {**HERE, "now": NOW + TTL - 1}
    assert verify_user_sig(user_sig, [key], **WHO, now=NOW + TTL - 1).ends_at == NOW + TTL
    assert verify_private_map_key(private_map_key, [key], **last).ends_at == NOW + TTL
    with pytest.raises(Expired, match="2020-09-13T12:31:40Z, 0 s ago") as refused:
        verify_user_sig(user_sig, [key], **WHO, now=NOW + TTL)
    assert (refused.value.ended_at, refused.value.now) == (NOW + TTL, NOW + TTL)
    with pytest.raises(Expired):
        verify_private_map_key(private_map_key, [key], **{**HERE, "now": NOW + TTL})


def test_a_ticket_from_the_future_is_refused(key: SigningKey) -> None:
    """Clocks may differ by a minute; more is a mistake, or a ticket made to outlive its key."""
    made = issue_user_sig(key, **ORDER)
    assert verify_user_sig(made, [key], **WHO, now=NOW - CLOCK_LEEWAY).issued_at == NOW
    with pytest.raises(NotYetValid, match="clock") as refused:
        verify_user_sig(made, [key], **WHO, now=NOW - CLOCK_LEEWAY - 1)
    assert (refused.value.issued_at, refused.value.now) == (NOW, NOW - CLOCK_LEEWAY - 1)


@pytest.mark.parametrize(
    ("other", "member"),
    [({"user_id": "victim"}, "userId"), ({"app": APP + 1}, "sdkAppId")],
)
def test_halves_that_differ_are_refused(
    key: SigningKey, other: dict[str, Any], member: str
) -> None:
    """A signed ticket whose userbuf is for someone else holds for neither of them."""
    made = foreign(key, userbuf=userbuf(**other))
    for expected in ({}, {"user_id": "victim"}, {"sdk_app_id": APP + 1}):
        with pytest.raises(InconsistentUserbuf) as refused:
            verify_private_map_key(made, [key], **{**HERE, **expected})
        assert refused.value.member == member


@pytest.mark.parametrize("ends", [NOW + TTL - 1, NOW + TTL, NOW + TTL + 1])
def test_the_earlier_of_two_ends_counts(key: SigningKey, ends: int) -> None:
    """Some issuers read the clock twice; neither half outlives the other."""
    made = foreign(key, userbuf=userbuf(ends=ends))
    expected = min(ends, NOW + TTL)
    assert verify_private_map_key(made, [key], **HERE).ends_at == expected
    with pytest.raises(Expired):
        verify_private_map_key(made, [key], **{**HERE, "now": expected})


INJECTIONS = ["zz\nTLS.identifier:victim", "victim\n", "\nvictim", "victim\r", "vic\ttim", ""]


@pytest.mark.parametrize("user_id", INJECTIONS)
def test_an_injected_userid_is_refused_before_its_signature(key: SigningKey, user_id: str) -> None:
    """Newline injection is real: a good signature over a userid with a line break is no use."""
    made = foreign(key, identifier=user_id)
    for keys in ([key], []):
        with pytest.raises(BadMember) as refused:
            verify_user_sig(made, keys, sdk_app_id=APP, user_id="victim", now=NOW)
        assert refused.value.member == "TLS.identifier"


@pytest.mark.parametrize("member", ["account_type", "appid_at_3rd", "sdk_appid", "time"])
def test_a_line_injected_elsewhere_is_refused(member: str) -> None:
    """Every signed value is kept to one line."""
    injected: dict[str, Any] = {member: "0\nTLS.identifier:victim"}
    made = foreign(P256, **injected)
    with pytest.raises(BadMember, match="injects") as refused:
        verify_user_sig(made, [P256], sdk_app_id=APP, user_id="victim", now=NOW)
    assert refused.value.member == f"TLS.{member}"


def test_two_tickets_never_share_a_signed_content() -> None:
    """Moving the border between two values changes what is signed."""
    members = signed(P256, {"TLS.appid_at_3rd": "0", "TLS.account_type": "0"})
    moved = {**members, "TLS.appid_at_3rd": "0\nTLS.account_type:0"}
    del moved["TLS.account_type"]
    with pytest.raises(BadMember):
        verify_user_sig(ticket(moved), [P256], **WHO, now=NOW)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("identifier", None),
        ("identifier", 5),
        ("sdk_appid", APP),
        ("sdk_appid", f"0{APP}"),
        ("sdk_appid", f"+{APP}"),
        ("sdk_appid", "0"),
        ("sdk_appid", "٣"),
        ("sdk_appid", "1" * 11),
        ("time", "1.6e9"),
        ("time", NOW),
        ("time", None),
        ("expire_after", "-1"),
        ("expire_after", ""),
        ("account_type", None),
        ("account_type", 0),
        ("appid_at_3rd", 0),
        ("appid_at_3rd", "x" * 65),
        ("sig", None),
        ("sig", ""),
        ("sig", "not base64"),
        ("sig", "é"),
        ("sig", 7),
        ("userbuf", ""),
        ("userbuf", 1),
        ("userbuf", userbuf() + "\n"),
        ("userbuf", userbuf()[:-1]),
    ],
)
def test_a_bad_member_of_v1_is_refused(member: str, value: object) -> None:
    """Numbers have one spelling, and every value is a string within bounds."""
    name = f"TLS.{member}"
    members = {**signed(P256), name: value}
    if value is None:
        del members[name]
    with pytest.raises(BadMember) as refused:
        verify_user_sig(ticket(members), [P256], **WHO, now=NOW)
    assert refused.value.member == name


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("ver", "1.0"),
        ("ver", 2),
        ("ver", None),
        ("identifier", None),
        ("sdkappid", str(APP)),
        ("sdkappid", float(APP)),
        ("sdkappid", 0),
        ("sdkappid", True),
        ("time", -1),
        ("time", 10**4000),
        ("expire", None),
        ("expire", 1e400),
        ("sig", None),
        ("userbuf", {}),
    ],
)
def test_a_bad_member_of_v2_is_refused(member: str, value: object) -> None:
    """Numbers are whole JSON numbers within bounds, not bools, not strings."""
    members = {**signed(SECRET), f"TLS.{member}": value}
    if value is None and member != "ver":
        del members[f"TLS.{member}"]
    with pytest.raises(TicketRefused) as refused:
        verify_user_sig(ticket(members), [SECRET], **WHO, now=NOW)
    if value != 1e400:
        assert isinstance(refused.value, BadMember)
        assert refused.value.member == f"TLS.{member}"


GOOD = bytes.fromhex("00000877656272746339385372dea1000004d25f5e112c000000ff00000000")
NAMED = bytes.fromhex(
    "0100077869616f6a756e53724e00000000005f5f6180000000ff0000000000066164626a6b6c"
)


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        GOOD[:-1],
        GOOD + b"\0",
        b"\2" + GOOD[1:],
        b"\1" + GOOD[1:],
        b"\0\xff\xff" + GOOD[3:],
        GOOD.replace(b"webrtc98", b"webrtc9\xff"),
        GOOD.replace(bytes.fromhex("000004d2"), bytes(4)),
        NAMED[:-1],
        NAMED + b"x",
        NAMED.replace(b"adbjkl", b"ad\njkl"),
        NAMED.replace(b"adbjkl", b"ad\xffjkl"),
        NAMED[:-8] + b"\0\0",
        NAMED.replace(bytes.fromhex("0000000000"), bytes.fromhex("0000000001"), 1),
    ],
)
def test_a_bad_userbuf_is_refused(data: bytes) -> None:
    """Nothing but the form of the wire facts: no other version, no room 0, no bytes to spare."""
    made = foreign(SECRET, userbuf=base64.b64encode(data).decode())
    with pytest.raises(BadMember) as refused:
        verify_private_map_key(made, [SECRET], **HERE)
    assert refused.value.member == "TLS.userbuf"


def test_a_v1_ticket_names_no_string_room() -> None:
    """String rooms exist in version 2 only, whoever signed."""
    with pytest.raises(BadMember, match="string room"):
        verify_private_map_key(
            foreign(P256, userbuf=userbuf(room=parse_room("1234"))),
            [P256],
            **{**HERE, "room": "1234"},
        )


def test_a_doubled_member_is_refused(key: SigningKey) -> None:
    """Which of two values counts must not depend on the reader."""
    text = json.dumps(signed(key))
    doubled = text[:-1] + ', "TLS.identifier": "victim"}'
    with pytest.raises(TicketRefused, match="twice"):
        verify_user_sig(ticket(doubled), [key], sdk_app_id=APP, user_id="victim", now=NOW)


def test_no_refusal_shows_a_ticket(key: SigningKey) -> None:
    """Neither text nor repr of an exception holds a ticket or its signature."""
    made = issue_user_sig(key, **ORDER)
    with pytest.raises(WrongUser) as refused:
        verify_user_sig(made, [key], sdk_app_id=APP, user_id="other", now=NOW)
    shown = f"{refused.value} {refused.value!r} {vars(refused.value)} {open_ticket(made)!r}"
    assert made[:20] not in shown
    assert signed(SECRET)["TLS.sig"] not in shown
