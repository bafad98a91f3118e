"""Signals: what clients, relays and Tencent say about who is in a room."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


LAST_SEQ: Final = 10**10 - 1
"""The seq of an "I left", whatever its client counts: nothing follows it under its token."""

BEFORE_EPOCH: Final = 60_000
"""Ms before its token was made at which a reporter can have seen something, at the earliest."""


class Kind(StrEnum):
    """What kind of thing was said."""

    LIST = "list"
    HEARTBEAT = "heartbeat"
    LEFT = "left"
    ENTERED = "entered"
    CREATED = "created"
    DISMISSED = "dismissed"


class Source(StrEnum):
    """Who vouches for it."""

    CLIENT = "client"
    RELAY = "relay"
    TENCENT = "tencent"


class Cause(StrEnum):
    """Why Tencent says that a user left or entered, where that is more than its own will."""

    RECONNECTED = "reconnected"
    TIMED_OUT = "timed-out"
    REMOVED = "removed"


class Order(NamedTuple):
    """The place of a report among those of its reporter; a greater one was said later.

    Attributes:
        epoch: when the reporter's token was made, in unix ms.
        seq: counts the reports under that token.
    """

    epoch: int
    seq: int


class Signal(NamedTuple):
    """One thing said about a room.

    Attributes:
        kind: a list, a heartbeat, or that a user left (said by itself, or by Tencent: 104) or
            entered (by Tencent: 103, 105), or that the room was created (101) or dismissed (102).
        source: who vouches for it.
        user: who says it; if Tencent does, whom it is about. Empty where it is about the room.
        t: unix ms at which it was true: received less the age by the client's own clock, or
            Tencent's EventMsTs.
        received: unix ms at which it came in first, as it is stored.
        order: its place among the user's reports; of a heartbeat only the epoch is known; Tencent's
            callbacks have none.
        hash: of a list: `set_hash` of all that it says are in the room; of a heartbeat: the hash
            that it echoes.
        listed: whom a list names. That its reporter is in the room as well goes without saying, so
            it may be named or not.
        asked: this list answers a `resend`, so it is what the client sees now.
        cause: why a user left or entered, as Tencent says it.
    """

    kind: Kind
    source: Source
    user: str
    t: int
    received: int
    order: Order = Order(0, 0)
    hash: str = ""
    listed: AbstractSet[str] = frozenset()
    asked: bool = False
    cause: Cause | None = None

    @property
    def stated(self) -> AbstractSet[str]:
        """Everyone who is in the room by a list: whom it names, and its reporter."""
        return {self.user, *self.listed}

    def dated(self) -> Signal:
        """The same at a time that can be: not after it came in, nor long before its token."""
        earliest = self.order.epoch - BEFORE_EPOCH
        return self._replace(t=min(max(self.t, earliest), self.received))


class PastReport(NamedTuple):
    """What a reporter said earlier: a stored list, or a stored "I left" (nobody is listed).

    A list is stored whole, or by what it differs in from the roster beside it.

    Attributes:
        order: its place among the reporter's reports.
        t: unix ms at which it was true.
        received: unix ms at which it came in.
        hash: of the set that it stated.
        members: how many it stated, the reporter among them; 0: it left.
        base: the version of the roster that plus and minus refer to; None: the empty one.
        plus: whom it named and that roster did not hold.
        minus: whom that roster held and it did not name.
        asked: it answered a `resend`.
    """

    order: Order
    t: int
    received: int
    hash: str
    members: int
    base: int | None = None
    plus: AbstractSet[str] = frozenset()
    minus: AbstractSet[str] = frozenset()
    asked: bool = False
