"""Places: who finds one in a room that holds only so many.

Who speaks for itself goes before those who are merely named, and one reporter can't name so many
that nobody else finds a place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.roster.members import vouched_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.head import Head
    from chalicelib.roster.known import Known
    from chalicelib.roster.members import Member
    from chalicelib.roster.signal import Signal

NAMED_SHARE: Final = 2 / 3
"""Of a room's places: may be filled with those whom one reporter alone has named."""

CANDIDATES: Final = 3
"""Members that were merely named and whose own words are read, to find one to be displaced."""


class Places(NamedTuple):
    """Who finds a place.

    Attributes:
        joins: who joins, in this order.
        displaced: members that leave for it.
        dropped: who finds none, sorted.
    """

    joins: tuple[str, ...]
    displaced: AbstractSet[str] = frozenset()
    dropped: tuple[str, ...] = ()


def room_for(  # noqa: PLR0917 (what merge knows)
    head: Head,
    members: Mapping[str, Member],
    signal: Signal,
    came: Sequence[str],
    known: Known,
    most: int,
) -> Places:
    """Find places for those who come.

    Args:
        head: the room's head.
        members: who is in it.
        signal: the list that names them.
        came: those who come by it: its reporter first, if that comes as well.
        known: what was read: the last words of a few who may be displaced.
        most: places of the room.
    """
    free = most - head.size
    if len(came) <= min(free, int(most * NAMED_SHARE) - head.size):
        return Places(tuple(came))
    own = [user for user in came if user == signal.user]
    others = [user for user in came if user != signal.user]
    displaced: AbstractSet[str] = frozenset()
    if own and free < 1:
        displaced = displaceable(members, known)
        free += len(displaced)
    joins = own[: max(0, free)]
    named = sum(1 for user, it in members.items() if it.by == signal.user != user)
    quota = max(0, min(free - len(joins), int(most * NAMED_SHARE) - named))
    joins += others[:quota]
    return Places(tuple(joins), displaced, tuple(sorted({*came}.difference(joins))))


def displaceable(members: Mapping[str, Member], known: Known) -> AbstractSet[str]:
    """One member that others have named and that has never spoken, if there is one.

    Those go first whom the one has named who has named most.
    """
    named = {user: it for user, it in members.items() if not vouched_for(user, it)}
    counts: dict[str, int] = {}
    for member in named.values():
        counts[member.by] = counts.get(member.by, 0) + 1
    by_rank = sorted(named, key=lambda user: (-counts[named[user].by], -named[user].since, user))
    candidates = tuple(by_rank[:CANDIDATES])
    if not candidates:
        return frozenset()
    words = known.last_words(candidates)
    for user in candidates:
        word = words[user]
        if word is None or not word.members or word.received < members[user].since:
            return frozenset([user])
    return frozenset()
