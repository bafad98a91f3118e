"""The head of a room: the small part of its state, which every report is compared with.

All times are unix ms. The members are kept apart: most reports can be folded without them.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from math import ceil, log2
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.roster.view import set_hash

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from chalicelib.roster.signal import Source

STRAGGLER: Final = 5_000
"""Ms by which an ordinary report may lag behind another: delivery, posting, a retry."""

LAGGARD: Final = 150_000
"""Ms by which one may that waited in a queue (two minutes) or whose age is wrong (a suspended app).

So long, a reporter that was not seen to know of a change cannot undo it.
"""

GRACE: Final = 10_000
"""Ms that a leave waits if it lacks one witness; each further one makes it wait so much longer.

One that lacks two waits three times that, and so on; but none waits longer than a report may lag.
"""

LEASE: Final = 4 * 3600 * 1000
LEASE_BEATING: Final = 150_000
"""Ms for which a room stays open when nothing is heard of it: after a heartbeat was seen."""

RING: Final = 32
"""Older heads that are remembered by their hash."""

MOST_MARKS: Final = 1024
"""Users that came or went of late who are remembered: a few bytes each, for `LAGGARD`."""

EMPTY: Final = set_hash(())

DIGEST: Final = 5
"""Characters of a digest: of 1,024 marks one is mistaken for a user's in a million looks."""


def digest_of(user: str) -> str:
    """A few characters for a userid, by which a mark names it in little space."""
    return urlsafe_b64encode(sha256(user.encode()).digest()[:6]).decode()[:DIGEST]


class PastState(NamedTuple):
    """A set that the head stated for a while.

    Attributes:
        hash: of the set.
        said: the hash of the list that led to it, where that is another: what contradicted newer
            knowledge was left out.
        began: since when it held.
        noted: when the signal that led to it came in.
    """

    hash: str
    said: str
    began: int
    noted: int


class Pending(NamedTuple):
    """Members that lists have stopped naming, and who leave unless they are named again.

    A list that is without nearly everyone must not make the head large, so of those who are in it
    and those who are not the fewer are written down.

    Attributes:
        t: since when they are not named, by the first evidence.
        noted: when that was folded.
        source: who vouches for it.
        size: how many are about to leave.
        others: they are all members but the names; else they are the names.
        names: see others.
        witnesses: reporters whose lists are without all of them; the first one's was the first.
    """

    t: int
    noted: int
    source: Source
    size: int
    others: bool
    names: frozenset[str]
    witnesses: tuple[str, ...]

    def users(self, members: Iterable[str]) -> list[str]:
        """Who is about to leave.

        Args:
            members: all of the room; needed only where others is true.
        """
        if self.others:
            return sorted(user for user in members if user not in self.names)
        return sorted(self.names)

    def keep(self, users: Collection[str]) -> Pending:
        """The same without some users that are about to leave and are to stay."""
        names = self.names.union(users) if self.others else self.names.difference(users)
        return self._replace(size=self.size - len(users), names=names)

    def joined(self, users: Iterable[str]) -> Pending:
        """The same in a room that some users have joined."""
        return self._replace(names=self.names.union(users)) if self.others else self


class RecentChange(NamedTuple):
    """A user that came or went a short while ago.

    Attributes:
        digest: `digest_of` the user.
        t: when it did.
        noted: when the signal that told of it came in.
        version: of the change that it is part of.
        present: it came.
    """

    digest: str
    t: int
    noted: int
    version: int
    present: bool


class Lease(NamedTuple):
    """Until when the room stays open without news.

    Attributes:
        heard: when it was last heard of, as far as that was worth a write.
        beating: a heartbeat was seen since the room was empty.
    """

    heard: int = 0
    beating: bool = False

    @property
    def length(self) -> int:
        """How long the lease runs."""
        return LEASE_BEATING if self.beating else LEASE

    @property
    def ends(self) -> int:
        """When it is over."""
        return self.heard + self.length


class Head(NamedTuple):
    """What a room's newest knowledge is, without the names of its members.

    Attributes:
        version: counts changes: folds and settlings that made transitions.
        revision: counts all changes of the head; a write is good only if it has not moved.
        hash: of the members that are not about to leave: what a list is expected to state.
        said: the hash of the list that led here, where that is another (see `PastState`).
        t: of the newest list that was folded in.
        began: since when the hash holds.
        noted: when the signal that led to it came in.
        size: how many members there are, those about to leave among them.
        lease: until when the room stays open without news.
        ring: older hashes, the newest first.
        pending: who is about to leave, by the evidence.
        marks: who came and went of late, the newest first.
    """

    version: int = 0
    revision: int = 0
    hash: str = EMPTY
    said: str = ""
    t: int = 0
    began: int = 0
    noted: int = 0
    size: int = 0
    lease: Lease = Lease()
    ring: tuple[PastState, ...] = ()
    pending: tuple[Pending, ...] = ()
    marks: tuple[RecentChange, ...] = ()

    @property
    def heard(self) -> int:
        """When the room was last heard of, in unix ms, as far as that was worth a write."""
        return max(self.lease.heard, self.t)

    def leaving(self, members: Iterable[str]) -> dict[str, Pending]:
        """Who is about to leave, and by what evidence."""
        return {user: group for group in self.pending for user in group.users(members)}

    def needed(self) -> int:
        """How many witnesses a leave needs now: the more are missing, the more; all but one do."""
        leavers = sum(group.size for group in self.pending)
        return max(1, min(1 + ceil(log2(1 + leavers)), self.size - 1))

    def ends_waiting(self, pending: Pending) -> int:
        """When a leave counts, though it lacks witnesses."""
        lacks = max(1, self.needed() - len(pending.witnesses))
        return pending.noted + min(LAGGARD, GRACE * lacks * (lacks + 1) // 2)

    def stops(self) -> tuple[PastState, ...]:
        """The hash that holds now, and older ones, newest first."""
        return (PastState(self.hash, self.said, self.began, self.noted), *self.ring)
