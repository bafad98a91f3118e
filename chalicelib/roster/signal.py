"""Signals: what clients, relays and Tencent say about who is in a room."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet


class Kind(StrEnum):
    """What kind of thing was said."""

    LIST = "list"
    HEARTBEAT = "heartbeat"
    LEFT = "left"
    ENTERED = "entered"


class Source(StrEnum):
    """Who vouches for it."""

    CLIENT = "client"
    RELAY = "relay"
    TENCENT = "tencent"


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
            entered (by Tencent: 103).
        source: who vouches for it.
        user: who says it; if Tencent does, whom it is about.
        t: unix ms at which it was true: received less the age by the client's own clock, or
            Tencent's EventMsTs.
        received: unix ms at which it came in first, as it is stored.
        order: its place among the user's reports; Tencent's callbacks have none.
        hash: of a list: `set_hash` of all that it says are in the room; of a heartbeat: the hash
            that it echoes.
        listed: whom a list names. That its reporter is in the room as well goes without saying, so
            it may be named or not.
        asked: this list answers a `resend`, so it is what the client sees now.
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


class PastReport(NamedTuple):
    """What a reporter said earlier: a stored list, or a stored "I left" (nobody is listed).

    A list is stored whole, or by what it differs in from the roster beside it.

    Attributes:
        order: its place among the reporter's reports.
        t: unix ms at which it was true.
        received: unix ms at which it came in.
        hash: of the set that it stated.
        members: how many it stated, the reporter among them.
        base: the version of the roster that plus and minus refer to; None: the empty one.
        plus: whom it named and that roster did not hold.
        minus: whom that roster held and it did not name.
    """

    order: Order
    t: int
    received: int
    hash: str
    members: int
    base: int | None = None
    plus: AbstractSet[str] = frozenset()
    minus: AbstractSet[str] = frozenset()


Recall: TypeAlias = "Callable[[], Sequence[PastReport]]"
"""Reads the reporter's two newest stored reports, the newest first.

The one that is being folded is among them if it is that new; heartbeats are not.
"""
