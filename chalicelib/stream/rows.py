"""Makes rows of the lake from items of the event table.

    change   R#<app>#<room key>          T#<version>       one row for each transition
    report   P#<app>#<room key>#<user>   E#<epoch>#<seq>   one row, if reports are exported

Other items make no row. An item always makes the same rows, whether the exporter reads it from the
stream or a backfill from the table.
"""

from __future__ import annotations

import zlib
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from chalicelib.stream.errors import BadItem
from chalicelib.stream.row import JOIN, LEAVE, REPORT, VERSION, Row
from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.rooms import change_of

StoredItem = Mapping[str, Mapping[str, Any]]
"""An item in the form of DynamoDB's low-level API, binary values as bytes."""

_UNREADABLE = (ValueError, TypeError, AttributeError, IndexError, RecursionError, zlib.error)


def rows_of_record(record: Mapping[str, Any], *, reports: bool) -> list[Row]:
    """The rows of a stream record, before `check_row`.

    Only a record of an inserted item makes rows: neither `users forget`, which replaces an item,
    nor the end of its ttl makes them again.

    Args:
        record: as Lambda delivers it.
        reports: whether reports make rows.

    Raises:
        BadItem: the item is a change or a report that this version of Roomgate can't read.
    """
    if record["eventName"] != "INSERT":
        return []
    try:
        item = _with_bytes(record["dynamodb"]["NewImage"])
    except KeyError as error:
        raise BadItem(f"{error.args[0]} is missing") from error
    except _UNREADABLE as error:
        raise BadItem("the transitions are no base64") from error
    return rows_of(item, reports=reports)


def rows_of(item: StoredItem, *, reports: bool = False) -> list[Row]:
    """The rows of an item, before `check_row`.

    Args:
        item: the item.
        reports: whether reports make rows.

    Raises:
        BadItem: the item is a change or a report that this version of Roomgate can't read.
    """
    try:
        kind, sort = item["pk"]["S"][:2], item["sk"]["S"][:2]
        if (kind, sort) == ("R#", "T#"):
            return _change_rows(item)
        return [_report_row(item)] if reports and (kind, sort) == ("P#", "E#") else []
    except KeyError as error:
        raise BadItem(f"{error.args[0]!s:.40} is missing") from error
    except _UNREADABLE as error:
        raise BadItem(f"{type(error).__name__}: the item is not as Roomgate writes it") from error


def _with_bytes(item: StoredItem) -> StoredItem:
    """An item of a stream record with bytes for base64, as Lambda delivers binary values.

    Only ``transitions`` is ever large enough to be stored as binary.
    """
    transitions = item.get("transitions", {})
    if "B" not in transitions:
        return item
    return {**item, "transitions": {"B": b64decode(transitions["B"])}}


def _change_rows(item: StoredItem) -> list[Row]:
    change = change_of(item)
    app, version = change.ref.sdk_app_id, change.version
    room = item["pk"]["S"].rpartition("#")[2]  # As stored: a room has one key only.
    return [
        Row(
            v=VERSION,
            id=f"{app}/{room}/{version}/{ordinal}",
            ev=JOIN if transition.joined else LEAVE,
            app=app,
            room=room,
            user=transition.user,
            t=transition.t,
            ver=version,
            delta=1 if transition.joined else -1,
            source=transition.source,
            reason=transition.reason,
            lag_ms=change.at - transition.t,
            by=transition.by or None,
            confirmed=int(transition.confirmed),
        )
        for ordinal, transition in enumerate(change.transitions)
    ]


def _report_row(item: StoredItem) -> Row:
    reporter = ReporterKey.of(item["pk"]["S"])
    app, room, user = reporter.sdk_app_id, reporter.room.key, reporter.user_id
    epoch, seq = map(int, item["sk"]["S"].removeprefix("E#").split("#"))
    seq = int(item["seq"]["N"]) if "seq" in item else seq
    age = int(item["age"]["N"])
    return Row(
        v=VERSION,
        id=f"{app}/{room}/{user}/{epoch}/{seq}",
        ev=REPORT,
        app=app,
        room=room,
        user=user,
        t=int(item["received"]["N"]) - age,
        ver=None,
        delta=0,
        source=item["source"]["S"],
        reason=None,
        lag_ms=age,
        by=user,
        confirmed=1,
    )
