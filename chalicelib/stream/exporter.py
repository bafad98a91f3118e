"""From a batch of the event table's stream to rows in Firehose.

What AWS asks of a consumer: it names records that failed, and all from the lowest of them on come
again. So of a room that failed nothing later is sent, which keeps its order; others go on. What
came twice has the same row ids twice.

Poison, which is what makes no good row however often it comes, never fails: it goes to the
quarantine, with the reason, and counts as done.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from chalicelib.stream.batching import calls_of
from chalicelib.stream.row import BadRow, check_row, row_text
from chalicelib.stream.rows import BadImage, exported_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chalicelib.stream.batching import RowBatch
    from chalicelib.stream.firehose import Delivery
    from chalicelib.stream.quarantine import QuarantineSink
    from chalicelib.stream.row import Row

Record = dict[str, Any]
"""A record of the stream, as Lambda hands it over."""

PART_BYTES: Final = 2_800_000
"""Rows are sent when there are so many bytes of them: about a call's worth, as base64."""


class Exported:
    """What became of a batch.

    Attributes:
        rows: how many Firehose has.
        failed_rows: how many it did not take, or was not offered after that.
        poison: how many rows, and records that make none, went to the quarantine.
        recorded: unix ms at which the oldest of the rows was recorded, or None without rows.
        reasons: what Firehose said of failures, those that passed among them.
        failures: the sequence number of the first record that failed, by the record's partition.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.failed_rows = 0
        self.poison = 0
        self.recorded: int | None = None
        self.reasons = Counter[str]()
        self.failures: dict[str, str] = {}

    @property
    def answer(self) -> dict[str, list[dict[str, str]]]:
        """Lambda's partial batch response."""
        # The lowest first, since that is where AWS goes on.
        failed = sorted(self.failures.values(), key=int)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


class Exporter:
    """Exports batches.

    Args:
        delivery: to the lake.
        quarantine: takes what makes no row.
        reports: whether reports make rows too.
    """

    def __init__(self, delivery: Delivery, quarantine: QuarantineSink, *, reports: bool) -> None:
        self._delivery = delivery
        self._quarantine = quarantine
        self._reports = reports

    def export(self, records: Sequence[Record]) -> Exported:
        """Export one batch, in parts, so that memory stays bounded.

        Raises:
            ClientError: a failure that does not pass, like a missing right.
        """
        batch = _Batch(reports=self._reports)
        for record in records:
            batch.take(record)
            if batch.bytes >= PART_BYTES:
                self._send(batch)
            if batch.down:
                break
        self._send(batch)
        if batch.poison and not self._quarantine.put(batch.poison):
            # Nothing keeps them yet, so they have to come again.
            for poison in batch.poison:
                batch.fail(poison["partition"], poison["sequence"])
        return batch.done

    def _send(self, batch: _Batch) -> None:
        for call in calls_of(batch.lines):
            waits = [batch.waits(pack) for pack in call]
            wanted = [pack for pack, wait in zip(call, waits, strict=True) if not wait]
            batch.give_up(pack for pack, wait in zip(call, waits, strict=True) if wait)
            if wanted:
                sent = self._delivery.send(wanted)
                batch.done.rows += sent.rows
                batch.done.reasons += sent.reasons
                batch.give_up(sent.failed)
                batch.down = sent.down
        batch.next_part()


class _Batch:
    """A batch under way: the rows of its present part, and what became of those before.

    Attributes:
        done: what became of those before.
        poison: what goes to the quarantine.
        down: Firehose does not answer, however often it was asked. All that is left comes after a
            record that failed, and so comes again; asking on would use up the function's time.
        lines: the rows of this part, by the partition of their records.
        first: the sequence number of the first of these records, likewise.
        bytes: of these rows.
    """

    def __init__(self, *, reports: bool) -> None:
        self.done = Exported()
        self.down = False
        self.poison: list[dict[str, Any]] = []
        self._reports = reports
        self.next_part()

    def next_part(self) -> None:
        """Begin a part."""
        self.lines: dict[str, list[bytes]] = {}
        self.first: dict[str, str] = {}
        self.bytes = 0

    def fail(self, partition: str, sequence: str) -> None:
        """Note that a partition failed from a record on; the lowest one stays."""
        before = self.done.failures.get(partition, sequence)
        self.done.failures[partition] = min(before, sequence, key=int)

    def waits(self, pack: RowBatch) -> bool:
        """Whether a pack has to wait: what shares it with a room that failed waits with it."""
        return self.down or not self.done.failures.keys().isdisjoint(pack.rooms)

    def give_up(self, packs: Iterable[RowBatch]) -> None:
        """Note that packs are not with Firehose: their partitions failed in this part."""
        for pack in packs:
            self.done.failed_rows += pack.rows
            for partition in pack.rooms:
                self.fail(partition, self.first[partition])

    def take(self, record: Record) -> None:
        """Add the rows of a record, unless something before it failed in its partition."""
        inside = record["dynamodb"]
        partition, sequence = inside["Keys"]["pk"]["S"], inside["SequenceNumber"]
        if partition in self.done.failures:
            return
        try:
            rows = exported_rows(record, reports=self._reports)
        except BadImage as error:
            self._quarantine(partition, sequence, error.reason, {"record": record})
            return
        lines = self._lines(rows, partition, sequence)
        if lines:
            self.lines.setdefault(partition, []).extend(lines)
            self.first.setdefault(partition, sequence)
            self.bytes += sum(map(len, lines))
            # All rows of a record were recorded at once.
            self.done.recorded = min(self.done.recorded or rows[0].recorded, rows[0].recorded)

    def _lines(self, rows: Iterable[Row], partition: str, sequence: str) -> list[bytes]:
        """The good rows as JSON; the others are poison."""
        lines = []
        for row in rows:
            try:
                check_row(row)
            except BadRow as error:
                self._quarantine(partition, sequence, str(error), {"row": row._asdict()})
            else:
                lines.append(row_text(row).encode())
        return lines

    def _quarantine(
        self, partition: str, sequence: str, reason: str, what: Mapping[str, Any]
    ) -> None:
        self.done.poison += 1
        self.poison.append({"partition": partition, "sequence": sequence, "reason": reason, **what})
