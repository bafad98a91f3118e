"""The event table of the deployed stack, as the functions see it, for operators' commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.events.archive import Archive
from chalicelib.events.folder import Folder
from chalicelib.events.table import HISTORY_DAYS, REPORT_DAYS, EventTable, Kept
from chalicelib.roster.head import Lease
from chalicelib.roster.settle import settled_members
from roomgate.deployed import stack_of
from roomgate.errors import OperatorError

if TYPE_CHECKING:
    from chalicelib.events.rooms import RoomState
    from roomgate.session import Session

TABLE_VARIABLE = "ROOMGATE_TABLE"


class EventStore(NamedTuple):
    """One event table.

    Attributes:
        table: as the functions use it.
        folder: likewise.
        archive: all of its items.
    """

    table: EventTable
    folder: Folder
    archive: Archive

    def settled(self, room: RoomState, now: int) -> set[str]:
        """Who is in a room at unix ms ``now``, by its roster, if its lease has not ended."""
        head = room.head._replace(lease=Lease(now))
        return set(settled_members(head, now, self.table.members(room)))


def event_store(session: Session) -> EventStore:
    """The stack's event table, or the one that ROOMGATE_TABLE names.

    Raises:
        OperatorError: there is none.
    """
    name = os.environ.get(TABLE_VARIABLE)
    parameters: dict[str, str] = {}
    if not name:
        shared, webhook = stack_of(session, "shared"), stack_of(session, "webhook")
        if shared is None:
            raise OperatorError(
                f"There is no stack {session.stack}-shared here. Deploy it (make deploy), name "
                f"another with --stack, or name the event table in {TABLE_VARIABLE}."
            )
        name, parameters = shared.outputs["TableName"], webhook.parameters if webhook else {}
    kept = Kept(
        int(parameters.get("ReportDays") or REPORT_DAYS),
        int(parameters.get("HistoryDays") or HISTORY_DAYS),
    )
    table = EventTable(session.dynamodb, name, kept)
    return EventStore(table, Folder(table), Archive(session.dynamodb, name))
