"""The fold: a head and a signal make the next head, and transitions.

What a list does, in the order of what it costs to find out:

1.  It states what the head states: nothing changes, but it witnesses leaves that wait for
    witnesses, and renews the lease. Nothing is read.
2.  It was true when it was seen, and is no longer; or it was before, and its reporter cannot know
    better: stale. Nothing is read.
3.  Its reporter said something newer; or it is older than the newest list, or states an older set,
    and its reporter was not seen to know better: stale. The reporter's last two reports are read.
4.  Else it is news: those join whom it names, and those are about to leave whom it does not. The
    members are read.

A signal that is folded twice changes nothing the second time. All is pure: what must be read is
handed in as functions, which are called only where they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.authoritative import entered, went
from chalicelib.roster.head import STRAGGLER
from chalicelib.roster.members import replay
from chalicelib.roster.merge import NewsFrom, merge
from chalicelib.roster.reporters import Claim, cannot_know, position
from chalicelib.roster.signal import Kind
from chalicelib.roster.timeouts import settled_parts
from chalicelib.roster.transforms import Outcome, Step, finished, heard_by, renewed, witnessed

if TYPE_CHECKING:
    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Load, Transition
    from chalicelib.roster.signal import Recall, Signal


class Folded(NamedTuple):
    """What became of a head.

    Attributes:
        head: the next head; the very same one if there is nothing to write.
        transitions: who came and went, in this order. There are some if and only if the version is
            another.
        outcome: what the signal did. The head may differ all the same: by what was due, by a lease.
        resend: the client should send its list again, as it is now.
    """

    head: Head
    transitions: tuple[Transition, ...]
    outcome: Outcome
    resend: bool


def fold(
    head: Head, signal: Signal, *, now: int, members: Load, recall: Recall, most: int
) -> Folded:
    """Fold a signal into a room.

    What is due by now is settled first, so that no roster is shown that is taken back later.

    Args:
        head: the room's head; ``Head()`` for a room that was never seen.
        signal: what was said, as it is stored; of what came in twice, the first is stored.
        now: unix ms; for a signal that just came in, when it did.
        members: reads the room's members as of the head's version.
        recall: reads the two newest reports of the signal's user in this room, the newest first,
            whatever their tokens; the signal itself may be among them.
        most: most members of the room; further ones join when others have left.
    """
    if signal.t > signal.received:  # A clock that is ahead of ours cannot order what is to come.
        signal = signal._replace(t=signal.received)
    settled, due = settled_parts(head, now, members)
    roster = (lambda: replay(members(), due)) if due else members
    step = _folded(settled, signal, now, roster, recall, most)
    transitions = (*due, *step.transitions)
    return Folded(finished(head, step.head, transitions), transitions, step.outcome, step.resend)


def _folded(  # noqa: PLR0917 (what fold was given)
    head: Head, signal: Signal, now: int, members: Load, recall: Recall, most: int
) -> Step:
    if signal.kind is Kind.LIST:
        return _list(head, signal, now, members, recall, most)
    if signal.kind is Kind.HEARTBEAT:
        return _heartbeat(head, signal, now, members)
    if signal.kind is Kind.LEFT:
        return went(head, signal, now, members, recall)
    return entered(head, signal, now, members, most)


def _list(  # noqa: PLR0917 (likewise)
    head: Head, signal: Signal, now: int, members: Load, recall: Recall, most: int
) -> Step:
    if signal.hash == head.hash:
        return _agrees(renewed(head, signal.t), signal, now, members)
    if _is_outdated(head, signal) or cannot_know(head, signal):
        return Step(head, outcome=Outcome.STALE)
    said = recall()
    if said and said[0].order > signal.order:
        return Step(head, outcome=Outcome.STALE)
    before = next((each for each in said if each.order < signal.order), None)
    blinked = before is not None and before.members == 1 < head.size
    hearing = Claim(signal, before, blinked)
    t = signal.t
    if hearing.reached(head):
        t = max(t, head.t + 1)
    elif t <= head.t or hearing.straggles(head):
        return Step(head, outcome=Outcome.STALE)
    return merge(NewsFrom(renewed(head, signal.t), members(), hearing, t, now), most)


def _heartbeat(head: Head, signal: Signal, now: int, members: Load) -> Step:
    """A sign of life, and perhaps a witness; where its hash is unknown, the list is wanted."""
    head = renewed(head, signal.t, beating=True)
    if signal.hash == head.hash:
        return _agrees(head, signal, now, members)
    stops = head.stops()
    at = position(stops, signal.hash, signal.received)
    lags = at is not None and signal.t <= stops[max(at - 1, 0)].began + STRAGGLER
    return Step(head, outcome=Outcome.UNCHANGED, resend=not lags)


def _agrees(head: Head, signal: Signal, now: int, members: Load) -> Step:
    """Somebody sees what the head states, so it is a witness of all leaves that wait for some.

    If it was one already, nothing is new, even where fewer are needed since others have left: to
    fold a signal twice changes nothing.
    """
    heard = heard_by(head, signal.user, signal.t)
    if heard == head:
        return Step(head, outcome=Outcome.UNCHANGED)
    head, transitions = witnessed(heard, now=now, members=members)
    outcome = Outcome.APPLIED if transitions else Outcome.UNCHANGED
    return Step(head, tuple(transitions), outcome)


def _is_outdated(head: Head, signal: Signal) -> bool:
    """Whether a list was true at its time, and the room went on to another set since.

    Not if a leave rests on its reporter's word: the reporter may be taking that back.
    """
    stops = head.stops()
    at = position(stops, signal.hash, signal.received)
    if not at or signal.t > stops[at - 1].began:
        return False
    return not any(signal.user in group.witnesses for group in head.pending)
