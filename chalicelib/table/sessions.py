"""Sessions: from the join of one user in one room to its leave, written by keeper from changes.

Changes of one room arrive in order, but may be redelivered from any failure on. So a session holds
a mark of the change that was last written into it, and no change with the same or a lower mark
touches it.

An open session has no ttl, since none is certain to outlast it. Every room is closed in the end, at
the latest by its lease, and so is every session. From its end on it is kept as long as the room's
history.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.roster.members import Reason
from chalicelib.roster.signal import Source
from chalicelib.table.item_codec import NUMBER, ItemCodec, optional, tuple_of
from chalicelib.table.item_keys import (
    Item,
    RoomKey,
    parse_session_key,
    session_key,
    session_sk,
    user_pk,
)
from chalicelib.table.rooms import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chalicelib.roster.members import Transition
    from chalicelib.table.items import Items
    from chalicelib.table.rooms import Change
    from chalicelib.trtc.identifiers import Room

PAGE: Final = 24
"""Sessions read at once to find the one that ends: about 4 KB, which is one strong read.

It is among them unless its user went through that many other rooms meanwhile.
"""


class Evidence(NamedTuple):
    """Why one end of a session is believed.

    Attributes:
        by: the userid whose word it was; empty: nobody's.
        source: who vouches for that word.
        reason: of the transition.
    """

    by: str
    source: Source
    reason: Reason


def _evidence(by: str, source: str, reason: str) -> Evidence:
    return Evidence(by, Source(source), Reason(reason))


_SESSION: Final = ItemCodec(
    joinedBy=tuple_of(_evidence),
    left=optional(NUMBER),
    leftBy=optional(tuple_of(_evidence)),
    mark=NUMBER,
    ttl=optional(NUMBER),
)


class Session(NamedTuple):
    """One session.

    Attributes:
        ref: the room.
        user_id: the user.
        joined: unix ms of the join.
        joined_by: the evidence of the join.
        left: unix ms of the leave; None: the session is open, as far as is known.
        left_by: the evidence of the leave, or None.
        mark: grows with each change that is written into it.
    """

    ref: RoomKey
    user_id: str
    joined: int
    joined_by: Evidence
    left: int | None = None
    left_by: Evidence | None = None
    mark: int = 0

    @property
    def room(self) -> Room:
        """The room, without its application."""
        return self.ref.room

    @property
    def confirmed(self) -> bool:
        """Whether the user itself, or Tencent, vouches for one end; else only other users do."""
        ends = [self.joined_by, *([self.left_by] if self.left_by else [])]
        return any(
            end.by == self.user_id or (end.source is Source.TENCENT and not end.by) for end in ends
        )

    @property
    def duration(self) -> int | None:
        """Its length in ms; None: it is open."""
        return None if self.left is None else self.left - self.joined


def encode_session(session: Session, ttl: int | None) -> Item:
    """The item of a session.

    Args:
        session: the session.
        ttl: unix seconds after which DynamoDB may delete it; None: it is open.
    """
    return _SESSION.encode(
        session_key(session.ref, session.user_id, session.joined),
        joinedBy=session.joined_by,
        left=session.left,
        leftBy=session.left_by,
        mark=session.mark,
        ttl=ttl,
    )


def decode_session(item: Mapping[str, Mapping[str, Any]]) -> Session:
    """The session in an item that `encode_session` made."""
    ref, user, joined = parse_session_key(item)
    values = _SESSION.decode(item)
    ends = (values["left"], values["leftBy"])
    return Session(ref, user, joined, values["joinedBy"], *ends, values["mark"])


class SessionUpdate(NamedTuple):
    """What a change does to a session of one user: opens it, closes it, or both.

    Attributes:
        change: the change.
        join: the join that opens it, or None.
        leave: the leave that closes it, or None.
    """

    change: Change
    join: Transition | None = None
    leave: Transition | None = None

    @property
    def user(self) -> str:
        """The userid whose session it is."""
        transition = self.join or self.leave
        assert transition is not None
        return transition.user


def session_updates(change: Change) -> Iterator[SessionUpdate]:
    """What a change does to sessions; the updates of one user come in their order."""
    users: dict[str, list[SessionUpdate]] = defaultdict(list)
    for transition in change.transitions:
        updates = users[transition.user]
        if transition.joined:
            updates.append(SessionUpdate(change, join=transition))
        elif updates and updates[-1].leave is None:
            updates[-1] = updates[-1]._replace(leave=transition)
        else:
            updates.append(SessionUpdate(change, leave=transition))
    for updates in users.values():
        yield from updates


class SessionWriter:
    """Writes the sessions of all users.

    Args:
        items: of the event table.
        history_days: days that a session is kept after its end.
    """

    def __init__(self, items: Items, history_days: int) -> None:
        self._items = items
        self._history_days = history_days

    def write(self, update: SessionUpdate) -> bool | None:
        """Write an update; writing it again changes nothing.

        Returns:
            Whether a session was opened or closed; None: there is none to close, because it expired
            or was never written.

        Raises:
            StoreUnavailable: it may be written or not.
        """
        change, join, leave = update
        if join is None:
            return None if leave is None else self._close(change, leave)
        # A session that ended in the same ms goes on: its key can't stand in the table twice.
        evidence, mark = _evidence_of(join), _mark(change, joined=True)
        session = Session(change.ref, join.user, join.t, evidence, mark=mark)
        return self._put(session if leave is None else _ended(session, leave), create=True)

    def _close(self, change: Change, leave: Transition) -> bool | None:
        session = self._newest(change, leave)
        mark = _mark(change, joined=False)
        if session is not None and session.mark >= mark:
            return False
        if session is None or session.left is not None:
            return None
        return self._put(_ended(session, leave)._replace(mark=mark), create=False)

    def _put(self, session: Session, *, create: bool) -> bool:
        left = session.left
        ttl = None if left is None else left // 1000 + self._history_days * DAY
        return self._items.put_newer(encode_session(session, ttl), session.mark, create=create)

    def _newest(self, change: Change, leave: Transition) -> Session | None:
        """The user's newest session in the room that began no later than the leave."""
        pk = user_pk(change.ref.sdk_app_id, leave.user)
        first, last = {"S": session_sk(0, change.ref)}, {"S": session_sk(leave.t, change.ref)}
        for item in self._items.range(pk, first, last, newest_first=True, page=PAGE):
            session = decode_session(item)
            if session.ref == change.ref:
                return session
        return None


def _mark(change: Change, *, joined: bool) -> int:
    """Counts changes, and within one change what came after a leave."""
    return 2 * change.version + joined


def _ended(session: Session, leave: Transition) -> Session:
    return session._replace(left=leave.t, left_by=_evidence_of(leave))


def _evidence_of(transition: Transition) -> Evidence:
    return Evidence(transition.by, transition.source, transition.reason)
