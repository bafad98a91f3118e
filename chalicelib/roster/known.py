"""What a fold knows beside the head, and what it says it lacks.

A fold is pure: it reads nothing. Where the head is not enough it says what it needs; whoever
called it reads that and calls again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.roster.members import Member
    from chalicelib.roster.signal import PastReport

MOST_PAST: Final = 3
"""Newest stored reports of one reporter that a list is compared with."""

MOST_RECENT: Final = 8
"""Likewise a heartbeat, and a list that was asked for."""


class Read(StrEnum):
    """What is read.

    MEMBERS: the room's members as of its head's version, those about to leave among them.
    PAST: the newest `MOST_PAST` stored reports of the signal's user in this room, whatever their
    tokens; the one that is folded is among them if it is that new. RECENT: `MOST_RECENT` of them,
    as they stood a moment ago, which costs half. WORDS: the newest stored report of each of some
    users.
    """

    MEMBERS = "members"
    PAST = "past"
    RECENT = "recent"
    WORDS = "words"


class Needs(NamedTuple):
    """What a fold lacks.

    Attributes:
        read: what is to be read.
        users: whose reports, where that is asked for.
    """

    read: Read
    users: tuple[str, ...] = ()


class Lacking(Exception):
    """Ends a fold that lacks something.

    Attributes:
        needs: what it lacks.
    """

    def __init__(self, needs: Needs) -> None:
        super().__init__(needs)
        self.needs = needs


class Known(NamedTuple):
    """What was read so far. Each method ends the fold where that has not been read.

    Attributes:
        members: see `Read`, as the rest.
        past: the newest first.
        recent: likewise.
        words: by user; None for one that has reported nothing.
    """

    members: Mapping[str, Member] | None = None
    past: tuple[PastReport, ...] | None = None
    recent: tuple[PastReport, ...] | None = None
    words: Mapping[str, PastReport | None] = {}

    def roster(self) -> Mapping[str, Member]:
        """The members."""
        if self.members is None:
            raise Lacking(Needs(Read.MEMBERS))
        return self.members

    def reports(self) -> tuple[PastReport, ...]:
        """The newest reports of the signal's user."""
        if self.past is None:
            raise Lacking(Needs(Read.PAST))
        return self.past

    def recent_reports(self) -> tuple[PastReport, ...]:
        """More of them, perhaps without one that was stored a moment ago."""
        if self.recent is None:
            raise Lacking(Needs(Read.RECENT))
        return self.recent

    def last_words(self, users: tuple[str, ...]) -> Mapping[str, PastReport | None]:
        """The newest report of each of some users."""
        missing = tuple(user for user in users if user not in self.words)
        if missing:
            raise Lacking(Needs(Read.WORDS, missing))
        return self.words
