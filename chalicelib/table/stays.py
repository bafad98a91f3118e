"""Writing sessions: each change of a room opens and closes the stays of its users.

What a room's changes make of one user's stays comes in its order, but again and again: all from a
failure on is repeated. So a session has a mark of what was last written into it, and what is older,
or the same once more, does not touch it.

A stay that goes on has no ttl, since none can be known to outlast it. Every room is closed in the
end, by its lease at the latest, and so is every stay; from then on it is kept as long as the room's
history.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.table.rooms import DAY
from chalicelib.table.sessions import (
    Evidence,
    Session,
    session_item,
    session_of,
    session_sk,
    user_pk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.roster.members import Transition
    from chalicelib.table.items import Items
    from chalicelib.table.rooms import Change

PAGE: Final = 24
"""Sessions read at once to find the one that ends: together about 4 KB, which is one strong read.

It is among the first, unless its user went through so many other rooms meanwhile.
"""


class SessionUpdate(NamedTuple):
    """What one change makes of a user's stays: a join, a leave, or a join and its leave.

    Attributes:
        change: the change.
        join: the join; None: there is none.
        leave: the leave, likewise; with a join, that one's.
    """

    change: Change
    join: Transition | None = None
    leave: Transition | None = None


class Sessions:
    """The sessions of all users.

    Args:
        items: of the event table.
        history_days: days that a session is kept after its end.
    """

    def __init__(self, items: Items, history_days: int) -> None:
        self._items = items
        self._history_days = history_days

    def write(self, turn: SessionUpdate) -> bool | None:
        """Write a turn into the sessions of its user; to do it again changes nothing.

        Returns:
            Whether a session was opened or closed; None: there is none to close. It has expired, or
            was never written.

        Raises:
            StoreUnavailable: it may be written or not.
        """
        change, join, leave = turn
        if join is None:
            return None if leave is None else self._close(change, leave)
        # One that ended in the same ms goes on: twice it cannot stand there.
        mark = _mark(change, joined=True)
        session = Session(change.ref, join.user, join.t, _evidence(join), mark=mark)
        return self._put(session if leave is None else _ended(session, leave), anew=True)

    def _close(self, change: Change, leave: Transition) -> bool | None:
        session = self._newest(change, leave)
        mark = _mark(change, joined=False)
        if session is not None and session.mark >= mark:
            return False
        if session is None or session.left is not None:
            return None
        ended = _ended(session, leave)._replace(mark=mark)
        return self._put(ended, anew=False)

    def _put(self, session: Session, *, anew: bool) -> bool:
        left = session.left
        ttl = None if left is None else left // 1000 + self._history_days * DAY
        return self._items.put_newer(session_item(session, ttl), session.mark, anew=anew)

    def _newest(self, change: Change, leave: Transition) -> Session | None:
        """The user's newest session in the room that had begun by the leave."""
        pk = user_pk(change.ref.sdk_app_id, leave.user)
        first, last = {"S": session_sk(0, change.ref)}, {"S": session_sk(leave.t, change.ref)}
        for item in self._items.range(pk, first, last, newest_first=True, page=PAGE):
            session = session_of(item)
            if session.ref == change.ref:
                return session
        return None


def turns_of(change: Change) -> Iterator[tuple[str, SessionUpdate]]:
    """What a change makes of stays, with whose they are; one user's in their order."""
    users: dict[str, list[SessionUpdate]] = defaultdict(list)
    for each in change.transitions:
        turns = users[each.user]
        if each.joined:
            turns.append(SessionUpdate(change, join=each))
        elif turns and turns[-1].leave is None:
            turns[-1] = turns[-1]._replace(leave=each)
        else:
            turns.append(SessionUpdate(change, leave=each))
    for user, turns in users.items():
        for turn in turns:
            yield user, turn


def _mark(change: Change, *, joined: bool) -> int:
    """Counts changes, and in each what came after a leave."""
    return 2 * change.version + joined


def _ended(session: Session, leave: Transition) -> Session:
    return session._replace(left=leave.t, left_by=_evidence(leave))


def _evidence(transition: Transition) -> Evidence:
    return Evidence(transition.by, transition.source, transition.reason)
