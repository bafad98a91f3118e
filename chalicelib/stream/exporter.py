"""exporter: sends rows made from a batch of the event table's stream to Firehose.

The key of its partial batch response (`chalicelib.stream.partial_batch`) is the record's partition,
so nothing later of a room is sent once something of it failed. A redelivered record makes rows with
the same ids, by which queries drop the repeats.

Poison is an item that makes no row, or a row that breaks the schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chalicelib.stream.batching import pack_calls
from chalicelib.stream.errors import Poison
from chalicelib.stream.partial_batch import PartialBatch, sequence_of
from chalicelib.stream.row import check_row, row_text
from chalicelib.stream.rows import rows_of_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chalicelib.stream.batching import FirehoseRecord
    from chalicelib.stream.firehose import Delivery
    from chalicelib.stream.quarantine import QuarantineSink
    from chalicelib.stream.records import Record
    from chalicelib.stream.row import Row

PART_BYTES: Final = 2_800_000
"""Bytes of rows after which they are sent; as base64, about one call."""


class ExportedBatch(PartialBatch):
    """What became of a batch.

    Attributes:
        rows: how many rows Firehose accepted.
        failed_rows: how many it did not accept, or was not offered after that.
        recorded: unix ms at which the oldest of the rows was recorded, or None without rows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows = 0
        self.failed_rows = 0
        self.recorded: int | None = None

    def note_recorded(self, row: Row) -> None:
        """Keep the time of the oldest row; all rows of a stream record were recorded at once."""
        self.recorded = min(self.recorded or row.recorded, row.recorded)

    def fail_records(self, records: Iterable[FirehoseRecord], part: _Part) -> None:
        """Record that Firehose does not have some records: their partitions fail in this part."""
        for record in records:
            self.failed_rows += record.rows
            for partition in record.rooms:
                self.fail(partition, part.first[partition])


class _Part:
    """The rows of a batch that are sent next.

    Attributes:
        lines: by partition, its rows as JSON.
        first: by partition, the sequence number of the first of its stream records.
        bytes: of all lines.
    """

    def __init__(self) -> None:
        self.lines: dict[str, list[bytes]] = {}
        self.first: dict[str, str] = {}
        self.bytes = 0

    def add(self, partition: str, sequence: str, lines: Sequence[bytes]) -> None:
        """Add the rows of a stream record."""
        self.lines.setdefault(partition, []).extend(lines)
        self.first.setdefault(partition, sequence)
        self.bytes += sum(map(len, lines))


class Exporter:
    """Exports batches.

    Args:
        delivery: to the lake.
        quarantine: stores poison.
        reports: whether reports make rows, too.
    """

    def __init__(self, delivery: Delivery, quarantine: QuarantineSink, *, reports: bool) -> None:
        self._delivery = delivery
        self._quarantine = quarantine
        self._reports = reports

    def export(self, records: Sequence[Record]) -> ExportedBatch:
        """Export one batch, in parts, so that memory stays bounded.

        Raises:
            ClientError: a failure that does not pass, like a missing permission.
        """
        batch, part, reachable = ExportedBatch(), _Part(), True
        for record in records:
            self._add(record, part, batch)
            if part.bytes >= PART_BYTES:
                reachable = self._send(part, batch)
                part = _Part()
            if not reachable:
                # All that is left follows a record that failed, so it is delivered again.
                break
        self._send(part, batch)
        batch.store_poison(self._quarantine)
        return batch

    def _add(self, record: Record, part: _Part, batch: ExportedBatch) -> None:
        """Add the rows of a record to a part, unless its partition failed before."""
        partition, sequence = record["dynamodb"]["Keys"]["pk"]["S"], sequence_of(record)
        if batch.has_failed([partition]):
            return
        try:
            rows = rows_of_record(record, reports=self._reports)
        except Poison as error:
            content = {"partition": partition, "record": record}
            batch.isolate(sequence, error.reason, content)
            return
        lines = []
        for number, row in enumerate(rows):
            try:
                check_row(row)
            except Poison as error:
                content = {"partition": partition, "row": row._asdict()}
                batch.isolate(sequence, error.reason, content, number)
            else:
                lines.append(row_text(row).encode())
        if lines:
            part.add(partition, sequence, lines)
            batch.note_recorded(rows[0])

    def _send(self, part: _Part, batch: ExportedBatch) -> bool:
        """Send a part. Returns whether Firehose can be reached.

        A record waits if it holds rows of a room that failed. After a call that failed as a whole,
        all records wait: more attempts would only use up the function's time.
        """
        reachable = True
        for call in pack_calls(part.lines):
            ready: list[FirehoseRecord] = []
            waiting: list[FirehoseRecord] = []
            for record in call:
                waits = not reachable or batch.has_failed(record.rooms)
                (waiting if waits else ready).append(record)
            batch.fail_records(waiting, part)
            if ready:
                result = self._delivery.send(ready)
                batch.rows += result.rows
                batch.reasons += result.reasons
                batch.fail_records(result.failed, part)
                reachable = not result.unreachable
        return reachable
