"""The exceptions: one class for each thing that is wrong with a key, a request or a ticket.

::

    TicketError
    ├── BadKey                      .reason                a key that can't be used
    ├── Unsignable (ValueError)     .field .reason         a request that must not be signed
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
        ├── NoKey                                          there is no key to check it with
        ├── BadSignature            .key_ids               no key made this signature
        ├── Mismatch                .expected .found       it is another ticket than expected
        │   ├── WrongKind                                  a userSig for a privateMapKey, or reverse
        │   ├── WrongAlgorithm                             signed with another than the keys'
        │   ├── WrongApplication
        │   ├── WrongUser
        │   └── WrongRoom
        ├── InconsistentUserbuf     .member                its two halves name different users, ...
        ├── LacksEnter              .privileges            it doesn't allow entering its room
        ├── NotYetValid             .issued_at .now        its time lies in the future
        └── Expired                 .ended_at .now

No message, repr or attribute holds a ticket, a signature or a key. Every `TicketRefused` has
``user_sig_code`` and ``private_map_key_code``, the codes that Tencent answers such a ticket with.
"""

from __future__ import annotations

import time
from typing import ClassVar, Final, Generic, TypeVar

from chalicelib.trtc.identifiers import Room

_LOOK_ALIKE: Final = " A numeric and a string room are different rooms, though they look alike."

T = TypeVar("T")


class TicketError(Exception):
    """The root of the exceptions of `chalicelib.tickets`."""


class BadKey(TicketError):
    """A key that can't be used.

    Attributes:
        reason: a sentence that whoever installed the key can act on; it holds nothing of the key.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unsignable(TicketError, ValueError):
    """A request for a ticket that must not be signed.

    Attributes:
        field: the member to blame, by its name in the HTTP API.
        reason: a sentence that a caller can act on.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class StringRoomNeedsHmac(Unsignable):
    """The request names a string room, but the key's algorithm knows numeric rooms only."""

    def __init__(self) -> None:
        super().__init__("strRoomId", "needs an HMAC-SHA256 application: v1 tickets know numbers")


class TicketRefused(TicketError):
    """A ticket that doesn't hold.

    The message is the cause, as a sentence. ``user_sig_code`` and ``private_map_key_code`` are
    Tencent's codes for such a ticket of either kind.
    """

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
    """A character of neither Tencent's base64 alphabet nor the plain one.

    Attributes:
        offset: the index of that character.
    """

    def __init__(self, offset: int, character: str) -> None:
        super().__init__(
            f"Character {offset + 1} of the ticket, U+{ord(character):04X}, can't stand there:"
            " tickets are base64 with * - _ in place of + / =."
        )
        self.offset = offset


class BadBase64(MalformedTicket):
    """The base64 is cut short, or is not in canonical form."""


class BadDeflate(MalformedTicket):
    """What the base64 holds is no zlib stream, or a damaged one.

    Attributes:
        truncated: whether the stream is intact but ends too early.
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


class Mismatch(TicketRefused, Generic[T]):
    """The ticket is another one than expected.

    Attributes:
        expected: a kind of ticket, an algorithm, an sdkAppId, a userId or a room.
        found: the ticket's own.
    """

    _sentence: ClassVar[str]

    def __init__(self, expected: T, found: T) -> None:
        super().__init__(self._sentence.format(expected=expected, found=found))
        self.expected = expected
        self.found = found


class WrongKind(Mismatch[str]):
    """A userSig where a privateMapKey must stand, or the reverse."""

    user_sig_code = 70009
    _sentence = "This is a {found}, where a {expected} is expected."


class NoKey(TicketRefused):
    """There is no key to check the signature with."""

    user_sig_code = 70016

    def __init__(self) -> None:
        super().__init__("The application has no key to check the ticket with.")


class WrongAlgorithm(Mismatch[str]):
    """The ticket is signed with another algorithm than the application's keys."""

    user_sig_code = 70009
    _sentence = (
        "Two algorithms are mixed up: the ticket is {found}, the application's key {expected}. Its"
        " issuer uses an old key, or that of another application."
    )


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


class WrongApplication(Mismatch[int]):
    """The ticket belongs to another application."""

    user_sig_code = 70014
    _sentence = "The ticket belongs to another application, {found}."


class WrongUser(Mismatch[str]):
    """The ticket belongs to another user."""

    user_sig_code = 70013
    _sentence = "The ticket belongs to another user, {found}."


class WrongRoom(Mismatch[Room]):
    """The privateMapKey opens another room."""

    _sentence = "The ticket opens another room, {found!r}."

    def __str__(self) -> str:
        """Add a note where the two rooms look alike."""
        look_alike = str(self.expected) == str(self.found)
        return super().__str__() + (_LOOK_ALIKE if look_alike else "")


class InconsistentUserbuf(TicketRefused):
    """The userbuf of a privateMapKey names another user or application than its envelope.

    Its issuer joined two halves that don't belong together. Servers differ in which half they read,
    so neither is trusted.

    Attributes:
        member: what differs, ``userId`` or ``sdkAppId``.
    """

    def __init__(self, member: str) -> None:
        super().__init__(
            f"The ticket contradicts itself: its userbuf has another {member} than its envelope."
        )
        self.member = member


class LacksEnter(TicketRefused):
    """The privileges of a privateMapKey don't include entering the room; only `explain` checks it.

    Attributes:
        privileges: as bits.
    """

    private_map_key_code = -100006

    def __init__(self, privileges: int) -> None:
        super().__init__("The ticket's privileges lack enter (2), without which nobody gets in.")
        self.privileges = privileges


class NotYetValid(TicketRefused):
    """The ticket's time lies in the future.

    Tencent lists no code of its own for this, so it has the codes of an expired ticket.

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
