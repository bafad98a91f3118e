"""Verify userSig and privateMapKey: return a ticket's grant, or raise what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.tickets import codecs, ecdsa_sha256
from chalicelib.tickets.envelope import parse_members, unseal
from chalicelib.tickets.errors import (
    BadSignature,
    Expired,
    InconsistentUserbuf,
    LacksEnter,
    NoKey,
    NotYetValid,
    WrongAlgorithm,
    WrongApplication,
    WrongKind,
    WrongRoom,
    WrongUser,
)
from chalicelib.tickets.ticket import PRIVATE_MAP_KEY, USER_SIG
from chalicelib.trtc.privileges import ENTER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.tickets.codec import VerifyingKey
    from chalicelib.tickets.ticket import Ticket
    from chalicelib.tickets.userbuf import Userbuf
    from chalicelib.trtc.identifiers import Room

CLOCK_LEEWAY: Final = 60
"""Seconds by which an issuer's clock may be ahead of the verifier's."""


class UserSig(NamedTuple):
    """A userSig that holds; times in unix seconds, ``ends_at`` is the first second after it."""

    sdk_app_id: int
    user_id: str
    issued_at: int
    ends_at: int
    key_id: str


class PrivateMapKey(NamedTuple):
    """A privateMapKey that holds; as `UserSig`, with the room and the privileges as bits."""

    sdk_app_id: int
    user_id: str
    room: Room
    privileges: int
    issued_at: int
    ends_at: int
    key_id: str


def verify_user_sig(
    ticket: str, keys: Iterable[VerifyingKey], *, sdk_app_id: int, user_id: str, now: int
) -> UserSig:
    """Return the contents of a userSig after all checks.

    Args:
        ticket: its text, in Tencent's alphabet or in plain base64.
        keys: the application's keys, newest first; any of them may have signed.
        sdk_app_id: the application it must belong to.
        user_id: the user it must belong to.
        now: unix seconds.

    Raises:
        TicketRefused: a subclass of `errors` for each thing that can be wrong.
    """
    opened = open_ticket(ticket)
    check_kind(opened, USER_SIG)
    key = check_signature(opened, keys)
    check_application(opened, sdk_app_id)
    check_user(opened, user_id)
    ends_at = check_time(opened, now)
    return UserSig(opened.sdk_app_id, opened.user_id, opened.issued_at, ends_at, key.key_id)


def verify_private_map_key(
    ticket: str,
    keys: Iterable[VerifyingKey],
    *,
    sdk_app_id: int,
    user_id: str,
    room: Room,
    now: int,
) -> PrivateMapKey:
    """Return the grant of a privateMapKey after all checks.

    Args:
        ticket: its text, in Tencent's alphabet or in plain base64.
        keys: the application's keys, newest first; any of them may have signed.
        sdk_app_id: the application it must belong to.
        user_id: the user it must belong to.
        room: the room it must open.
        now: unix seconds.

    Raises:
        TicketRefused: a subclass of `errors` for each thing that can be wrong.
    """
    opened = open_ticket(ticket)
    userbuf = opened.userbuf
    if userbuf is None:
        raise WrongKind(PRIVATE_MAP_KEY, USER_SIG)
    key = check_signature(opened, keys)
    check_consistency(opened, userbuf)
    check_application(opened, sdk_app_id)
    check_user(opened, user_id)
    check_room(userbuf, room)
    ends_at = check_time(opened, now)
    return PrivateMapKey(
        userbuf.sdk_app_id,
        userbuf.user_id,
        userbuf.room,
        userbuf.privileges,
        opened.issued_at,
        ends_at,
        key.key_id,
    )


def open_ticket(text: str) -> Ticket:
    """Parse a ticket without trusting it; raises `MalformedTicket`."""
    content = unseal(text)
    return ecdsa_sha256.read_own(content) or codecs.read_ticket(parse_members(content))


def check_kind(ticket: Ticket, kind: str) -> None:
    """Raise `WrongKind` unless the ticket is of this kind."""
    if ticket.kind != kind:
        raise WrongKind(kind, ticket.kind)


def check_signature(ticket: Ticket, keys: Iterable[VerifyingKey]) -> VerifyingKey:
    """Return the key that signed; raises `NoKey`, `WrongAlgorithm` or `BadSignature`.

    A key checks tickets of its own algorithm only.
    """
    tried = []
    other = None
    for key in keys:
        if key.algorithm != ticket.algorithm:
            other = key.algorithm
            continue
        try:
            key.verify(ticket.content, ticket.signature)
        except BadSignature:
            tried.append(key.key_id)
        else:
            return key
    if tried:
        raise BadSignature(tuple(tried))
    raise WrongAlgorithm(other, ticket.algorithm) if other else NoKey()


def check_consistency(ticket: Ticket, userbuf: Userbuf) -> None:
    """Raise `InconsistentUserbuf` where envelope and userbuf differ on user or application."""
    if userbuf.user_id != ticket.user_id:
        raise InconsistentUserbuf("userId")
    if userbuf.sdk_app_id != ticket.sdk_app_id:
        raise InconsistentUserbuf("sdkAppId")


def check_application(ticket: Ticket, sdk_app_id: int) -> None:
    """Raise `WrongApplication` unless the ticket belongs to the application."""
    if ticket.sdk_app_id != sdk_app_id:
        raise WrongApplication(sdk_app_id, ticket.sdk_app_id)


def check_user(ticket: Ticket, user_id: str) -> None:
    """Raise `WrongUser` unless the ticket belongs to the user."""
    if ticket.user_id != user_id:
        raise WrongUser(user_id, ticket.user_id)


def check_room(userbuf: Userbuf, room: Room) -> None:
    """Raise `WrongRoom` unless the ticket opens the room; 123 and "123" differ."""
    if userbuf.room != room:
        raise WrongRoom(room, userbuf.room)


def check_enter(userbuf: Userbuf) -> None:
    """Raise `LacksEnter` unless the privileges allow entering the room."""
    if not userbuf.privileges & ENTER:
        raise LacksEnter(userbuf.privileges)


def check_time(ticket: Ticket, now: int) -> int:
    """Return when the ticket ends; raise `NotYetValid` or `Expired` if it isn't valid now."""
    if ticket.issued_at > now + CLOCK_LEEWAY:
        raise NotYetValid(ticket.issued_at, now)
    ends_at = ticket.ends_at
    if now >= ends_at:
        raise Expired(ends_at, now)
    return ends_at
