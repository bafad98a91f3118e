"""Writing sessions: each change of a room opens and closes the stays of its users.

A room's changes come in their order, but again and again: all from a failure on is repeated. So a
session knows the version of the change that was last written into it, and an older one, or the same
once more, does not touch it.

A stay that goes on has no ttl, since none can be known to outlast it. Every room is closed in the
end, by its lease at the latest, and so is every stay; from then on it is kept as long as the room's
history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.events.rooms import DAY
from chalicelib.events.sessions import (
    Evidence,
    Session,
    session_item,
    session_of,
    session_sk,
    user_pk,
)

if TYPE_CHECKING:
    from chalicelib.events.operations import Items
    from chalicelib.events.rooms import Change
    from chalicelib.roster.members import Transition

PAGE: Final = 24
"""Sessions read at once to find the one that ends: together about 4 KB, which is one strong read.

It is among the first, unless its user went through so many other rooms meanwhile.
"""


class Written(NamedTuple):
    """What a change made of sessions.

    Attributes:
        sessions: how many it opened and closed.
        missing: how many leaves had no session to close: it had expired, or was never written.
    """

    sessions: int = 0
    missing: int = 0


class Stays:
    """The sessions of all users.

    Args:
        items: of the event table.
        history_days: days that a session is kept after its end.
    """

    def __init__(self, items: Items, history_days: int) -> None:
        self._items = items
        self._history_days = history_days

    def write(self, change: Change) -> Written:
        """Write a change into the sessions of its users; to do it again changes nothing.

        Raises:
            StoreUnavailable: some may be written, others not.
        """
        done = [
            self._open(change, each) if each.joined else self._close(change, each)
            for each in change.transitions
        ]
        return Written(done.count(True), done.count(None))

    def _open(self, change: Change, join: Transition) -> bool:
        session = Session(change.ref, join.user, join.t, _evidence(join), version=change.version)
        # One stands there already if the user left and came in one ms: then it has not left.
        return self._items.put_newer(session_item(session, None), change.version, anew=True)

    def _close(self, change: Change, leave: Transition) -> bool | None:
        """Close the stay that a leave ends; False: that is done, None: there is none."""
        session = self._newest(change, leave)
        if session is not None and session.version >= change.version:
            return False
        if session is None or session.left is not None:
            return None
        ended = session._replace(left=leave.t, left_by=_evidence(leave), version=change.version)
        ttl = leave.t // 1000 + self._history_days * DAY
        return self._items.put_newer(session_item(ended, ttl), change.version, anew=False)

    def _newest(self, change: Change, leave: Transition) -> Session | None:
        """The user's newest session in the room that had begun by the leave."""
        pk = user_pk(change.ref.sdk_app_id, leave.user)
        first, last = {"S": session_sk(0, change.ref)}, {"S": session_sk(leave.t, change.ref)}
        for item in self._items.range(pk, first, last, newest_first=True, page=PAGE):
            session = session_of(item)
            if session.ref == change.ref:
                return session
        return None


def _evidence(transition: Transition) -> Evidence:
    return Evidence(transition.by, transition.source, transition.reason)
