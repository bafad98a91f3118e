"""The fold: a head and a signal make the next head, and transitions.

Who is in the room? A user is in it if the newest evidence of its presence is newer than the newest
evidence of its leave.

Evidence of presence:  its own list; another's list that names it; Tencent's 103 and 105; where it
                       seemed to be gone also a heartbeat, its own or of one who still names it.
Evidence of a leave:   its own "I left"; Tencent's 104; a list without it whose reporter named it
                       before in the same stay; Tencent's 102 and 101; silence.

A list says nothing of those whom its reporter never named, since members need not see each other.
One that names nobody says nothing at all of others if its reporter has just entered: a client that
connects anew lists itself alone for a moment.

How long each takes:   joins, "I left" and callbacks count at once (`authoritative`); a leave by
                       lists waits for `head.RETURN`, longer where many leave by the word of a few
                       (`Head.ends_waiting`), and is dated at its first evidence; silence takes a
                       lease (`leases`).
Where things belong:   a type of callback in `callback`, what it does in `_folded` below and in
                       `authoritative`; a new reason in `members.Reason`.

What a list does, in the order of what it costs to find out:

1.  It states what the head states: nothing changes, but it may witness leaves that wait for
    witnesses, and renews leases. Nothing is read.
2.  It was true when it was seen, and is no longer: stale. Nothing is read.
3.  Its reporter said something newer: stale. The reporter's newest reports are read.
4.  Else it is news (`merge`). The members are read.

A signal that is folded twice changes nothing the second time. All is pure: a fold that lacks
something says what (`known.Needs`), and is called again with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.authoritative import ended, entered, went
from chalicelib.roster.heartbeats import agrees, heartbeat
from chalicelib.roster.known import Known, Lacking, Needs
from chalicelib.roster.leases import beating, renewed
from chalicelib.roster.members import replay
from chalicelib.roster.merge import NewsFrom, merge
from chalicelib.roster.reporters import claim_of, position
from chalicelib.roster.signal import Kind
from chalicelib.roster.timeouts import settled_parts
from chalicelib.roster.transforms import Outcome, Step, finished, marked

if TYPE_CHECKING:
    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Transition
    from chalicelib.roster.signal import Signal


class Folded(NamedTuple):
    """What became of a head.

    Attributes:
        head: the next head; the very same one if there is nothing to write.
        transitions: who came and went, in this order. There are some if and only if the version is
            another.
        outcome: what the signal did. The head may differ all the same: by what was due, by a lease.
        resend: the client should send its list again, as it is now.
        dropped: whom the signal named and who found no place in the room, sorted.
    """

    head: Head
    transitions: tuple[Transition, ...]
    outcome: Outcome
    resend: bool
    dropped: tuple[str, ...] = ()


def fold(head: Head, signal: Signal, known: Known, *, now: int, most: int) -> Folded | Needs:
    """Fold a signal into a room, or say what is lacking for that.

    What is due by now is settled first, so that no roster is shown that is taken back later.

    Args:
        head: the room's head; ``Head()`` for a room that was never seen.
        signal: what was said, as it is stored; of what came in twice, the first is stored.
        known: what was read of the room as of the head's version, and of the signal's user.
        now: unix ms; for a signal that just came in, when it did.
        most: most members of the room; further ones join when others have left.
    """
    try:
        settled, due = settled_parts(head, now, known)
        if due:
            known = known._replace(members=replay(known.roster(), due))
        # What is too old to be remembered is forgotten first: so a second fold sees the same.
        aged = marked(settled, (), now=now)
        step = _folded(aged, signal.dated(), known, now, most)
    except Lacking as lacking:
        return lacking.needs
    transitions = (*due, *step.transitions)
    after = finished(head, settled if step.head == aged else step.head, transitions)
    return Folded(after, transitions, step.outcome, step.resend, step.dropped)


def _folded(head: Head, signal: Signal, known: Known, now: int, most: int) -> Step:
    if signal.kind is Kind.LIST:
        return _list(head, signal, known, now, most)
    if signal.kind is Kind.HEARTBEAT:
        return heartbeat(head, signal, known, now)
    if signal.kind is Kind.LEFT:
        return went(head, signal, known, now)
    if signal.kind is Kind.ENTERED:
        return entered(head, signal, known, now, most)
    return ended(head, signal, known, now)


def _list(head: Head, signal: Signal, known: Known, now: int, most: int) -> Step:
    if signal.hash == head.hash:
        return agrees(head, signal, known)
    if _is_outdated(head, signal):
        return Step(head, outcome=Outcome.STALE)
    claim = claim_of(signal, known.reports(), known.recent_reports() if signal.asked else ())
    if claim is None:
        return Step(head, outcome=Outcome.STALE)
    members = known.roster()
    if any(beat.user == signal.user for beat in head.beats):
        head = beating(head, signal.user, signal.listed, signal.t)
    elif signal.user in members:
        head = renewed(head, signal.t)
    return merge(NewsFrom(head, members, claim, now), known, most)


def _is_outdated(head: Head, signal: Signal) -> bool:
    """Whether a list was true at its time, and the room went on to another set since.

    Not if a leave rests on its reporter's word, which may be taking that back.
    """
    stops = head.stops()
    at = position(stops, signal.hash, signal.received)
    if not at or signal.t > stops[at - 1].began:
        return False
    return not any(signal.user in group.witnesses for group in head.pending)
