"""Rooms whose story is told outright: this version, at that time, by those transitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chalicelib.roster.fold import Folded
from chalicelib.roster.head import Lease
from chalicelib.roster.members import Reason, Transition, replay
from chalicelib.roster.signal import Source
from chalicelib.roster.transforms import Outcome
from chalicelib.roster.view import set_hash
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.sessions import Evidence, Session, encode_session
from chalicelib.table.table import EventTable, Retention
from tests.support.reports import TABLE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.roster.head import Pending
    from chalicelib.table.rooms import RoomState
    from chalicelib.trtc import Room

KEPT = Retention(reports=7, history=90)


def came(user: str, t: int, by: str | None = None, source: Source = Source.CLIENT) -> Transition:
    """A user came; by its own word, unless another's is named."""
    reason = Reason.ENTERED if source is Source.TENCENT else Reason.LISTED
    return Transition(True, user, t, user if by is None else by, source, reason)


def went(user: str, t: int, by: str = "", reason: Reason = Reason.GRACE) -> Transition:
    """A user went."""
    return Transition(False, user, t, by, Source.CLIENT, reason)


OWN_WORD: Final = Evidence("anna", Source.CLIENT, Reason.LISTED)
"""Anna's, that she is there."""


def put_sessions(dynamodb: DynamoDBClient, *sessions: Session) -> None:
    """Store sessions."""
    for session in sessions:
        dynamodb.put_item(TableName=TABLE, Item=encode_session(session, session.joined))


class Story:
    """One room in an event table.

    Attributes:
        ref: the room.
        table: the table.
    """

    def __init__(
        self, client: DynamoDBClient, name: str, sdk_app_id: int, room: Room, kept: Retention = KEPT
    ) -> None:
        self.ref = RoomKey(sdk_app_id, room)
        self.table = EventTable(client, name, kept)

    @property
    def version(self) -> int:
        """How far the story has got."""
        return self.table.room(self.ref).head.version

    def tell(
        self, at: int, *transitions: Transition, pending: tuple[Pending, ...] = ()
    ) -> RoomState:
        """Write the next version, which is recorded ``at`` (unix ms), when the room is heard of."""
        room = self.table.room(self.ref)
        members = self.table.members(room)
        after = replay(members, transitions)
        leaving = {user for group in pending for user in group.users(after)}
        head = room.head._replace(
            version=room.head.version + 1,
            revision=room.head.revision + 1,
            hash=set_hash(after.keys() - leaving),
            size=len(after),
            pending=pending,
            lease=Lease(at),
        )
        folded = Folded(head, transitions, Outcome.APPLIED, resend=False)
        return self.table.commit(room, folded, lambda: members, at)
