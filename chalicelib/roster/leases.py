"""Leases: how long a member stays in a room of which, or of whom, nothing is heard.

A member that has begun to send heartbeats stays by its own lease: until it is silent for some
minutes, and nobody who sees everyone has agreed meanwhile. The others stay by the room's. A lease
is written down again once a part of it has gone, which spares most writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.roster.head import LEASE, MOST_BEATING, Beat, Lease

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.roster.head import Head


def renewed(head: Head, t: int) -> Head:
    """Renew the room's lease, if a quarter of it or more has gone."""
    lease = head.lease
    if t - lease.heard < LEASE // 4:
        return head
    return head._replace(lease=lease._replace(heard=t))


def agreed(head: Head, t: int) -> Head:
    """The same, by somebody who stated all that the head does: everyone was seen in the room."""
    lease = head.lease
    if head.beats and t - lease.agreed >= head.lease_beating // 4:
        return head._replace(lease=Lease(max(lease.heard, t), t))
    return renewed(head, t)


def beating(head: Head, user: str, named: Iterable[str], t: int) -> Head:
    """Remember that a member sends heartbeats, and that it was heard of.

    Args:
        head: the head; the user is a member.
        user: who sends the heartbeat.
        named: whom its last list names: where that is written down as well, they were seen.
        t: when, in unix ms.
    """
    beats = {beat.user: beat.t for beat in head.beats}
    known = max(beats[user], head.lease.agreed) if user in beats else None
    if known is None and len(beats) >= MOST_BEATING:
        return renewed(head, t)
    if known is not None and t - known < head.lease_beating // 3:
        return renewed(head, t)
    seen = {user, *(other for other in named if other in beats)}
    beats |= {other: max(beats.get(other, 0), t) for other in seen}
    head = head._replace(beats=tuple(Beat(*each) for each in sorted(beats.items())))
    return head._replace(lease=head.lease._replace(heard=max(head.lease.heard, t)))
