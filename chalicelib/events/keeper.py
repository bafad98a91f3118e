"""What keeper makes of a batch of the event table's stream.

What was said is folded once more, since whoever stored it may have died before it was folded; each
change of a room is written into sessions. Both change nothing if they are done already, so that all
can come again and again.

AWS's rules for a consumer: it names records that failed, the lowest of them is the checkpoint, and
all from there on comes again. So a failure that passes fails its record, and nothing later of the
same key is done: a room's changes are one key, since they come in order, and what was said in a
room is another. All other keys go on. What can never succeed fails nothing: it goes to the
quarantine with its reason, and even its own key goes on.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from chalicelib.events.dynamodb import error_code
from chalicelib.events.refusals import StoreUnavailable
from chalicelib.events.stream import News
from chalicelib.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chalicelib.events.folder import Folder
    from chalicelib.events.keys import RoomRef
    from chalicelib.events.rooms import RoomState
    from chalicelib.events.stays import Stays
    from chalicelib.events.stream import Record

_NEVER: Final = "ValidationException"
"""What DynamoDB says of a request that it will never take."""


class Keeps(Protocol):
    """What keeper asks of a quarantine."""

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Store poison, of which there is some; whether it is stored."""


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

    def work(self, key: Iterable[News], step: Callable[[News], None]) -> None:
        """Take a step with each record of a key, until one fails."""
        for news in key:
            try:
                step(news)
            except Exception as error:  # noqa: BLE001 (told, and kept with its reason)
                if passes(error):
                    self.fail(news.sequence, reason_of(error))
                    return
                self.isolate(news, error)

    def isolate(self, news: News, error: Exception) -> None:
        """Have a record that can never succeed kept."""
        poison = {"sequence": news.sequence, "reason": reason_of(error), "record": news.record}
        self.poison.append(poison)

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
        keys: dict[tuple[bool, RoomRef], list[News]] = {}

        def sort(news: News) -> None:
            keys.setdefault((news.is_change, news.ref), []).append(news)

        batch.work(map(News.of, records), sort)
        for (is_change, ref), key in keys.items():
            step = self._writing(batch) if is_change else self._folding(ref, batch, now)
            batch.work(key, step)
        if batch.poison and not self._quarantine.put(batch.poison):
            # Nothing keeps them yet, so they have to come again.
            for each in batch.poison:
                batch.fail(each["sequence"], "quarantine")
        return batch

    def _writing(self, batch: Batch) -> Callable[[News], None]:
        def step(news: News) -> None:
            written = self._stays.write(news.change)
            batch.counts["sessions"] += written.sessions
            batch.counts["missing"] += written.missing

        return step

    def _folding(self, ref: RoomRef, batch: Batch, now: int) -> Callable[[News], None]:
        room: RoomState | None = None  # Read once, and led on from signal to signal.

        def step(news: News) -> None:
            nonlocal room
            signal = news.signal(self._folder.table)
            if signal is None:
                return
            room = room or self._folder.table.room(ref)
            after = self._folder.refold(room, signal, now)
            batch.counts["refolded"] += 1
            batch.counts["healed"] += after is not room
            room = after

        return step


def passes(error: Exception) -> bool:
    """Whether it may succeed another time: the store is away or refuses; no fault of the record."""
    if isinstance(error, ClientError):
        return error_code(error) != _NEVER
    if isinstance(error, ParamValidationError):
        return False
    return isinstance(error, StoreUnavailable | BotoCoreError)


def reason_of(error: Exception) -> str:
    """Why it failed, and where unless it is foreseen; it repeats nothing of what the record holds."""
    if isinstance(error, Refusal):
        return error.code
    if isinstance(error, ClientError):
        return f"AWS refused {error.operation_name}: {error_code(error)}"
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"
