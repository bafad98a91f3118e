"""A DynamoDB stream and its event source mapping, by AWS's rules for stream consumers.

The local AWS knows neither partial batch responses nor on-failure destinations, so what a consumer
does under failures is tested here. The rules (AWS Lambda Developer Guide, "Process DynamoDB records
with Lambda", "Configuring partial batch response", "Discarded records"):

- Records of one partition key are in one shard, in order; a shard's batches come one after another.
  Here shards are lanes. ParallelizationFactor is 1: with more, records of one partition key, but of
  several sort keys, may be in two batches at once, and done in any order.
- Records that no filter wants are passed over.
- A batch has at most so many records, and as an invocation's payload at most 6 MB.
- No answer, or one without failures: done. Failures: the lowest sequence number among them is the
  checkpoint, and all from there on comes again, whether it failed or not. A failure that names no
  record of the batch, or an exception: all of it failed.
- With bisect a batch that failed as a whole comes again as two halves, which counts as no retry.
- What was retried as often as is allowed, or is too old, goes to the on-failure destination, and
  the lane goes on. A remainder keeps the count of the batch it is left of: AWS does not say so, but
  whoever survives this survives a kinder rule.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from zlib import crc32

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping, Sequence

Item = dict[str, dict[str, Any]]
Record = dict[str, Any]
Pattern = dict[str, Any]

PAYLOAD_BYTES: Final = 6_000_000
FOREVER: Final = -1
STREAM_ARN: Final = "arn:aws:dynamodb:eu-central-1:123456789012:table/events/stream/2026"


class Crash(BaseException):
    """The function died half-way: out of time, or of memory. No handler can catch it."""


class Settings(NamedTuple):
    """What an event source mapping is told.

    Attributes:
        batch: the most records of a batch.
        bisect: BisectBatchOnFunctionError.
        retries: MaximumRetryAttempts; FOREVER.
        age: MaximumRecordAgeInSeconds; FOREVER.
        partial: whether FunctionResponseTypes has ReportBatchItemFailures.
        filters: FilterCriteria's patterns; none: every record is wanted.
    """

    batch: int = 100
    bisect: bool = False
    retries: int = FOREVER
    age: int = FOREVER
    partial: bool = False
    filters: tuple[Pattern, ...] = ()

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> Self:
        """Those of an AWS::Lambda::EventSourceMapping, with AWS's defaults."""
        filters = properties.get("FilterCriteria", {}).get("Filters", [])
        return cls(
            batch=properties.get("BatchSize", 100),
            bisect=properties.get("BisectBatchOnFunctionError", False),
            retries=properties.get("MaximumRetryAttempts", FOREVER),
            age=properties.get("MaximumRecordAgeInSeconds", FOREVER),
            partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            filters=tuple(json.loads(each["Pattern"]) for each in filters),
        )


class Discarded(NamedTuple):
    """What went to the on-failure destination; S3's also holds the records.

    Attributes:
        condition: ``RetryAttemptsExhausted`` or ``RecordAgeExceeded``.
        records: those of the stream.
    """

    condition: str
    records: tuple[Record, ...]


class _Batch(NamedTuple):
    records: list[Record]
    tries: int


