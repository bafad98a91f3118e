"""Rows from the items of the event table.

    change   R#<app>#<room key>          T#<version>       a row for each of its transitions
    report   P#<app>#<room key>#<user>   E#<epoch>#<seq>   a row, if reports are asked for

All other items make no row. The same item always makes the same rows, whoever reads it: the
exporter from the stream, or a backfill from the table.

::

    ValueError
    └── BadImage   .reason   a change or report that cannot be read
"""

from __future__ import annotations

import zlib
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from chalicelib.stream.row import JOIN, LEAVE, REPORT, VERSION, Row
from chalicelib.table.item_keys import ReporterKey
from chalicelib.table.rooms import change_of

Image = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB's low-level API has it, binary as bytes."""

_UNREADABLE = (ValueError, TypeError, AttributeError, IndexError, RecursionError, zlib.error)


class BadImage(ValueError):
    """A change or report that cannot be read.

    Attributes:
        reason: what went wrong; it does not repeat what the item holds.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def exported_rows(record: Mapping[str, Any], *, reports: bool) -> list[Row]:
    """The rows that a record of the table's stream makes; none is held to the schema yet.

    What is put once makes rows once: not when `users forget` changes it, nor when TTL ends it.

    Args:
        record: as Lambda hands it over.
        reports: whether reports make rows.

    Raises:
        BadImage: it is of a change or report, but not as this version of Roomgate writes them.
    """
    if record["eventName"] != "INSERT":
        return []
    try:
        image = _with_bytes(record["dynamodb"]["NewImage"])
    except KeyError as error:
        raise BadImage(f"{error.args[0]} is missing") from error
    except _UNREADABLE as error:
        raise BadImage("the transitions are no base64") from error
    return rows_of(image, reports=reports)


def rows_of(image: Image, *, reports: bool = False) -> list[Row]:
    """The rows that an item makes; none is held to the schema yet.

    Args:
        image: the item.
        reports: whether reports make rows.

    Raises:
        BadImage: it is a change or report, but not as this version of Roomgate writes them.
    """
    try:
        kind, sort = image["pk"]["S"][:2], image["sk"]["S"][:2]
        if (kind, sort) == ("R#", "T#"):
            return _change_rows(image)
        return [_report_row(image)] if reports and (kind, sort) == ("P#", "E#") else []
    except KeyError as error:
        raise BadImage(f"{error.args[0]!s:.40} is missing") from error
    except _UNREADABLE as error:
        raise BadImage(f"{type(error).__name__}: it is not as such items are written") from error


def _with_bytes(image: Image) -> Image:
    """An image as DynamoDB's API has it: Lambda hands binary over as base64.

    Of no other attribute that rows are made from is there so much that it is binary.
    """
    transitions = image.get("transitions", {})
    if "B" not in transitions:
        return image
    return {**image, "transitions": {"B": b64decode(transitions["B"])}}


def _change_rows(image: Image) -> list[Row]:
    change = change_of(image)
    app, version = change.ref.sdk_app_id, change.version
    room = image["pk"]["S"].rpartition("#")[2]  # As it was read, since a room has one key only.
    return [
        Row(
            v=VERSION,
            id=f"{app}/{room}/{version}/{place}",
            ev=JOIN if each.joined else LEAVE,
            app=app,
            room=room,
            user=each.user,
            t=each.t,
            ver=version,
            delta=1 if each.joined else -1,
            source=each.source,
            reason=each.reason,
            lag_ms=change.at - each.t,
            by=each.by or None,
            confirmed=int(each.confirmed),
        )
        for place, each in enumerate(change.transitions)
    ]


def _report_row(image: Image) -> Row:
    place = ReporterKey.of(image["pk"]["S"])
    app, room, user = place.sdk_app_id, place.room.key, place.user_id
    epoch, seq = map(int, image["sk"]["S"].removeprefix("E#").split("#"))
    seq = int(image["seq"]["N"]) if "seq" in image else seq
    age = int(image["age"]["N"])
    return Row(
        v=VERSION,
        id=f"{app}/{room}/{user}/{epoch}/{seq}",
        ev=REPORT,
        app=app,
        room=room,
        user=user,
        t=int(image["received"]["N"]) - age,
        ver=None,
        delta=0,
        source=image["source"]["S"],
        reason=None,
        lag_ms=age,
        by=user,
        confirmed=1,
    )
