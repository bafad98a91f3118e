"""What keeper makes of a batch of the event table's stream.

What was said is folded once more, since whoever stored it may have died before it was folded; each
change of a room is written into sessions. Both change nothing if they are done already, so that all
can come again and again.

AWS's rules for a consumer: it names records that failed, the lowest of them is the checkpoint, and
all from there on comes again. So a failure that passes fails its record, and nothing later of the
same key is done: what was said in a room is one key, since its fold goes from head to head; what
becomes of one user's stays in a room is another, since they come in order. All other keys go on,
some side by side, until so many have failed that the table must be away. What can never succeed
fails nothing: it goes to the quarantine with its reason, and even its own key goes on.

Of a shard one batch is worked off at a time. With more at once Lambda would keep the order of each
item alone, and every change of a room is an item of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from chalicelib.errors import ApiError
from chalicelib.stream.records import heard, item_of, sequence_of, tells_of_change
from chalicelib.table.client import cancellation_reasons, error_code
from chalicelib.table.errors import StoreUnavailable
from chalicelib.table.rooms import change_of
from chalicelib.table.stays import turns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from chalicelib.roster.signal import Signal
    from chalicelib.stream.quarantine import QuarantineSink
    from chalicelib.stream.records import Record
    from chalicelib.table.item_keys import RoomKey
    from chalicelib.table.rooms import RoomState
    from chalicelib.table.stays import Sessions, SessionUpdate
    from chalicelib.table.writer import RoomWriter

    _Said = dict[RoomKey, list[tuple[Record, Signal]]]
    _Turns = dict[tuple[RoomKey, str], list[tuple[Record, SessionUpdate]]]

T = TypeVar("T")

_NEVER: Final = {"ValidationException", "ValidationError"}
"""What DynamoDB says of a request that it will never take, or of one item of a transaction."""


WORKERS: Final = 8
"""Keys that are worked off side by side, since each waits for the table most of the time; botocore
has ten connections (its ``max_pool_connections``)."""

ENOUGH: Final = 20
"""Failed keys after which all others are put off unseen. If the table does not answer, a key takes
5 s, and Lambda ends a batch after 120 s, with nothing said of what failed."""


class Batch:
    """What became of a batch; for threads.

    Attributes:
        counts: ``refolded``: signals; ``healed``: those of them that changed a room after all;
            ``sessions``: opened and closed; ``missing``: leaves without a session to close.
        failed: how many keys failed, or records that nothing keeps.
        reasons: of failures that pass.
    """

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.failed = 0
        self.reasons = Counter[str]()
        self._again: set[str] = set()
        self._poison: dict[str, dict[str, Any]] = {}
        self._lock = Lock()

    @property
    def poison(self) -> list[dict[str, Any]]:
        """What can never succeed: sequence, reason, record; in the order of the stream."""
        return sorted(self._poison.values(), key=lambda each: int(each["sequence"]))

    @property
    def answer(self) -> dict[str, list[dict[str, str]]]:
        """Lambda's partial batch response."""
        # The lowest first, since that is where AWS goes on.
        again = sorted(self._again, key=int)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in again]}

    def work(self, key: Iterable[tuple[Record, T]], step: Callable[[T], None]) -> None:
        """Take a step with what each record of a key tells, until one fails."""
        for record, told in key:
            if self.failed >= ENOUGH:
                self.fail(sequence_of(record), "put-off")
                return
            try:
                step(told)
            except Exception as error:  # noqa: BLE001 (told, and kept with its reason)
                if passes(error):
                    self.fail(sequence_of(record), reason_of(error))
                    return
                self.isolate(record, error)

    def count(self, what: str) -> None:
        """Count something that was done."""
        with self._lock:
            self.counts[what] += 1

    def isolate(self, record: Record, error: Exception) -> None:
        """Have a record that can never succeed kept, once."""
        sequence, reason = sequence_of(record), reason_of(error)
        with self._lock:
            kept = {"sequence": sequence, "reason": reason, "record": record}
            self._poison.setdefault(sequence, kept)

    def fail(self, sequence: str, reason: str) -> None:
        """Have a record come again."""
        with self._lock:
            self.failed += 1
            self._again.add(sequence)
            self.reasons[reason] += 1


class Keeper:
    """Works off batches.

    Args:
        folder: folds; for threads.
        stays: writes sessions, likewise.
        quarantine: keeps what can never succeed.
        workers: keys that are worked off side by side.
    """

    def __init__(
        self,
        folder: RoomWriter,
        stays: Sessions,
        quarantine: QuarantineSink,
        workers: int = WORKERS,
    ) -> None:
        self._folder = folder
        self._stays = stays
        self._quarantine = quarantine
        self._workers = workers

    def keep(self, records: Iterable[Record], now: int) -> Batch:
        """Work off one batch.

        Args:
            records: as Lambda hands them over: those of inserted items, in the order of the stream.
            now: unix ms.
        """
        batch = Batch()
        with ThreadPoolExecutor(self._workers) as pool:
            done = [pool.submit(work) for work in self._works(records, batch, now)]
        for each in done:
            each.result()
        poison = batch.poison
        if poison and not self._quarantine.put(poison):
            # Nothing keeps them yet, so they have to come again.
            for kept in poison:
                batch.fail(kept["sequence"], "quarantine")
        return batch

    def _works(
        self, records: Iterable[Record], batch: Batch, now: int
    ) -> Iterator[Callable[[], None]]:
        """What is to be done of each key."""
        said, turns = self._sorted(records, batch)
        for ref, signals in said.items():
            yield partial(batch.work, signals, self._folding(ref, batch, now))
        writing = self._writing(batch)
        for stays in turns.values():
            yield partial(batch.work, stays, writing)

    def _sorted(self, records: Iterable[Record], batch: Batch) -> tuple[_Said, _Turns]:
        """What the records tell, by keys."""
        said: _Said = defaultdict(list)
        turns: _Turns = defaultdict(list)

        def sort(record: Record) -> None:
            item = item_of(record)
            if tells_of_change(record):
                change = change_of(item)
                for user, turn in turns_of(change):
                    turns[change.ref, user].append((record, turn))
            elif told := heard(item, self._folder.table):
                ref, signal = told
                said[ref].append((record, signal))

        batch.work(((record, record) for record in records), sort)
        return said, turns

    def _writing(self, batch: Batch) -> Callable[[SessionUpdate], None]:
        def step(turn: SessionUpdate) -> None:
            written = self._stays.write(turn)
            if written is None:
                batch.count("missing")
            elif written:
                batch.count("sessions")

        return step

    def _folding(self, ref: RoomKey, batch: Batch, now: int) -> Callable[[Signal], None]:
        room: RoomState | None = None  # Read once, and led on from signal to signal.

        def step(signal: Signal) -> None:
            nonlocal room
            room = room or self._folder.table.room(ref)
            after = self._folder.refold(room, signal, now)
            batch.count("refolded")
            if after is not room:
                batch.count("healed")
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
    if isinstance(error, ApiError):
        return error.code
    if isinstance(error, ClientError):
        return f"AWS refused {error.operation_name}: {error_code(error)}"
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"
