"""The row of the lake: one transition of one user, or one report.

`Row` declares the columns: their order, types, meaning, and which may be null. DuckDB's view,
Glue's table and the rows' JSON are made from that declaration. The id of a transition is
``app/room/ver/ordinal``, where the ordinal counts the transitions of the change from 0. The id of a
report is ``app/room/user/epoch/seq``. A redelivered row has the same id and the same values. JSON
leaves null columns out.

Columns are only ever added. A change that an older reader would misread makes a new version.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Final, NamedTuple, get_type_hints

from chalicelib.roster.members import Reason
from chalicelib.roster.signal import Source
from chalicelib.stream.errors import BadRow
from chalicelib.trtc.identifiers import (
    BadIdentifier,
    check_sdk_app_id,
    check_user_id,
    parse_room_key,
)

VERSION: Final = 1

JOIN: Final = "join"
LEAVE: Final = "leave"
REPORT: Final = "report"

_MOST_MS: Final = 10**13
"""Times have 13 digits in the table's keys, which is enough until the year 2286."""
_MOST_VERSION: Final = 10**10
"""Versions have 10 digits there."""

_SOURCES: Final = frozenset(Source)
_BOTH: Final = {Reason.REPLAY}
_JOINS: Final = {Reason.LISTED, Reason.ENTERED}
_REASONS: Final = {JOIN: frozenset(_JOINS | _BOTH), LEAVE: frozenset(set(Reason) - _JOINS)}
_DELTAS: Final = {JOIN: 1, LEAVE: -1, REPORT: 0}

_ORDINAL: Final = re.compile(r"[0-9]+")
_EPOCH_AND_SEQ: Final = re.compile(r"[0-9]+/[0-9]+")


class Column(NamedTuple):
    """What Glue is told of a column.

    Attributes:
        type: Glue's: ``int`` (32 bits), ``bigint`` (64 bits) or ``string``.
        comment: what the column holds; at most 255 characters (AWS: Glue, Column).
    """

    type: str
    comment: str


class Row(NamedTuple):
    """One row; each column with its meaning. ``None`` is null."""

    v: Annotated[int, Column("int", "version of this schema")]
    id: Annotated[str, Column("string", "names the row; a repeat has the same id and values")]
    ev: Annotated[str, Column("string", "join, leave or report")]
    app: Annotated[int, Column("bigint", "the application: sdkAppId")]
    room: Annotated[str, Column("string", "the room's key: 123, or s:<base64url> of a string room")]
    user: Annotated[str, Column("string", "who came or went; of a report: who reports")]
    t: Annotated[int, Column("bigint", "unix ms at which it happened, by the first evidence")]
    ver: Annotated[int | None, Column("bigint", "its room's change, from 1; null for reports")]
    delta: Annotated[int, Column("int", "1 for a join, -1 for a leave, 0 for a report")]
    source: Annotated[str, Column("string", "who vouches for it: client, relay or tencent")]
    reason: Annotated[str | None, Column("string", "why it is believed; null for reports")]
    lag_ms: Annotated[int, Column("bigint", "ms from t until it was recorded")]
    by: Annotated[str | None, Column("string", "the user whose word it was; null: nobody's")]
    confirmed: Annotated[int, Column("int", "1: the user's own word, or Tencent's; else 0")]

    @property
    def recorded(self) -> int:
        """Unix ms at which it was recorded."""
        return self.t + self.lag_ms


COLUMNS: Final[dict[str, Column]] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Row, include_extras=True).items()
}
"""The columns by name, in the order of the table."""

_TEXTS: Final = {name for name, column in COLUMNS.items() if column.type == "string"}


def check_row(row: Row) -> None:
    """Check a row against the schema, because a bad row can fail all of its Firehose record.

    Raises:
        BadRow: it breaks the schema.
    """
    if row.v != VERSION:
        raise BadRow("v", f"is not {VERSION}")
    if row.ev not in _DELTAS:
        raise BadRow("ev", "is no event")
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
        raise BadRow("source", "is no source")
    _check_event(row)


def row_text(row: Row) -> str:
    """A row as one line of JSON, without the line feed.

    Args:
        row: has passed `check_row`, so no text in it has a character that JSON escapes. So it is
            formatted, which takes a fraction of the encoder's time.
    """
    if None not in row:
        return _COMPLETE % row
    names, values = zip(
        *((name, it) for name, it in zip(COLUMNS, row, strict=True) if it is not None), strict=True
    )
    return _template(names) % values


@lru_cache
def _template(names: tuple[str, ...]) -> str:
    """The format of a row of which some columns have values."""
    members = [f'"{name}":"%s"' if name in _TEXTS else f'"{name}":%s' for name in names]
    return "{" + ",".join(members) + "}"


_COMPLETE: Final = _template(tuple(COLUMNS))


# A batch holds many rows of few rooms.
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
            raise BadRow(column, "is no integer")
    if not 0 < row.t < _MOST_MS:
        raise BadRow("t", "is no unix time in ms")
    if not -_MOST_MS < row.lag_ms < _MOST_MS:
        raise BadRow("lag_ms", "is too long")


def _check_event(row: Row) -> None:
    """Check the columns whose rules differ by event."""
    if row.delta != _DELTAS[row.ev]:
        raise BadRow("delta", f"does not fit a {row.ev}")
    if row.ev == REPORT:
        if row.ver is not None or row.reason is not None:
            raise BadRow("ver" if row.ver is not None else "reason", "must be null for a report")
        _check_id(row, row.user, _EPOCH_AND_SEQ)
        return
    if type(row.ver) is not int or not 0 < row.ver < _MOST_VERSION:
        raise BadRow("ver", "is no version of a room")
    if row.reason not in _REASONS[row.ev]:
        raise BadRow("reason", f"is no reason of a {row.ev}")
    _check_id(row, row.ver, _ORDINAL)


def _check_id(row: Row, whose: str | int, rest: re.Pattern[str]) -> None:
    start = f"{row.app}/{row.room}/{whose}/"
    if not row.id.startswith(start) or not rest.fullmatch(row.id, len(start)):
        raise BadRow("id", "does not fit the row")