class Pump:
    """Carries a table's writes to a function.

    Args:
        handler: the function: takes an event and a context.
        settings: of the event source mapping.
        chance: chooses which lane is next.
        lanes: shards.
        now: unix seconds at the start.
        pause: seconds by which a failed batch makes the time go on.

    Attributes:
        now: unix seconds.
        discarded: what went to the on-failure destination.
        calls: how often the function was called.
    """

    def __init__(
        self,
        handler: Callable[[Any, Any], Any],
        settings: Settings,
        chance: random.Random,
        *,
        lanes: int = 2,
        now: float = 1_600_000_000,
        pause: float = 1,
    ) -> None:
        self.now = now
        self.discarded: list[Discarded] = []
        self.calls = 0
        self._handler = handler
        self._settings = settings
        self._chance = chance
        self._pause = pause
        self._lanes: list[list[Record]] = [[] for _ in range(lanes)]
        self._sequence = 0

    def write(self, new: Item | None, old: Item | None = None) -> Record:
        """A write of the table: of a new item, to one, or its end; returns the stream's record."""
        self._sequence += 1
        record = stream_record(new, old, self._sequence, self.now)
        partition = record["dynamodb"]["Keys"]["pk"]["S"]
        self._lanes[crc32(partition.encode()) % len(self._lanes)].append(record)
        return record

    def run(self) -> None:
        """Deliver until nothing is left."""
        while waiting := [lane for lane in self._lanes if lane]:
            batch = self._take(self._chance.choice(waiting))
            if batch:
                self._deliver(batch)

    def _take(self, lane: list[Record]) -> list[Record]:
        batch: list[Record] = []
        size = 0
        while lane and len(batch) < self._settings.batch:
            size += len(json.dumps(lane[0]))
            if batch and size > PAYLOAD_BYTES:
                break
            record = lane.pop(0)
            if wanted(record, self._settings.filters):
                batch.append(record)
        return batch

    def _deliver(self, records: list[Record]) -> None:
        work = [_Batch(records, 0)]
        while work:
            records, tries = work.pop()
            records = self._young(records)
            if records:
                work += self._after(records, tries, self._failed_from(records))

    def _after(self, records: list[Record], tries: int, failed: int | None) -> list[_Batch]:
        """What of a batch is to come again, the last first; ``failed``: from where, None: all."""
        if failed == len(records):
            return []
        self.now += self._pause
        if failed is None and self._settings.bisect and len(records) > 1:
            half = len(records) // 2
            return [_Batch(records[half:], tries), _Batch(records[:half], tries)]
        rest = records[failed or 0 :]
        if tries == self._settings.retries:
            self.discarded.append(Discarded("RetryAttemptsExhausted", tuple(rest)))
            return []
        return [_Batch(rest, tries + 1)]

    def _young(self, records: list[Record]) -> list[Record]:
        if self._settings.age == FOREVER:
            return records
        oldest = self.now - self._settings.age
        old = [r for r in records if r["dynamodb"]["ApproximateCreationDateTime"] < oldest]
        if old:
            self.discarded.append(Discarded("RecordAgeExceeded", tuple(old)))
        return records[len(old) :]

    def _failed_from(self, records: list[Record]) -> int | None:
        self.calls += 1
        try:
            # As Lambda hands it over: what the function does to it is nobody else's.
            answer = self._handler(json.loads(json.dumps({"Records": records})), None)
        except (Exception, Crash):  # noqa: BLE001 (whatever it is, to AWS it is a failure)
            return None
        return failed_from(answer, records) if self._settings.partial else len(records)


def failed_from(answer: Any, records: Sequence[Record]) -> int | None:
    """The place of the checkpoint that an answer names.

    As many as there are records: all are done. None: all failed, since it names no record.
    """
    failures = (answer or {}).get("batchItemFailures") or []
    places = {r["dynamodb"]["SequenceNumber"]: place for place, r in enumerate(records)}
    named = [places.get(each.get("itemIdentifier")) for each in failures]
    if None in named:
        return None
    return min((place for place in named if place is not None), default=len(records))


def stream_record(
    new: Item | None, old: Item | None = None, sequence: int = 1, now: float = 1_600_000_000
) -> Record:
    """A record of a NEW_AND_OLD_IMAGES stream, as Lambda hands it over: binary as base64."""
    image = new or old
    assert image
    name = "MODIFY" if new and old else "INSERT" if new else "REMOVE"
    inside: dict[str, Any] = {
        "ApproximateCreationDateTime": now,
        "Keys": {"pk": image["pk"], "sk": image["sk"]},
        "SequenceNumber": f"{sequence:021}",
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    inside |= {"NewImage": _plain(new)} if new else {}
    inside |= {"OldImage": _plain(old)} if old else {}
    return {
        "eventID": f"{sequence:032x}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": inside,
        "eventSourceARN": STREAM_ARN,
    }


def _plain(item: Item) -> Item:
    return {name: _plain_value(value) for name, value in item.items()}


def _plain_value(value: dict[str, Any]) -> dict[str, Any]:
    ((kind, what),) = value.items()
    return {kind: b64encode(what).decode() if kind == "B" else what}


def wanted(record: Record, patterns: Iterable[Pattern]) -> bool:
    """Whether any of the patterns fits; where there is none, every record is wanted."""
    known = tuple(patterns)
    return not known or any(_fits(record, pattern) for pattern in known)


def _fits(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and _fits(value[name], rule) for name, rule in pattern.items()
        )
    return any(_allows(rule, value) for rule in pattern)


def _allows(rule: Any, value: Any) -> bool:
    if isinstance(rule, dict):
        ((how, what),) = rule.items()
        if how != "prefix":
            raise ValueError(f"The pump knows no rule {how!r} yet.")
        return isinstance(value, str) and value.startswith(what)
    return bool(rule == value)
