"""Lambda's partial batch response: the rule that keeper and exporter share.

A reader names the records that failed. Lambda takes the lowest of them as its checkpoint, and
delivers it and all later records again (AWS: "Reporting batch item failures"). So after the first
failure of a key, nothing later of that key is processed, which keeps the key's order; other keys go
on. What a key is, the reader decides.

Poison is a record that can never succeed. It does not fail: the quarantine stores it with its
reason, and its key goes on. Only if the quarantine does not take it, it fails.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from chalicelib.stream.quarantine import QuarantineSink


class PartialBatch:
    """The failures and the poison of one batch; for threads.

    Attributes:
        reasons: how often each reason of a transient failure occurred.
    """

    def __init__(self) -> None:
        self.reasons = Counter[str]()
        self._failures: dict[Hashable, str] = {}
        self._poison: dict[tuple[int, int], dict[str, Any]] = {}
        self._lock = Lock()

    @property
    def failed_keys(self) -> int:
        """How many keys failed, poison that could not be stored included."""
        return len(self._failures)

    @property
    def poison(self) -> list[dict[str, Any]]:
        """The poison in the order of the stream, as the quarantine stores it."""
        return [self._poison[place] for place in sorted(self._poison)]

    @property
    def response(self) -> dict[str, list[dict[str, str]]]:
        """Lambda's partial batch response, the checkpoint first."""
        sequences = sorted(set(self._failures.values()), key=int)
        return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in sequences]}

    def has_failed(self, keys: Iterable[Hashable]) -> bool:
        """Whether any of some keys failed in this batch."""
        return not self._failures.keys().isdisjoint(keys)

    def fail(self, key: Hashable, sequence: str, reason: str | None = None) -> None:
        """Record that a key failed; of its records the lowest one is named.

        Args:
            key: what has an order that must be kept.
            sequence: the record's sequence number, decimal.
            reason: counted in ``reasons``; None: it was counted already.
        """
        with self._lock:
            self._failures[key] = min(self._failures.get(key, sequence), sequence, key=int)
            if reason is not None:
                self.reasons[reason] += 1

    def isolate(
        self, sequence: str, reason: str, content: Mapping[str, Any], part: int = 0
    ) -> None:
        """Record poison; the same part of a record counts once, with its first reason.

        Args:
            sequence: the record's sequence number, decimal.
            reason: why it can never succeed.
            content: the record, or what was made of it.
            part: which part of the record is poison.
        """
        with self._lock:
            entry = {"sequence": sequence, "reason": reason, **content}
            self._poison.setdefault((int(sequence), part), entry)

    def store_poison(self, quarantine: QuarantineSink) -> None:
        """Have the quarantine store the poison; what it does not store has to come again."""
        poison = self.poison
        if poison and not quarantine.put(poison):
            for sequence in {entry["sequence"] for entry in poison}:
                self.fail(("poison", sequence), sequence, "quarantine")


def sequence_of(record: Mapping[str, Any]) -> str:
    """The sequence number of a stream record, which orders it in its shard; decimal."""
    sequence: str = record["dynamodb"]["SequenceNumber"]
    return sequence
