"""keeper: applies stored signals once more, and writes sessions from the changes of rooms.

A webhook may die after it has stored a report and before it has folded it. So keeper folds every
stored signal again, and writes every change of a room into the sessions of its users. Doing either
twice changes nothing, so records may be redelivered any number of times.

The keys of its partial batch response (`chalicelib.stream.partial_batch`) are the room, for
signals, because folding goes from one head to the next, and the room with the user, for sessions,
because a session is opened before it is closed. Keys are processed side by side.

Lambda processes one batch of a shard at a time. With a higher parallelization factor it would keep
the order of each item alone, and every change of a room is an item of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from chalicelib.aws_errors import error_code, reason_of
from chalicelib.stream.partial_batch import PartialBatch, sequence_of
from chalicelib.stream.records import is_change, item_of, signal_from
from chalicelib.table.client import cancellation_reasons
from chalicelib.table.errors import StoreUnavailable
from chalicelib.table.rooms import change_of
from chalicelib.table.sessions import session_updates

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from chalicelib.roster.signal import Signal
    from chalicelib.stream.quarantine import QuarantineSink
    from chalicelib.stream.records import Record
    from chalicelib.table.item_keys import RoomKey
    from chalicelib.table.rooms import RoomState
    from chalicelib.table.sessions import SessionUpdate, SessionWriter
    from chalicelib.table.writer import RoomWriter

    _Signals = dict[RoomKey, list[tuple[Record, Signal]]]
    _Updates = dict[tuple[RoomKey, str], list[tuple[Record, SessionUpdate]]]

T = TypeVar("T")

_NEVER_ACCEPTED: Final = {"ValidationException", "ValidationError"}
"""DynamoDB's codes for a request, or an item of a transaction, that it will never accept."""

WORKERS: Final = 8
"""Keys that are processed side by side, since each mostly waits for the table; botocore has ten
connections (its ``max_pool_connections``)."""

MOST_FAILED_KEYS: Final = 20
"""Failed keys after which the rest of the batch is put off. If the table does not answer, a key
takes 5 s, and Lambda ends the function after 120 s without a response."""


class KeptBatch(PartialBatch):
    """What keeper did with a batch; for threads.

    Attributes:
        counts: ``refolded``: signals; ``healed``: those that changed a room; ``sessions``: opened
            or closed; ``missing``: leaves without a session to close.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counts = Counter[str]()

    def count(self, name: str) -> None:
        """Add one to a count."""
        with self._lock:
            self.counts[name] += 1

    def process(
        self, key: Hashable, entries: Iterable[tuple[Record, T]], step: Callable[[T], None]
    ) -> None:
        """Take a step for each record of a key, in order, until one fails.

        Args:
            key: the key.
            entries: its records, each with what ``step`` is called with.
            step: raises what went wrong.
        """
        for record, argument in entries:
            if self.failed_keys >= MOST_FAILED_KEYS:
                self.fail(key, sequence_of(record), "put-off")
                return
            try:
                step(argument)
            except Exception as error:  # noqa: BLE001 (counted, or stored with its reason)
                if may_succeed_later(error):
                    self.fail(key, sequence_of(record), reason_of(error))
                    return
                self.isolate(sequence_of(record), reason_of(error), {"record": record})


class Keeper:
    """Processes batches.

    Args:
        writer: folds; for threads.
        sessions: writes sessions; for threads.
        quarantine: stores poison.
        workers: keys that are processed side by side.
    """

    def __init__(
        self,
        writer: RoomWriter,
        sessions: SessionWriter,
        quarantine: QuarantineSink,
        workers: int = WORKERS,
    ) -> None:
        self._writer = writer
        self._sessions = sessions
        self._quarantine = quarantine
        self._workers = workers

    def keep(self, records: Iterable[Record], now: int) -> KeptBatch:
        """Process one batch.

        Args:
            records: of inserted items, in the order of the stream, as Lambda delivers them.
            now: unix ms.
        """
        batch = KeptBatch()
        with ThreadPoolExecutor(self._workers) as pool:
            futures = [pool.submit(task) for task in self._tasks(records, batch, now)]
        for future in futures:
            future.result()
        batch.store_poison(self._quarantine)
        return batch

    def _tasks(
        self, records: Iterable[Record], batch: KeptBatch, now: int
    ) -> Iterator[Callable[[], None]]:
        """What is to be done for each key."""
        signals, updates = self._by_key(records, batch)
        for ref, room_signals in signals.items():
            yield partial(batch.process, ref, room_signals, self._fold_step(ref, batch, now))
        write = self._session_step(batch)
        for key, user_updates in updates.items():
            yield partial(batch.process, key, user_updates, write)

    def _by_key(self, records: Iterable[Record], batch: KeptBatch) -> tuple[_Signals, _Updates]:
        """The signals and the session updates that the records hold; this reads no table."""
        signals: _Signals = defaultdict(list)
        updates: _Updates = defaultdict(list)

        def sort(record: Record) -> None:
            item = item_of(record)
            if is_change(record):
                change = change_of(item)
                for update in session_updates(change):
                    updates[change.ref, update.user].append((record, update))
            elif room_signal := signal_from(item, self._writer.table):
                ref, signal = room_signal
                signals[ref].append((record, signal))

        batch.process("decoding", ((record, record) for record in records), sort)
        return signals, updates

    def _session_step(self, batch: KeptBatch) -> Callable[[SessionUpdate], None]:
        def step(update: SessionUpdate) -> None:
            written = self._sessions.write(update)
            if written is None:
                batch.count("missing")
            elif written:
                batch.count("sessions")

        return step

    def _fold_step(self, ref: RoomKey, batch: KeptBatch, now: int) -> Callable[[Signal], None]:
        room: RoomState | None = None  # Read once, and led on from signal to signal.

        def step(signal: Signal) -> None:
            nonlocal room
            room = room or self._writer.table.room(ref)
            after = self._writer.reapply(room, signal, now)
            batch.count("refolded")
            if after is not room:
                batch.count("healed")
            room = after

        return step


def may_succeed_later(error: Exception) -> bool:
    """Whether the store is to blame, which may pass or be repaired, and not the record."""
    if isinstance(error, ClientError):
        return _NEVER_ACCEPTED.isdisjoint({error_code(error), *cancellation_reasons(error)})
    if isinstance(error, ParamValidationError):
        return False
    return isinstance(error, StoreUnavailable | BotoCoreError)
