"""A room in which somebody says something, with times in ms since the start of the test."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from chalicelib.roster.signal import LAST_SEQ, Cause, Kind, Order, Signal, Source
from chalicelib.roster.view import set_hash
from simulation.rules import Roomgate

if TYPE_CHECKING:
    from chalicelib.roster.fold import Folded

T0 = 1_600_000_000_000
"""The start, in unix ms."""
EPOCH = T0 - 3_600_000
"""Of everyone's token: made long before."""


class Room(Roomgate):
    """A room."""

    def __init__(self) -> None:
        super().__init__()
        self._seqs: Counter[str] = Counter()

    @property
    def names(self) -> str:
        """Who is in it, those about to leave among them."""
        return " ".join(sorted(self.members))

    @property
    def leaving(self) -> str:
        """Who is about to leave."""
        return " ".join(sorted(self.head.leaving(self.members)))

    @property
    def story(self) -> list[str]:
        """All transitions as people would write them: ``+anna@5``."""
        return [f"{'-+'[each.joined]}{each.user}@{each.t - T0}" for each in self.timeline]

    def lists(
        self,
        users: str,
        t: int,
        *,
        late: int = 0,
        seq: int = 0,
        epoch: int = EPOCH,
        asked: bool = False,
    ) -> Folded:
        """The first user of several lists the others.

        Args:
            users: names with spaces between them.
            t: when that was true.
            late: ms until it comes in.
            seq: the report's; 0: the next of this user.
            epoch: the token's.
            asked: it answers a resend.
        """
        reporter, *others = users.split()
        self._seqs[reporter] = seq or self._seqs[reporter] + 1
        return self.hear(
            Signal(
                Kind.LIST,
                Source.CLIENT,
                reporter,
                T0 + t,
                T0 + t + late,
                Order(epoch, self._seqs[reporter]),
                set_hash([reporter, *others]),
                frozenset(others),
                asked,
            )
        )

    def beats(self, users: str, t: int, *, epoch: int = EPOCH) -> Folded:
        """The first user of several sends a heartbeat with the hash of a list of all of them."""
        now, (reporter, *_) = T0 + t, users.split()
        order, hash_ = Order(epoch, 0), set_hash(users.split())
        return self.hear(Signal(Kind.HEARTBEAT, Source.CLIENT, reporter, now, now, order, hash_))

    def leaves(self, user: str, t: int, *, late: int = 0, epoch: int = EPOCH) -> Folded:
        """A user says that it leaves."""
        order = Order(epoch, LAST_SEQ)
        return self.hear(Signal(Kind.LEFT, Source.CLIENT, user, T0 + t, T0 + t + late, order))

    def tencent(
        self, kind: Kind, user: str, t: int, *, late: int = 100, cause: Cause | None = None
    ) -> Folded:
        """Tencent calls back."""
        signal = Signal(kind, Source.TENCENT, user, T0 + t, T0 + t + late, cause=cause)
        return self.hear(signal)

    def hear(self, signal: Signal) -> Folded:
        """Fold a signal as it comes in."""
        self.take(signal)
        assert self.folded is not None
        return self.folded


def room_of(users: str, t: int = 0) -> Room:
    """A room in which all of some users have listed each other, one after the other."""
    room = Room()
    names = users.split()
    for at, name in enumerate(names):
        room.lists(" ".join([name, *(each for each in names if each != name)]), t + at)
    return room
