"""The event table of the deployed stack, as the functions see it, for operators' commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.roster.head import Lease
from chalicelib.roster.timeouts import settled_members
from chalicelib.table.archive import Archive
from chalicelib.table.table import HISTORY_DAYS, REPORT_DAYS, EventTable, Retention
from chalicelib.table.writer import RoomWriter
from roomgate.operator.deployed import stack_of
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from chalicelib.table.rooms import RoomState
    from roomgate.commands.session import Session

TABLE_VARIABLE = "ROOMGATE_TABLE"


class EventStore(NamedTuple):
    """One event table.

    Attributes:
        table: as the functions use it.
        folder: likewise.
        archive: all of its items.
    """

    table: EventTable
    folder: RoomWriter
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
    kept = Retention(
        int(parameters.get("ReportDays") or REPORT_DAYS),
        int(parameters.get("HistoryDays") or HISTORY_DAYS),
    )
    table = EventTable(session.dynamodb, name, kept)
    return EventStore(table, RoomWriter(table), Archive(session.dynamodb, name))
