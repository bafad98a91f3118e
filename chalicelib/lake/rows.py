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

import json
import zlib
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from chalicelib.events.packing import unsqueeze
from chalicelib.lake.row import JOIN, LEAVE, REPORT, VERSION, Row
from chalicelib.roster.forms import transitions_of

Image = Mapping[str, Mapping[str, Any]]
"""An item in DynamoDB's low-level form; binary as bytes, or as base64, as Lambda hands it over."""

_TEXT, _SQUEEZED = "S", "B"
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
    return rows_of(record["dynamodb"].get("NewImage", {}), reports=reports)


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


def _change_rows(image: Image) -> list[Row]:
    _, app, room = image["pk"]["S"].split("#")
    version = int(image["sk"]["S"].removeprefix("T#"))
    at = int(image["at"]["N"])
    transitions = transitions_of(json.loads(_text_of(image["transitions"])))
    return [
        Row(
            v=VERSION,
            id=f"{int(app)}/{room}/{version}/{place}",
            ev=JOIN if each.joined else LEAVE,
            app=int(app),
            room=room,
            user=each.user,
            t=each.t,
            ver=version,
            delta=1 if each.joined else -1,
            source=each.source,
            reason=each.reason,
            lag_ms=at - each.t,
        )
        for place, each in enumerate(transitions)
    ]


def _report_row(image: Image) -> Row:
    _, app, room, user = image["pk"]["S"].split("#")
    epoch, seq = map(int, image["sk"]["S"].removeprefix("E#").split("#"))
    age = int(image["age"]["N"])
    return Row(
        v=VERSION,
        id=f"{int(app)}/{room}/{user}/{epoch}/{seq}",
        ev=REPORT,
        app=int(app),
        room=room,
        user=user,
        t=int(image["received"]["N"]) - age,
        ver=None,
        delta=0,
        source=image["source"]["S"],
        reason=None,
        lag_ms=age,
    )


def _text_of(value: Mapping[str, Any]) -> str:
    if _TEXT in value:
        text: str = value[_TEXT]
        return text
    squeezed = value[_SQUEEZED]
    return unsqueeze(b64decode(squeezed) if isinstance(squeezed, str) else squeezed)
