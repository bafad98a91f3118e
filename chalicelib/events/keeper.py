"""What keeper makes of a batch of the event table's stream.

What was said is folded once more, since whoever stored it may have died before it was folded; each
change of a room is written into sessions. Both change nothing if they are done already, so that all
can come again and again.

AWS's rules for a consumer: it names records that failed, the lowest of them is the checkpoint, and
all from there on comes again. So a failure that passes fails its record, and nothing later of the
same key is done: a room's changes are one key, since they come in order, and what was said in a
room is another. All other keys go on. What can never succeed fails nothing: it goes to the
quarantine with its reason, and even its own key goes on.

Of a shard one batch is worked off at a time. With more at once Lambda would keep the order of each
item alone, and every change of a room is an item of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from chalicelib.events.dynamodb import cancellation_reasons, error_code
from chalicelib.events.refusals import StoreUnavailable
from chalicelib.events.rooms import change_of
from chalicelib.events.stream import heard, item_of, sequence_of, tells_of_change
from chalicelib.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chalicelib.events.folder import Folder
    from chalicelib.events.keys import RoomRef
    from chalicelib.events.quarantine import Keeps
    from chalicelib.events.rooms import Change, RoomState
    from chalicelib.events.stays import Stays
    from chalicelib.events.stream import Record
    from chalicelib.roster.signal import Signal

    _Keys = dict[RoomRef, list[tuple[Record, "T"]]]

T = TypeVar("T")

_NEVER: Final = {"ValidationException", "ValidationError"}
"""What DynamoDB says of a request that it will never take, or of one item of a transaction."""


class Batch:
    """What became of a batch.

    Attributes:
        counts: ``refolded``: signals; ``healed``: those of them that changed a room after all;
            ``sessions``: opened and closed; ``missing``: leaves without a session to close.
        poison: what went to the quarantine: sequence, reason, record.
        reasons: of failures that pass.
    """

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.poison: list[dict[str, Any]] = []
        self.reasons = Counter[str]()
        self._failed: list[str] = []

    @property
    def failed(self) -> int:
        """How many keys failed, or records that nothing keeps."""
        return len(self._failed)

    @property
    def answer(self) -> dict[str, list[dict[str, str]]]:
        """Lambda's partial batch response."""
        # The lowest first, since that is where AWS goes on.
        failed = sorted(self._failed, key=int)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    def work(self, key: Iterable[tuple[Record, T]], step: Callable[[T], None]) -> None:
        """Take a step with what each record of a key tells, until one fails."""
        for record, told in key:
            try:
                step(told)
            except Exception as error:  # noqa: BLE001 (told, and kept with its reason)
                if passes(error):
                    self.fail(sequence_of(record), reason_of(error))
                    return
                self.isolate(record, error)

    def isolate(self, record: Record, error: Exception) -> None:
        """Have a record that can never succeed kept."""
        reason = reason_of(error)
        self.poison.append({"sequence": sequence_of(record), "reason": reason, "record": record})

    def fail(self, sequence: str, reason: str) -> None:
        """Have a record come again."""
        self._failed.append(sequence)
        self.reasons[reason] += 1


class Keeper:
    """Works off batches.

    Args:
        folder: folds.
        stays: writes sessions.
        quarantine: keeps what can never succeed.
    """

    def __init__(self, folder: Folder, stays: Stays, quarantine: Keeps) -> None:
        self._folder = folder
        self._stays = stays
        self._quarantine = quarantine

    def keep(self, records: Iterable[Record], now: int) -> Batch:
        """Work off one batch.

        Args:
            records: as Lambda hands them over: those of inserted items, in the order of the stream.
            now: unix ms.
        """
        batch = Batch()
        changes, signals = self._sorted(records, batch)
        for ref, said in signals.items():
            batch.work(said, self._folding(ref, batch, now))
        for made in changes.values():
            batch.work(made, self._writing(batch))
        if batch.poison and not self._quarantine.put(batch.poison):
            # Nothing keeps them yet, so they have to come again.
            for each in batch.poison:
                batch.fail(each["sequence"], "quarantine")
        return batch

    def _sorted(
        self, records: Iterable[Record], batch: Batch
    ) -> tuple[_Keys[Change], _Keys[Signal]]:
        """What the records tell, by rooms."""
        changes: _Keys[Change] = defaultdict(list)
        signals: _Keys[Signal] = defaultdict(list)

        def sort(record: Record) -> None:
            item = item_of(record)
            if tells_of_change(record):
                change = change_of(item)
                changes[change.ref].append((record, change))
            elif said := heard(item, self._folder.table):
                ref, signal = said
                signals[ref].append((record, signal))

        batch.work(((record, record) for record in records), sort)
        return changes, signals

    def _writing(self, batch: Batch) -> Callable[[Change], None]:
        def step(change: Change) -> None:
            written = self._stays.write(change)
            batch.counts["sessions"] += written.sessions
            batch.counts["missing"] += written.missing

        return step

    def _folding(self, ref: RoomRef, batch: Batch, now: int) -> Callable[[Signal], None]:
        room: RoomState | None = None  # Read once, and led on from signal to signal.

        def step(signal: Signal) -> None:
            nonlocal room
            room = room or self._folder.table.room(ref)
            after = self._folder.refold(room, signal, now)
            batch.counts["refolded"] += 1
            batch.counts["healed"] += after is not room
            room = after

        return step


def passes(error: Exception) -> bool:
    """Whether it may succeed another time: the store is away or refuses; no fault of the record."""
    if isinstance(error, ClientError):
        return _NEVER.isdisjoint({error_code(error), *cancellation_reasons(error)})
    if isinstance(error, ParamValidationError):
        return False
    return isinstance(error, StoreUnavailable | BotoCoreError)


def reason_of(error: Exception) -> str:
    """Why it failed, and where unless it is foreseen; nothing of what the record holds is in it."""
    if isinstance(error, Refusal):
        return error.code
    if isinstance(error, ClientError):
        return f"AWS refused {error.operation_name}: {error_code(error)}"
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"
