"""The row of the lake: one transition of one user, or one report.

The columns, in their order, with Glue's types; all but the two marked ones always have a value:

    v       int      version of this schema: 1
    id      string   names the row: a repeat has the same id, and the same value in each column
    ev      string   join, leave or report
    app     bigint   the application, sdkAppId
    room    string   the room's key: 123, or s:<base64url> of a string room
    user    string   who came or went; of a report: who reports
    t       bigint   unix ms at which it happened, by the first evidence; of a report: at which its
                     list was true
    ver     bigint   which change of its room it belongs to: 1, 2, 3 …        (null for reports)
    delta   int      1 for a join, -1 for a leave, 0 for a report
    source  string   who vouches for it: client, relay or tencent
    reason  string   why it is believed, `chalicelib.roster.members.Reason`   (null for reports)
    lag_ms  bigint   ms from t until it was recorded; t + lag_ms is unix ms
    by      string   the user whose word it was; of a report: its reporter     (null: nobody's word)
    confirmed  int   1 if it was the user's own word, or Tencent's; else 0

The id of a transition is ``app/room/ver/ordinal``, its place among those of its change counted from
0; that of a report is ``app/room/user/epoch/seq``. A row without a value leaves its column out.

A change that an older reader would misread makes a new version; columns are only ever added.

::

    ValueError
    └── BadRow   .column .reason   a row that is not as the schema says
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from chalicelib.roster.members import Reason
from chalicelib.roster.signal import Source
from chalicelib.trtc.identifiers import (
    BadIdentifier,
    check_sdk_app_id,
    check_user_id,
    parse_room_key,
)

VERSION: Final = 1

COLUMNS: Final = {
    "v": "int",
    "id": "string",
    "ev": "string",
    "app": "bigint",
    "room": "string",
    "user": "string",
    "t": "bigint",
    "ver": "bigint",
    "delta": "int",
    "source": "string",
    "reason": "string",
    "lag_ms": "bigint",
    "by": "string",
    "confirmed": "int",
}
"""Glue's type of each column, in the order of the table."""

JOIN: Final = "join"
LEAVE: Final = "leave"
REPORT: Final = "report"

_MOST_MS: Final = 10**13
"""Times are 13 digits in the table's keys: until the year 2286."""
_MOST_VERSION: Final = 10**10
"""Versions are 10 digits there."""

_SOURCES: Final = frozenset(Source)
_BOTH: Final = {Reason.REPLAY}
_JOINS: Final = {Reason.LISTED, Reason.ENTERED}
_REASONS: Final = {JOIN: frozenset(_JOINS | _BOTH), LEAVE: frozenset(set(Reason) - _JOINS)}
_DELTAS: Final = {JOIN: 1, LEAVE: -1, REPORT: 0}

_ORDINAL: Final = re.compile(r"[0-9]+")
_EPOCH_AND_SEQ: Final = re.compile(r"[0-9]+/[0-9]+")


class Row(NamedTuple):
    """One row; what its columns mean stands above."""

    v: int
    id: str
    ev: str
    app: int
    room: str
    user: str
    t: int
    ver: int | None
    delta: int
    source: str
    reason: str | None
    lag_ms: int
    by: str | None
    confirmed: int

    @property
    def recorded(self) -> int:
        """Unix ms at which it was recorded."""
        return self.t + self.lag_ms


class BadRow(ValueError):
    """A row that is not as the schema says.

    Attributes:
        column: the first one that is wrong.
        reason: what is wrong with it; it does not repeat the value.
    """

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(column, reason)
        self.column = column
        self.reason = reason

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.column} {self.reason}"


def check_row(row: Row) -> None:
    """Hold a row to the schema; raises `BadRow`.

    One bad row can fail all of a Firehose record, so none may come that far.
    """
    if row.v != VERSION:
        raise BadRow("v", f"is not {VERSION}")
    if row.ev not in _DELTAS:
        raise BadRow("ev", "is none of the events")
    try:
        check_sdk_app_id(row.app)
        _check_room_key(row.room)
        check_user_id(row.user)
        _check_by(row)
    except BadIdentifier as error:
        column = {"sdkAppId": "app", "userId": "user"}.get(error.field, "room")
        raise BadRow(column, error.reason) from None
    _check_numbers(row)
    if row.source not in _SOURCES:
        raise BadRow("source", "is none of the sources")
    _check_event(row)


def row_text(row: Row) -> str:
    """A row as one line of JSON, without the line feed.

    Args:
        row: held to the schema by `check_row`: no text in it has a character that JSON escapes.
            Written out, it takes a third of the encoder's time.
    """
    v, id_, ev, app, room, user, t, ver, delta, source, reason, lag_ms, by, confirmed = row
    start = (
        f'{{"v":{v},"id":"{id_}","ev":"{ev}","app":{app},"room":"{room}","user":"{user}","t":{t}'
    )
    if ver is None:
        last = f'"by":"{by}","confirmed":{confirmed}}}'
        return f'{start},"delta":{delta},"source":"{source}","lag_ms":{lag_ms},{last}'
    last = f'"confirmed":{confirmed}}}' if by is None else f'"by":"{by}","confirmed":{confirmed}}}'
    end = f'"source":"{source}","reason":"{reason}","lag_ms":{lag_ms},{last}'
    return f'{start},"ver":{ver},"delta":{delta},{end}'


# Batches are of few rooms and many rows.
_check_room_key = lru_cache(maxsize=1024)(parse_room_key)


def _check_by(row: Row) -> None:
    if row.by is not None:
        try:
            check_user_id(row.by)
        except BadIdentifier as error:
            raise BadRow("by", error.reason) from None
    if row.ev == REPORT and row.by != row.user:
        raise BadRow("by", "is not the reporter")
    if type(row.confirmed) is not int or row.confirmed not in {0, 1}:
        raise BadRow("confirmed", "is neither 0 nor 1")


def _check_numbers(row: Row) -> None:
    for column, value in (("t", row.t), ("lag_ms", row.lag_ms), ("delta", row.delta)):
        if type(value) is not int:
            raise BadRow(column, "is no whole number")
    if not 0 < row.t < _MOST_MS:
        raise BadRow("t", "is no unix time in ms")
    if not -_MOST_MS < row.lag_ms < _MOST_MS:
        raise BadRow("lag_ms", "is longer than any time there is")


def _check_event(row: Row) -> None:
    """Hold to the schema what differs by event."""
    if row.delta != _DELTAS[row.ev]:
        raise BadRow("delta", f"is not that of a {row.ev}")
    if row.ev == REPORT:
        if row.ver is not None or row.reason is not None:
            raise BadRow("ver" if row.ver is not None else "reason", "is nothing that a report has")
        _check_id(row, row.user, _EPOCH_AND_SEQ)
        return
    if type(row.ver) is not int or not 0 < row.ver < _MOST_VERSION:
        raise BadRow("ver", "is no version of a room")
    if row.reason not in _REASONS[row.ev]:
        raise BadRow("reason", f"is none of a {row.ev}")
    _check_id(row, row.ver, _ORDINAL)


def _check_id(row: Row, whose: str | int, rest: re.Pattern[str]) -> None:
    start = f"{row.app}/{row.room}/{whose}/"
    if not row.id.startswith(start) or not rest.fullmatch(row.id, len(start)):
        raise BadRow("id", "is not that of the row")
