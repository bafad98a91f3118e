"""The table of algorithms."""

from __future__ import annotations

import hashlib
import hmac
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.tickets import (
    CODECS,
    BadKey,
    BadMember,
    BadSignature,
    StringRoomNeedsHmac,
    WrongAlgorithm,
    codecs,
    explain,
    hmac_sha256,
    issue_private_map_key,
    issue_user_sig,
    load_key,
    verify_private_map_key,
    verify_user_sig,
)
from chalicelib.tickets.codec import Codec
from chalicelib.tickets.envelope import seal
from chalicelib.trtc import parse_room
from chalicelib.trtc.algorithms import ALGORITHMS
from tests.support.ticket_material import KEYS, NOW, ORDER, ROOM, SECRET, WHO, signed, ticket

if TYPE_CHECKING:
    from chalicelib.tickets.ticket import Ticket

MADE_UP = "HMAC-SHA512"


class MadeUpKey:
    """What a third algorithm's module holds, as far as it differs from version 2."""

    algorithm = MADE_UP

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.key_id = hashlib.sha512(self._secret).hexdigest()[:16]

    def sign(self, content: bytes) -> bytes:
        """Return the MAC, 64 bytes."""
        return hmac.digest(self._secret, content, "sha512")

    def verify(self, content: bytes, signature: bytes) -> None:
        """Raise `BadSignature` unless the MAC is that of the content."""
        if not hmac.compare_digest(self.sign(content), signature):
            raise BadSignature((self.key_id,))


def read_made_up(members: dict[str, Any]) -> Ticket:
    return hmac_sha256.read(members)._replace(algorithm=MADE_UP)


def write_made_up(*claims: Any, signature: str) -> str:
    """A ticket in plain JSON, of version 3.0."""
    sdk_app_id, user_id, issued_at, ttl, userbuf = claims
    last = "" if userbuf is None else f',"TLS.userbuf":"{userbuf}"'
    head = f'{{"TLS.ver":"3.0","TLS.sdkappid":{sdk_app_id},"TLS.identifier":"{user_id}"'
    rest = f',"TLS.time":{issued_at},"TLS.expire":{ttl},"TLS.sig":"{signature}"{last}}}'
    return seal(head, rest)


ROW = Codec(
    MADE_UP,
    version="3.0",
    string_rooms=False,
    pem_keys=False,
    load_key=MadeUpKey,
    content=hmac_sha256.content,
    write=write_made_up,
    read=read_made_up,
)


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the table with a third row."""
    monkeypatch.setattr(codecs, "CODECS", MappingProxyType({**CODECS, MADE_UP: ROW}))


def test_the_table_has_a_row_for_each_name_and_no_other() -> None:
    """Names that may be stored and asked for are those that can sign."""
    assert tuple(CODECS) == ALGORITHMS
    assert all(codec.algorithm == name for name, codec in CODECS.items())


def test_versions_tell_algorithms_apart() -> None:
    """Whose a ticket is can be read from its members before a key is chosen."""
    versions = [codec.version for codec in CODECS.values()]
    assert len(set(versions)) == len(versions)


@pytest.mark.usefixtures("three")
def test_a_third_algorithm_is_one_row_and_one_module() -> None:
    """With a row in the table its keys load, sign and verify both tickets, and explain them."""
    key = load_key(MADE_UP, "a secret")
    user_sig = issue_user_sig(key, **ORDER)
    assert verify_user_sig(user_sig, [key], **WHO, now=NOW).key_id == key.key_id
    room = parse_room(ROOM)
    private_map_key = issue_private_map_key(key, **ORDER, room=room, privileges=42)
    granted = verify_private_map_key(private_map_key, [key], **WHO, room=room, now=NOW)
    assert (granted.room, granted.privileges) == (room, 42)
    explanation = explain(private_map_key, [key], now=NOW)
    assert (explanation.code, explanation.fields["algorithm"]) == (0, MADE_UP)


@pytest.mark.usefixtures("three")
def test_a_third_algorithms_tickets_are_checked_like_any() -> None:
    """Another secret, and keys of other algorithms, refuse them; so do string rooms."""
    key = load_key(MADE_UP, "a secret")
    user_sig = issue_user_sig(key, **ORDER)
    with pytest.raises(BadSignature):
        verify_user_sig(user_sig, [load_key(MADE_UP, "another")], **WHO, now=NOW)
    for other in KEYS.values():
        with pytest.raises(WrongAlgorithm):
            verify_user_sig(user_sig, [other], **WHO, now=NOW)
        with pytest.raises(WrongAlgorithm):
            verify_user_sig(issue_user_sig(other, **ORDER), [key], **WHO, now=NOW)
    with pytest.raises(StringRoomNeedsHmac):
        issue_private_map_key(key, **ORDER, room=parse_room("lobby"), privileges=42)


def test_without_its_row_an_algorithm_is_unknown() -> None:
    """The made-up algorithm's key signs, but no table tells how to write its tickets."""
    with pytest.raises(BadKey, match=", ".join(ALGORITHMS)):
        load_key(MADE_UP, "a secret")


@pytest.mark.parametrize("version", ["3.0", "2", 2, None, [], {}, True])
def test_a_ticket_of_an_unknown_version_is_refused(version: object) -> None:
    """A version that no row has is not read as if it had none."""
    text = ticket({**signed(SECRET), "TLS.ver": version})
    with pytest.raises(BadMember, match=r'TLS.ver must be "2.0"') as refused:
        verify_user_sig(text, [SECRET], **WHO, now=NOW)
    assert refused.value.member == "TLS.ver"
