from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.tickets import (
    HMAC,
    MalformedTicket,
    PrivateMapKey,
    UserSig,
    ecdsa_sha256,
    issue_private_map_key,
    issue_user_sig,
    verify_private_map_key,
    verify_user_sig,
)
from chalicelib.tickets.codecs import read_ticket
from chalicelib.tickets.envelope import parse_members, unseal
from chalicelib.tickets.verify import open_ticket
from chalicelib.trtc import (
    ALL,
    ROOM_ID_MAX,
    STR_ROOM_MAX_BYTES,
    STR_ROOM_PATTERN,
    USER_ID_PATTERN,
    Room,
)
from chalicelib.trtc.identifiers import parse_named_room, parse_number_room, parse_room
from tests.support.ticket_material import KEYS, NOW, ORDER, ROOM, ROOM_ORDER, WHO

NAMES = st.sampled_from(list(KEYS))
APPS = st.integers(1, 2**32 - 1)
USERS = st.from_regex(USER_ID_PATTERN, fullmatch=True)
ROOMS = st.integers(1, ROOM_ID_MAX).map(parse_number_room)
NAMED = ROOMS | st.from_regex(STR_ROOM_PATTERN, fullmatch=True).map(parse_named_room)
TIMES = st.integers(0, 2**31)
TTLS = st.integers(1, 2**31 - 1)

# userSig, privateMapKey of a number, of a string room; in characters, as the README says.
LONGEST = {"P-256": (400, 524, 0), "secp256k1": (400, 524, 0), "HMAC": (272, 396, 512)}

MADE = [
    (name, issue(key, **order))
    for name, key in KEYS.items()
    for issue, order in ((issue_user_sig, ORDER), (issue_private_map_key, ROOM_ORDER))
]


@given(NAMES, APPS, USERS, TIMES, TTLS)
@settings(deadline=None, max_examples=150)
def test_every_user_sig_verifies(name: str, app: int, user: str, now: int, ttl: int) -> None:
    """Whatever may be ordered is issued, and verifies from its first second to its last."""
    key = KEYS[name]
    made = issue_user_sig(key, sdk_app_id=app, user_id=user, now=now, ttl=ttl)
    expected = UserSig(app, user, now, now + ttl, key.key_id)
    for moment in (now, now + ttl - 1):
        verified = verify_user_sig(made, [key], sdk_app_id=app, user_id=user, now=moment)
        assert verified == expected


@given(NAMES, APPS, USERS, NAMED, st.integers(1, ALL), TIMES, TTLS)
@settings(deadline=None, max_examples=150)
def test_every_private_map_key_verifies(
    name: str, app: int, user: str, room: Room, privileges: int, now: int, ttl: int
) -> None:
    """Likewise, with the same room of the same kind and the same privileges."""
    key = KEYS[name]
    if isinstance(room, str) and key.algorithm != HMAC:
        room = parse_room(len(room))
    who: dict[str, Any] = {"sdk_app_id": app, "user_id": user, "room": room, "now": now}
    made = issue_private_map_key(key, **who, privileges=privileges, ttl=ttl)
    verified = verify_private_map_key(made, [key], **who)
    assert verified == PrivateMapKey(app, user, room, privileges, now, now + ttl, key.key_id)
    assert type(verified.room) is type(room)


@given(NAMES, APPS, st.integers(1_500_000_000, 2**31), TTLS)
@settings(deadline=None, max_examples=300)
def test_no_ticket_is_longer_than_the_readme_says(name: str, app: int, now: int, ttl: int) -> None:
    """Who keeps tickets in a column of a table can count on it."""
    order: dict[str, Any] = {"sdk_app_id": app, "user_id": "w" * 32, "now": now, "ttl": ttl}
    room: dict[str, Any] = {**order, "privileges": ALL}
    made = [
        issue_user_sig(KEYS[name], **order),
        issue_private_map_key(KEYS[name], **room, room=parse_room(ROOM_ID_MAX)),
    ]
    if KEYS[name].algorithm == HMAC:
        made.append(
            issue_private_map_key(KEYS[name], **room, room=parse_room("r" * STR_ROOM_MAX_BYTES))
        )
    longest = zip(made, LONGEST[name], strict=False)
    assert all(len(text) <= most for text, most in longest)


@given(st.sampled_from(MADE), st.integers(0, 10**6), st.characters(max_codepoint=127))
@settings(deadline=None, max_examples=400)
def test_a_changed_ticket_is_malformed_or_the_same(
    made: tuple[str, str], place: int, character: str
) -> None:
    """With one character changed a ticket is refused, or decodes to the identical envelope."""
    _, text = made
    place %= len(text)
    changed = text[:place] + character + text[place + 1 :]
    try:
        content = unseal(changed)
    except MalformedTicket:
        return
    assert content == unseal(text)


@pytest.mark.parametrize(("name", "text"), MADE[:1] + MADE[-1:])
def test_any_bit_of_a_ticket_counts_or_carries_nothing(name: str, text: str) -> None:
    """Each character with each single bit turned: refused, or the same ticket to the verifier."""
    verified = verify(name, text)
    for place, character in enumerate(text):
        for bit in range(7):
            changed = text[:place] + chr(ord(character) ^ 1 << bit) + text[place + 1 :]
            try:
                unseal(changed)
            except MalformedTicket:
                continue
            assert verify(name, changed) == verified


def verify(name: str, text: str) -> UserSig | PrivateMapKey:
    """Verify a ticket of MADE."""
    key = [KEYS[name]]
    if open_ticket(text).userbuf is None:
        return verify_user_sig(text, key, **WHO, now=NOW)
    return verify_private_map_key(text, key, **WHO, room=parse_room(ROOM), now=NOW)


@given(APPS, USERS, ROOMS, TIMES, TTLS)
@settings(deadline=None, max_examples=100)
def test_our_own_tickets_are_read_as_any_others_are(
    app: int, user: str, room: int, now: int, ttl: int
) -> None:
    """The short way of reading a v1 ticket of ours finds what the general one does."""
    key = KEYS["P-256"]
    order: dict[str, Any] = {"sdk_app_id": app, "user_id": user, "now": now, "ttl": ttl}
    private_map_key = issue_private_map_key(key, **order, room=parse_room(room), privileges=ALL)
    for made in (issue_user_sig(key, **order), private_map_key):
        content = unseal(made)
        general = read_ticket(parse_members(content))
        assert ecdsa_sha256.read_own(content) == general
        assert open_ticket(made) == general
