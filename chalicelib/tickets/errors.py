"""What can be wrong with a key, an order for a ticket, or a ticket: one class for each.

::

    TicketError
    ├── BadKey                      .reason                a key that can't be used
    ├── Unsignable (ValueError)     .field .reason         an order that must not be signed
    │   └── StringRoomNeedsHmac                            a string room for an ECDSA application
    └── TicketRefused                                      a ticket that doesn't hold
        ├── MalformedTicket         .reason                its text is no ticket
        │   ├── EmptyTicket
        │   ├── OversizedTicket     .limit                 it is, or inflates to, too much
        │   ├── WrongAlphabet       .offset                not in Tencent's nor in plain base64
        │   ├── BadBase64                                  cut short, or not canonical
        │   ├── BadDeflate          .truncated             no zlib stream, or a damaged one
        │   ├── BadJson                                    no JSON object
        │   └── BadMember           .member                a member is missing or out of bounds
        ├── WrongKind               .expected .found       a userSig for a privateMapKey, or reverse
        ├── NoKey                                          there is no key to check it with
        ├── WrongAlgorithm          .expected .found       ECDSA and HMAC are mixed up
        ├── BadSignature            .key_ids               no key made this signature
        ├── WrongApplication        .expected .found
        ├── WrongUser               .expected .found
        ├── WrongRoom               .expected .found
        ├── InconsistentUserbuf     .member                its two halves name different users, ...
        ├── LacksEnter              .privileges            it doesn't allow entering its room
        ├── NotYetValid             .issued_at .now        its time lies in the future
        └── Expired                 .ended_at .now

No message, repr or attribute holds a ticket, a signature or a key. Every `TicketRefused` has
``user_sig_code`` and ``private_map_key_code``: what Tencent answers for such a ticket.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from chalicelib.trtc.identifiers import Room

__all__ = [
    "BadBase64",
    "BadDeflate",
    "BadJson",
    "BadKey",
    "BadMember",
    "BadSignature",
    "EmptyTicket",
    "Expired",
    "InconsistentUserbuf",
    "LacksEnter",
    "MalformedTicket",
    "NoKey",
    "NotYetValid",
    "OversizedTicket",
    "StringRoomNeedsHmac",
    "TicketError",
    "TicketRefused",
    "Unsignable",
    "WrongAlgorithm",
    "WrongAlphabet",
    "WrongApplication",
    "WrongKind",
    "WrongRoom",
    "WrongUser",
]


class TicketError(Exception):
    """The root of this room's exceptions."""


class BadKey(TicketError):
    """A key that can't be used.

    Attributes:
        reason: a sentence that whoever installed the key can act on; it holds nothing of the key.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unsignable(TicketError, ValueError):
    """An order for a ticket that must not be signed.

    Attributes:
        field: the member to blame, by its name in the HTTP API.
        reason: a sentence that a caller can act on.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class StringRoomNeedsHmac(Unsignable):
    """A string room was asked for in an application that signs with ECDSA (v1)."""

    def __init__(self) -> None:
        super().__init__("strRoomId", "needs an HMAC-SHA256 application: v1 tickets know numbers")


class TicketRefused(TicketError):
    """A ticket that doesn't hold; the message is the cause, as a sentence."""

    user_sig_code: ClassVar[int] = 70003
    private_map_key_code: ClassVar[int] = 87


