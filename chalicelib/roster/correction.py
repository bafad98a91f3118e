"""A correction: an operator has a room replayed, and lets the result count.

History is never rewritten. What was wrong is put right by one more change, of today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.roster.fold import Folded
from chalicelib.roster.members import Reason, Transition
from chalicelib.roster.signal import Source
from chalicelib.roster.transforms import Outcome, counted, finished, heard_at, marks_of, turned
from chalicelib.roster.view import set_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Member


def correct(
    head: Head, members: Mapping[str, Member], wanted: AbstractSet[str], now: int
) -> Folded:
    """Let a room hold other members than it does.

    Args:
        head: the room's head.
        members: who is in the room, those about to leave among them.
        wanted: who should be; nobody of them is about to leave then.
        now: unix ms; all who come or go do so now.
    """
    leaves = [
        _transition(user, max(now, members[user].since), joined=False)
        for user in sorted(members.keys() - wanted)
    ]
    joins = [_transition(user, now, joined=True) for user in sorted(wanted - members.keys())]
    transitions = (*leaves, *joins)
    if not transitions:
        return Folded(head, (), Outcome.UNCHANGED, resend=False)
    after = turned(head._replace(pending=()), set_hash(wanted), began=now, noted=now)
    after = after._replace(floor=max(after.floor, now))
    after = counted(after, transitions, marks_of(head, transitions, now), now=now)
    after = finished(head, heard_at(after, now), transitions)
    return Folded(after, transitions, Outcome.APPLIED, resend=False)


def _transition(user: str, t: int, *, joined: bool) -> Transition:
    return Transition(joined, user, t, "", Source.CLIENT, Reason.REPLAY)
