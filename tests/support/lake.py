"""Change items, a strict Firehose, and what a lake holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.roster.members import Reason, Transition
from chalicelib.roster.signal import Source
from chalicelib.roster.view import view_of
from chalicelib.stream.exporter import Exporter
from chalicelib.stream.firehose import Delivery
from chalicelib.stream.row import COLUMNS, Row
from chalicelib.table import rooms
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.reports import DeltaBase, Report, report_item
from chalicelib.trtc.identifiers import parse_room_key

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence

    from chalicelib.table.item_keys import Item, ReporterKey

APP: Final = 1400000001
T0: Final = 1_600_000_000_000
STREAM: Final = "lake"
_TYPES: Final = {"int": int, "bigint": int, "string": str}
MEGABYTE: Final = 1024 * 1024
DAY: Final = 86_400


def joins(*users: str, t: int = T0) -> list[Transition]:
    """Transitions: some users come."""
    return [Transition(True, user, t, user, Source.CLIENT, Reason.LISTED) for user in users]


def leaves(*users: str, t: int = T0) -> list[Transition]:
    """Transitions: some users go."""
    return [Transition(False, user, t, "", Source.TENCENT, Reason.LEFT) for user in users]


def change_item(
    room: str, version: int, transitions: Sequence[Transition], *, at: int = T0, app: int = APP
) -> Item:
    """A change as it stands in the event table, with the room by its key."""
    ref = RoomKey(app, parse_room_key(room))
    latest = max(each.t for each in transitions)
    change = rooms.Change(ref, version, at, 1, latest, tuple(transitions))
    return rooms.change_item(change, at // 1000 + DAY)


def report(place: ReporterKey, *, received: int = T0, age: int = 40) -> Item:
    """A report of somebody who is alone, under the token of epoch 5, as the table has it."""
    view = view_of(place.user_id, {})
    said = Report(place, 5, 1, received, age, Source.CLIENT, view)
    beside = DeltaBase(0, "", None, tuple)
    return report_item(said, received // 1000 + DAY, beside)


def expected_row(room: str, version: int, place: int, it: Transition, at: int) -> dict[str, Any]:
    """The row that the contract says a transition makes, written out by hand."""
    return {
        "v": 1,
        "id": f"{APP}/{room}/{version}/{place}",
        "ev": "join" if it.joined else "leave",
        "app": APP,
        "room": room,
        "user": it.user,
        "t": it.t,
        "ver": version,
        "delta": 1 if it.joined else -1,
        "source": str(it.source),
        "reason": str(it.reason),
        "lag_ms": at - it.t,
        **({"by": it.by} if it.by else {}),
        "confirmed": int(it.by == it.user or (it.source is Source.TENCENT and not it.by)),
    }


class Trouble(NamedTuple):
    """How often Firehose makes trouble, each from 0 to 1.

    Attributes:
        entry: for each record of a call: it is refused.
        call: the whole call is refused.
        lost: the answer is lost, though all was taken.
    """

    entry: float = 0
    call: float = 0
    lost: float = 0


class StrictFirehose:
    """A Firehose that holds its callers to AWS's quotas, and fails as it is told to.

    Args:
        chance: decides what fails.
        trouble: how often.

    Attributes:
        records: the data of what it took, in order.
        calls: how many records each call had.
    """

    def __init__(self, chance: random.Random | None = None, trouble: Trouble | None = None) -> None:
        self.records: list[bytes] = []
        self.calls: list[int] = []
        self._chance = chance
        self.trouble = trouble or Trouble()

    def put_record_batch(self, **asked: Any) -> dict[str, Any]:
        """As Amazon Data Firehose's API reference says."""
        records = asked.pop("Records")
        assert asked == {"DeliveryStreamName": STREAM}
        self._hold_to_quotas([each["Data"] for each in records])
        self.calls.append(len(records))
        if self._happens(self.trouble.call):
            raise refusal("ServiceUnavailableException", 503)
        said = [self._take(each["Data"]) for each in records]
        if self._happens(self.trouble.lost):
            raise ReadTimeoutError(endpoint_url="https://firehose.test")
        failed = sum("ErrorCode" in each for each in said)
        return {"FailedPutCount": failed, "Encrypted": True, "RequestResponses": said}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What it would convert to Parquet, in order; a bad row fails the test."""
        rows = [json.loads(line) for data in self.records for line in data.splitlines()]
        for row in rows:
            assert row.keys() <= COLUMNS.keys()
            assert all(type(value) is _TYPES[COLUMNS[name].type] for name, value in row.items())
        return rows

    def _take(self, data: bytes) -> dict[str, str]:
        if self._happens(self.trouble.entry):
            return {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
        self.records.append(data)
        return {"RecordId": str(len(self.records))}

    def _happens(self, share: float) -> bool:
        return self._chance is not None and self._chance.random() < share

    @staticmethod
    def _hold_to_quotas(datas: Sequence[bytes]) -> None:
        assert 1 <= len(datas) <= 500
        assert all(0 < len(data) <= 1000 * 1024 for data in datas)
        assert sum((len(data) + 2) // 3 * 4 for data in datas) <= 4 * MEGABYTE


def refusal(code: str, status: int = 400) -> ClientError:
    """AWS's refusal of a call to Firehose."""
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutRecordBatch")


class Shelf:
    """A quarantine in memory.

    Attributes:
        poison: what it took.
        full: while true it takes nothing.
    """

    def __init__(self) -> None:
        self.poison: list[dict[str, Any]] = []
        self.full = False

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Take poison, as `chalicelib.stream.quarantine.Quarantine` does."""
        if not self.full:
            self.poison += json.loads(json.dumps(poison))
        return not self.full


def exporter(
    firehose: StrictFirehose,
    shelf: Shelf | None = None,
    *,
    reports: bool = False,
    sleep: Callable[[float], None] = lambda _: None,
) -> Exporter:
    """An exporter to a strict Firehose."""
    delivery = Delivery(firehose, STREAM, sleep, lambda: 0)
    return Exporter(delivery, shelf or Shelf(), reports=reports)


def without_repeats(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows by id; two of one id must not differ."""
    once: dict[str, dict[str, Any]] = {}
    for row in rows:
        assert once.setdefault(row["id"], row) == row
    return once


def good_row(**changes: Any) -> Row:
    """A row as the schema says, with changes."""
    row = Row(
        1, f"{APP}/7/3/0", "join", APP, "7", "anna", T0, 3, 1, "client", "listed", 250, "anna", 1
    )
    return row._replace(**changes)
