"""Members and transitions: who is in a room, who came and who went, and by whose evidence."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.signal import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Reason(StrEnum):
    """Why a transition is believed.

    Of joins: LISTED by another or by itself, ENTERED (Tencent's 103 or 105).
    Of leaves: WITNESSED by as many lists as are asked for, GRACE (named gone, and nobody has said
    otherwise for as long as is waited), LEFT (said so itself, or Tencent's 104), TIMED_OUT and
    REMOVED (likewise, by the reason of the 104), DISMISSED (Tencent's 102, or a 101 after it),
    LEASE (nothing was heard of it for too long), DISPLACED (one that spoke needed the place of one
    that others had named).
    Of both: REPLAY, a correction that an operator asked for.
    """

    LISTED = "listed"
    ENTERED = "entered"
    WITNESSED = "witnessed"
    GRACE = "grace"
    LEFT = "left"
    TIMED_OUT = "timed-out"
    REMOVED = "removed"
    DISMISSED = "dismissed"
    DISPLACED = "displaced"
    LEASE = "lease"
    REPLAY = "replay"


class Member(NamedTuple):
    """A member of a room.

    Attributes:
        since: unix ms of its join.
        by: the user whose word brought it in: its own, or another's; empty: nobody's but Tencent's.
        source: who vouches for that word.
    """

    since: int
    by: str
    source: Source


def vouched_for(user: str, member: Member) -> bool:
    """Whether a member came by its own word, or Tencent's."""
    return member.by == user or member.source is Source.TENCENT


class Transition(NamedTuple):
    """A user came or went.

    Attributes:
        joined: it came; else it went.
        user: who.
        t: unix ms at which it did, by the first evidence; never before the one that it undoes.
        by: the user whose word was the first evidence; empty if it was nobody's.
        source: who vouches for that word.
        reason: why it is believed.
    """

    joined: bool
    user: str
    t: int
    by: str
    source: Source
    reason: Reason

    @property
    def confirmed(self) -> bool:
        """Whether it is the user's own word, or Tencent's."""
        return self.by == self.user or (self.source is Source.TENCENT and not self.by)


class BrokenTimeline(ValueError):
    """A transition that does not fit: a member joins, a stranger leaves, or before it came.

    Attributes:
        transition: the one that does not fit.
    """

    def __init__(self, transition: Transition) -> None:
        word = "joined" if transition.joined else "left"
        super().__init__(f"a user {word} at {transition.t} that cannot have, by what came before")
        self.transition = transition


def replay(
    members: Mapping[str, Member], transitions: Iterable[Transition], *, until: int | None = None
) -> dict[str, Member]:
    """Go on from a snapshot.

    Changes of several users may stand in another order than their times; those of one user never
    do. So a roster at a past moment is made from a snapshot in which nothing is later than that
    moment, and all transitions since, with ``until``.

    Args:
        members: a snapshot of the roster.
        transitions: those since, in the order of their versions.
        until: unix ms; transitions after it are passed over.

    Raises:
        BrokenTimeline: they do not follow from the snapshot.
    """
    roster = dict(members)
    for transition in transitions:
        if until is None or transition.t <= until:
            _apply(roster, transition)
    return roster


def _apply(roster: dict[str, Member], transition: Transition) -> None:
    member = roster.pop(transition.user, None)
    if (member is None) != transition.joined or (member and transition.t < member.since):
        raise BrokenTimeline(transition)
    if transition.joined:
        roster[transition.user] = Member(transition.t, transition.by, transition.source)
