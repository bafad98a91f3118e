"""A room folded once more from all that is stored of it, beside what its roster says.

Heartbeats are not stored, so a replay knows nothing of leases: it takes over who left by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.fold import fold
from chalicelib.roster.head import Head, Lease
from chalicelib.roster.members import Reason, replay
from chalicelib.roster.settle import settled_members
from chalicelib.roster.view import set_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chalicelib.events.rooms import Change
    from chalicelib.roster.members import Member
    from chalicelib.roster.signal import Said, Signal


class Story(NamedTuple):
    """What is stored of a room.

    Attributes:
        version: of the roster that the replay begins with.
        members: that roster.
        changes: all since, oldest first.
        signals: reports and callbacks since, in the order in which they came in.
        said: what each user reported since, newest first.
    """

    version: int
    members: Mapping[str, Member]
    changes: Sequence[Change]
    signals: Sequence[Signal]
    said: Mapping[str, Sequence[Said]]


def replayed(story: Story, now: int, most: int) -> set[str]:
    """Who is in the room by all that is stored of it.

    Args:
        story: all that.
        now: unix ms.
        most: most members of the room.
    """
    members = dict(story.members)
    began = story.changes[0].at if story.changes else now
    head = Head(
        version=story.version,
        revision=story.version,
        hash=set_hash(members),
        t=max((each.since for each in members.values()), default=0),
        began=began if story.version else 0,
        size=len(members),
    )
    for signal in story.signals:
        head = head._replace(lease=Lease(signal.received))
        so_far = [said for said in story.said.get(signal.user, ()) if said.order <= signal.order]
        folded = fold(
            head,
            signal,
            now=signal.received,
            members=lambda: members,  # noqa: B023 (called before the next turn)
            recall=lambda: so_far[:2],  # noqa: B023 (likewise)
            most=most,
        )
        head, members = folded.head, replay(members, folded.transitions)
    head = head._replace(lease=Lease(now))
    return set(settled_members(head, now, members)) - _left_by_lease(story)


def _left_by_lease(story: Story) -> set[str]:
    """Who left since nothing was heard of the room, and has not been heard of since."""
    last = {
        each.user: (each.reason, change.at)
        for change in story.changes
        for each in change.transitions
    }
    heard = {user: said[0].received for user, said in story.said.items() if said}
    return {
        user
        for user, (reason, at) in last.items()
        if reason is Reason.LEASE and heard.get(user, 0) <= at
    }


def users_of(changes: Iterable[Change], members: Iterable[str]) -> set[str]:
    """Everyone who can have reported of a room: who was in it, and by whose word."""
    named = {name for change in changes for each in change.transitions for name in each[1:4:2]}
    return {name for name in {*named, *members} if isinstance(name, str) and name}