class MalformedTicket(TicketRefused):
    """A text that is no ticket.

    Attributes:
        reason: the cause, as a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EmptyTicket(MalformedTicket):
    """There is no ticket."""

    user_sig_code = 70002
    private_map_key_code = 80

    def __init__(self) -> None:
        super().__init__("The ticket is empty.")


class OversizedTicket(MalformedTicket):
    """The ticket is longer, or inflates to more, than any real one.

    Attributes:
        limit: the bound that it breaks, in bytes.
    """

    def __init__(self, reason: str, limit: int) -> None:
        super().__init__(reason)
        self.limit = limit


class WrongAlphabet(MalformedTicket):
    """A character stands where neither Tencent's base64 nor the plain one has it.

    Attributes:
        offset: the place of that character, counted from 0.
    """

    def __init__(self, offset: int, character: str) -> None:
        super().__init__(
            f"Character {offset + 1} of the ticket, U+{ord(character):04X}, can't stand there:"
            " tickets are base64 with * - _ in place of + / =."
        )
        self.offset = offset


class BadBase64(MalformedTicket):
    """The base64 is cut short, or not written in its one canonical way."""


class BadDeflate(MalformedTicket):
    """What the base64 holds is no zlib stream, or a damaged one.

    Attributes:
        truncated: whether the stream is sound as far as it goes, but stops too early.
    """

    def __init__(self, reason: str, *, truncated: bool = False) -> None:
        super().__init__(reason)
        self.truncated = truncated


class BadJson(MalformedTicket):
    """What the zlib stream holds is no JSON object."""


class BadMember(MalformedTicket):
    """A member of the ticket is missing or out of bounds.

    Attributes:
        member: its name, as ``TLS.identifier``.
    """

    def __init__(self, member: str, reason: str) -> None:
        super().__init__(f"The ticket's {member} {reason}.")
        self.member = member


class WrongKind(TicketRefused):
    """A userSig where a privateMapKey must stand, or the reverse.

    Attributes:
        expected: ``userSig`` or ``privateMapKey``.
        found: the other one.
    """

    user_sig_code = 70009

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"This is a {found}, where a {expected} is expected.")
        self.expected = expected
        self.found = found


class NoKey(TicketRefused):
    """There is no key to check the signature with."""

    user_sig_code = 70016

    def __init__(self) -> None:
        super().__init__("The application has no key to check the ticket with.")


class WrongAlgorithm(TicketRefused):
    """The ticket is signed with another algorithm than the application's keys.

    Attributes:
        expected: the keys' algorithm.
        found: the ticket's.
    """

    user_sig_code = 70009

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            f"ECDSA and HMAC are mixed up: the ticket is {found}, the application's key"
            f" {expected}. Its issuer uses an old key, or that of another application."
        )
        self.expected = expected
        self.found = found


class BadSignature(TicketRefused):
    """None of the keys made this signature over this content.

    Attributes:
        key_ids: the keys that were tried.
    """

    user_sig_code = 70009

    def __init__(self, key_ids: tuple[str, ...]) -> None:
        super().__init__(
            f"The signature is of none of the keys {', '.join(key_ids)}: the ticket was signed with"
            " another key, or changed afterwards."
        )
        self.key_ids = key_ids


class WrongApplication(TicketRefused):
    """The ticket belongs to another application.

    Attributes:
        expected: the sdkAppId it should have.
        found: the sdkAppId it has.
    """

    user_sig_code = 70014

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"The ticket belongs to another application, {found}.")
        self.expected = expected
        self.found = found


class WrongUser(TicketRefused):
    """The ticket belongs to another user.

    Attributes:
        expected: the userId it should have.
        found: the userId it has.
    """

    user_sig_code = 70013

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"The ticket belongs to another user, {found}.")
        self.expected = expected
        self.found = found


class WrongRoom(TicketRefused):
    """The privateMapKey opens another room.

    Attributes:
        expected: the room it should open.
        found: the room it opens.
    """

    def __init__(self, expected: Room, found: Room) -> None:
        hint = ""
        if str(expected) == str(found):
            hint = ": a numeric and a string room are different rooms, whatever they look like"
        super().__init__(f"The ticket opens another room, {found!r}{hint}.")
        self.expected = expected
        self.found = found


class InconsistentUserbuf(TicketRefused):
    """The userbuf of a privateMapKey names another user or application than its envelope.

    Its issuer put together two halves that don't belong together; whichever of them a server
    reads, the other is a lie, so neither is believed.

    Attributes:
        member: what differs, ``userId`` or ``sdkAppId``.
    """

    def __init__(self, member: str) -> None:
        super().__init__(
            f"The ticket contradicts itself: its userbuf has another {member} than its envelope."
        )
        self.member = member


class LacksEnter(TicketRefused):
    """The privileges of a privateMapKey don't include entering the room; only `explain` minds.

    Attributes:
        privileges: as bits.
    """

    private_map_key_code = -100006

    def __init__(self, privileges: int) -> None:
        super().__init__("The ticket's privileges lack enter (2), without which nobody gets in.")
        self.privileges = privileges


class NotYetValid(TicketRefused):
    """The ticket's time lies in the future.

    Tencent lists no code of its own for this; it is a failed check of the time, as expiry is.

    Attributes:
        issued_at: unix seconds.
        now: unix seconds.
    """

    user_sig_code = 70001
    private_map_key_code = 86

    def __init__(self, issued_at: int, now: int) -> None:
        super().__init__(
            f"The ticket is valid from {_utc(issued_at)} only, {issued_at - now} s from now: the"
            " clock of its issuer runs ahead, or ours is late."
        )
        self.issued_at = issued_at
        self.now = now


class Expired(TicketRefused):
    """The ticket has ended.

    Attributes:
        ended_at: the first unix second in which it was no longer valid.
        now: unix seconds.
    """

    user_sig_code = 70001
    private_map_key_code = 86

    def __init__(self, ended_at: int, now: int) -> None:
        super().__init__(f"The ticket ended at {_utc(ended_at)}, {now - ended_at} s ago.")
        self.ended_at = ended_at
        self.now = now


def _utc(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
