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

CONTESTED: Final = 40_000
"""Ms that a leave waits longer where others have said since that the member is there.

In that time they send a heartbeat, if they send any, and say so again.
"""

RETURN: Final = 8_000
"""Ms that every leave waits that rests on lists: so long a network switch or a flap may take."""

WITNESS: Final = 10_000
"""Ms that a leave waits if it lacks two witnesses, times three; if three, times six; and so on.

None waits longer than a report may lag.
"""

LEASE: Final = 4 * 3600 * 1000
"""Ms after the last news of a room for which a member without heartbeats stays in it."""

LEASE_BEATING: Final = 150_000
"""Ms for which one that sends heartbeats stays in a room of two after it was last heard of, ..."""

LEASE_BEATING_EACH: Final = 120_000
"""... and for each other member of a larger room, since there each sends them less often."""

MOST_BEATING: Final = 64
"""Members of whom a head knows that they send heartbeats; further ones keep the room's lease."""

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
        began: since when it held.
        noted: when the signal that led to it came in.
    """

    hash: str
    began: int
    noted: int


class Pending(NamedTuple):
    """Members that lists have stopped naming, and who leave unless they are named again.

    A list that is without nearly everyone must not make the head large, so of those who are in it
    and those who are not the fewer are written down.

    Attributes:
        t: since when they are not named, by the first evidence.
        noted: when that was folded, or up to `CONTESTED` later.
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


SEEN: Final = 0
"""The version of a mark: somebody named a member that seemed to be gone, or Tencent saw it."""

SPOKE: Final = -1
"""Likewise: the member itself spoke."""


class RecentChange(NamedTuple):
    """A user that came or went a short while ago, or was seen again though it seemed to be gone.

    Attributes:
        digest: `digest_of` the user.
        t: when it did, or was.
        noted: when the signal that told of it came in.
        version: of the change that it is part of; `SEEN` or `SPOKE`: it was there before.
        present: it came, or was seen.
    """

    digest: str
    t: int
    noted: int
    version: int
    present: bool


class Lease(NamedTuple):
    """When a room was last heard of, in unix ms, as far as that was worth a write.

    Attributes:
        heard: by anything.
        agreed: by somebody who stated all that the head does; all of them were seen then.
    """

    heard: int = 0
    agreed: int = 0


class Beat(NamedTuple):
    """A member that has begun to send heartbeats.

    Attributes:
        user: the member.
        t: when it was last heard of, in unix ms, as far as that was worth a write.
    """

    user: str
    t: int


class Reconnect(NamedTuple):
    """A member that seemed to be gone and was seen again: one stay goes on.

    Attributes:
        user: the member.
        times: how often.
        t: the last time, in unix ms.
    """

    user: str
    times: int
    t: int


class Head(NamedTuple):
    """What a room's newest knowledge is, without the names of most of its members.

    Attributes:
        version: counts changes: folds and settlings that made transitions.
        revision: counts all changes of the head; a write is good only if it has not moved.
        hash: of the members that are not about to leave: what one who sees all of them states.
        floor: unix ms; nothing that is not newer brings anybody into the room.
        began: since when the hash holds.
        noted: when the signal that led to it came in.
        size: how many members there are, those about to leave among them.
        lease: when the room was last heard of.
        ring: older hashes, the newest first.
        pending: who is about to leave, by the evidence.
        marks: who came and went of late, the newest first.
        beats: which members send heartbeats.
        reconnects: which members seemed to be gone and were seen again.
    """

    version: int = 0
    revision: int = 0
    hash: str = EMPTY
    floor: int = 0
    began: int = 0
    noted: int = 0
    size: int = 0
    lease: Lease = Lease()
    ring: tuple[PastState, ...] = ()
    pending: tuple[Pending, ...] = ()
    marks: tuple[RecentChange, ...] = ()
    beats: tuple[Beat, ...] = ()
    reconnects: tuple[Reconnect, ...] = ()

    @property
    def heard(self) -> int:
        """Unix ms of the last signal; may lag, since small renewals are not written."""
        return self.lease.heard

    @property
    def lease_ends(self) -> int:
        """When everyone is gone, in unix ms, if nothing more is heard of the room."""
        if len(self.beats) < self.size:
            return self.lease.heard + LEASE
        return max((self.beating_until(beat) for beat in self.beats), default=0)

    @property
    def lease_beating(self) -> int:
        """Ms for which a member that sends heartbeats stays in the room without being heard of."""
        return min(LEASE, max(LEASE_BEATING, LEASE_BEATING_EACH * (self.size - 1)))

    def beating_until(self, beat: Beat) -> int:
        """When a member that sends heartbeats is gone, in unix ms, if it isn't heard of again."""
        return max(beat.t, self.lease.agreed) + self.lease_beating

    def leaving(self, members: Iterable[str]) -> dict[str, Pending]:
        """Who is about to leave, and by what evidence."""
        return {user: group for group in self.pending for user in group.users(members)}

    def is_leaving(self, member: str) -> bool:
        """Whether one of the members is about to leave."""
        return any((member in group.names) != group.others for group in self.pending)

    def needed(self, pending: Pending) -> int:
        """How many witnesses a leave needs: more where more leave by its first one's word."""
        first = pending.witnesses[0]
        leavers = sum(group.size for group in self.pending if group.witnesses[0] == first)
        return min(1 + ceil(log2(1 + leavers)), max(2, self.size - 1))

    def lacking(self, pending: Pending) -> int:
        """How many witnesses a leave lacks."""
        return self.needed(pending) - len(pending.witnesses)

    def ends_waiting(self, pending: Pending) -> int:
        """When a leave counts, in unix ms.

        One that lacks a single witness waits no longer than one that lacks none: where two are
        present there is none to be had, and elsewhere it would cost a write to know of it.
        """
        lacks = self.lacking(pending)
        if lacks <= 1:
            return pending.noted + RETURN
        return pending.noted + min(LAGGARD, WITNESS * lacks * (lacks + 1) // 2)

    def stops(self) -> tuple[PastState, ...]:
        """The hash that holds now, and older ones, newest first."""
        return (PastState(self.hash, self.began, self.noted), *self.ring)
