"""The event table: conditional writes and strong reads."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import ClientError

from chalicelib.events.dynamodb import error_code, passing_failures
from chalicelib.events.items import (
    Item,
    Place,
    Report,
    newest_key,
    newest_sk,
    report_item,
    report_key,
    report_of,
    report_pk,
    room_pk,
)
from chalicelib.events.refusals import ReportConflict, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.rooms.identifiers import Room

DAY: Final = 86_400
REPORT_DAYS: Final = 7

_BATCH: Final = 25
"""Items read at once: an answer holds 16 MB at most, an item 400 KB (AWS), so all of them fit."""
_BATCH_ROUNDS: Final = 6
_FIRST_PAUSE: Final = 0.025

_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_AFTER_ALL_MEMBERS: Final = "V$"
"""Sorts after every ``V#…``."""


class Outcome(StrEnum):
    """What storing a report did."""

    STORED = "stored"
    DUPLICATE = "duplicate"


class Page(NamedTuple):
    """Some of a room's reports.

    Attributes:
        reports: in the order of the reporters' userids; read and unpacked as they are taken.
        next: the last of these reporters, if the room has more: read on after it.
    """

    reports: Iterator[Report]
    next: str | None


class EventTable:
    """The event table.

    Args:
        client: DynamoDB's.
        name: the table's name.
        report_days: days after which a report may be deleted, as garbage.
        sleep: pauses for some seconds before unprocessed reads are tried again.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        *,
        report_days: int = REPORT_DAYS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._name = name
        self._report_seconds = report_days * DAY
        self._sleep = sleep

    def store(self, report: Report) -> Outcome:
        """Store a report, once; durable when this returns.

        A duplicate's first try may have died half-way, or be this very call, whose answer was lost
        and which the client library sent again: so the rest of the work is done for it as well.

        Raises:
            ReportConflict: its (epoch, seq) was reported before, with another list.
            ListTooLarge: nothing was written.
            StoreUnavailable: it may be stored or not; send it again.
        """
        ttl = report.received // 1000 + self._report_seconds
        with passing_failures():
            stored = self._put(report_item(report, ttl))
            if stored is not None and report_of(stored).view != report.view:
                raise ReportConflict
            self._point_to(report, ttl)
        return Outcome.STORED if stored is None else Outcome.DUPLICATE

    def newest_views(
        self, sdk_app_id: int, room: Room, limit: int, after: str | None = None
    ) -> Page:
        """The newest report of each member that reported, as far as it is not garbage yet.

        Args:
            sdk_app_id: the application.
            room: the room.
            limit: most members in the page. It may hold fewer and still have a next page.
            after: a userid: only members that sort after it.

        Raises:
            StoreUnavailable: also while the page's reports are taken.
        """
        members = self._members(sdk_app_id, room, limit + 1, after or "")
        page = members[:limit]
        keys = [self._key_of_newest(sdk_app_id, room, item) for item in page]
        more = len(members) > limit
        return Page(self._reports(keys), _user_of(page[-1]) if more else None)

    def _put(self, item: Item) -> Item | None:
        """Write an item unless one stands there; return the one that does."""
        try:
            self._client.put_item(
                TableName=self._name,
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error_code(error) != _CONDITION_FAILED:
                raise
            found: Item = error.response["Item"]  # type: ignore[typeddict-item]  # Its types omit it.
            return found
        return None

    def _point_to(self, report: Report, ttl: int) -> None:
        """Make this the reporter's newest report, unless a newer one is."""
        sk = report_key(report.place, report.epoch, report.seq)["sk"]
        try:
            self._client.update_item(
                TableName=self._name,
                Key=newest_key(report.place),
                UpdateExpression="SET newest = :sk, #ttl = :ttl",
                ConditionExpression="attribute_not_exists(newest) OR newest < :sk",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={":sk": sk, ":ttl": {"N": str(ttl)}},
            )
        except ClientError as error:
            if error_code(error) != _CONDITION_FAILED:
                raise

    def _members(self, sdk_app_id: int, room: Room, limit: int, after: str) -> list[Any]:
        with passing_failures():
            # Both ends of BETWEEN are inside; a NUL makes the first one the least key after it.
            answer = self._client.query(
                TableName=self._name,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :after AND :end",
                ExpressionAttributeValues={
                    ":pk": {"S": room_pk(sdk_app_id, room)},
                    ":after": {"S": newest_sk(after) + "\0"},
                    ":end": {"S": _AFTER_ALL_MEMBERS},
                },
                Limit=limit,
                ConsistentRead=True,
            )
        return answer["Items"]

    def _key_of_newest(self, sdk_app_id: int, room: Room, item: Any) -> Item:
        place = Place(sdk_app_id, room, _user_of(item))
        return {"pk": {"S": report_pk(place)}, "sk": item["newest"]}

    def _reports(self, keys: list[Item]) -> Iterator[Report]:
        for start in range(0, len(keys), _BATCH):
            wanted = keys[start : start + _BATCH]
            found = {item["pk"]["S"]: item for item in self._get(wanted)}
            for key in wanted:
                item = found.get(key["pk"]["S"])
                if item is not None:  # Else it was garbage, and its pointer soon is.
                    yield report_of(item)

    def _get(self, keys: list[Item]) -> list[Any]:
        items: list[Any] = []
        pause = _FIRST_PAUSE
        for _ in range(_BATCH_ROUNDS):
            with passing_failures():
                answer = self._client.batch_get_item(
                    RequestItems={self._name: {"Keys": keys, "ConsistentRead": True}}
                )
            items += answer["Responses"].get(self._name, [])
            left = answer["UnprocessedKeys"].get(self._name)
            if not left:
                return items
            keys = list(left["Keys"])  # type: ignore[arg-type]  # Answer and request differ in type only.
            self._sleep(pause)
            pause *= 2
        raise StoreUnavailable


def _user_of(item: Any) -> str:
    user: str = item["sk"]["S"].removeprefix("V#")
    return user
