"""Pace: when a member should send its next heartbeat.

A lease that is renewed for all at once is the room's, so the heartbeats' rate is the room's too:
about one in 20 s, however many members there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from chalicelib.roster.head import Head

EACH: Final = 20_000
"""Ms between heartbeats, times the members of the room."""

LONGEST: Final = 180_000
"""Ms between a member's heartbeats at most: a lease of three or more members holds two of these."""

SOON: Final = 20_000
"""Ms, where somebody is about to leave and others may still say that it is there."""

JITTER: Final = 0.2
"""Part of the time by which it is shorter or longer, so that members don't stay in step."""


def heartbeat_after(head: Head, chance: float) -> int:
    """Ms after which a member should send its next heartbeat, if its list does not change before.

    Args:
        head: the room's head.
        chance: a number from 0 to 1.
    """
    whole = min(LONGEST, EACH * max(1, head.size))
    if head.pending:
        whole = min(whole, SOON)
    return max(EACH, int(whole * (1 - JITTER + 2 * JITTER * chance)))
