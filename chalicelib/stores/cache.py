"""A cache that refreshes itself: never older than a stated bound while the stores answer.

The call that finds a value due starts the refresh (one at a time for each value) and waits for it a
little; where the store is slower than that, the old value serves and the new one is there for a
later call. While the store is down the last good value goes on, up to a bound. What the store does
not have is remembered for a while too.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from chalicelib.stores.store import NotInStore, PerhapsNotInStore, StoreDown, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# A value is read again when it is this old (less up to a fifth, by chance).
REFRESH_SECONDS = float(os.environ.get("ROOMGATE_REFRESH_SECONDS", "60"))
WAIT_SECONDS = 0.3  # A refresh holds a call up for at most this long.
# A value not seen before is waited for this long. A cold call may wait three times (caller, key,
# report token), and must be answered within the functions' timeout (20 s) all the same.
FIRST_WAIT_SECONDS = 5.0
RETRY_SECONDS = 5.0  # After a failed refresh the next one waits this long.
RENEW_SECONDS = 10.0  # A value that does not fit is asked for anew this often, however many ask.
MISSING_SECONDS = 15.0  # What the store does not have is asked for again after this.
OVERDUE_SECONDS = 2 * REFRESH_SECONDS  # Nobody asked for so long: the environment stood still.
STALE_SECONDS = 24 * 3600.0  # With the store down, a value serves this long after it was read.
MOST = 10_000  # Names kept; one without a value goes first, else the one asked for longest ago.


class Entry(Generic[T]):
    """What is known of one name."""

    __slots__ = ("asked_at", "due", "error", "flight", "loaded_at", "patience", "value")

    def __init__(self) -> None:
        self.value: T | None = None
        self.error: StoreError | None = None
        self.loaded_at = 0.0
        self.due = 0.0
        self.asked_at = 0.0
        self.flight: threading.Thread | None = None
        self.patience = 0.0  # By time.monotonic: how long calls wait for the flight.


class RefreshingCache(Generic[T]):
    """Values by name, each loaded on first use and refreshed when due.

    Args:
        load: reads one value; raises StoreError. Called on a thread of its own.
        on_failure: told of each failed load (but for what the store does not have), on that
            thread; the error's ``age`` says how old the value is that goes on serving.
        clock: unix time in seconds.
        jitter: a number from 0 to 1 by chance; spreads the refreshes of many environments.
        wait: seconds that a refresh may hold up calls, all of them together.
        overdue_wait: the same for a value that nobody asked for in OVERDUE_SECONDS, which may say
            what is long over; ``wait`` by default.
        stale: seconds that a value serves after it was read, with the store down.
    """

    def __init__(
        self,
        load: Callable[[str], T],
        *,
        on_failure: Callable[[StoreError], None] = lambda _error: None,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = lambda: os.urandom(1)[0] / 255,
        wait: float = WAIT_SECONDS,
        overdue_wait: float | None = None,
        stale: float = STALE_SECONDS,
    ) -> None:
        self._load = load
        self._on_failure = on_failure
        self._clock = clock
        self._jitter = jitter
        self._wait = wait
        self._overdue_wait = wait if overdue_wait is None else overdue_wait
        self._stale = stale
        self._entries: OrderedDict[str, Entry[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> T:
        """The value of a name.

        Raises:
            NotInStore: the store has no such thing (or had none a moment ago).
            StoreDown: there is no value, or none young enough, and the store does not give one.
        """
        entry = self._entries.get(name)
        if entry is None:
            return self._outcome(name, self._refresh(name))
        value = entry.value
        if self._clock() >= entry.due:
            return self._outcome(name, self._refresh(name))
        if value is not None and entry.error is None:
            return value  # What a warm call does: two look-ups and a comparison.
        return self._outcome(name, entry)

    def renew(self, name: str) -> bool:
        """Have the next ``get`` ask the store anew, where a value did not fit what came in.

        Whoever sends what does not fit can do so as often as he likes, so this happens at most
        every RENEW_SECONDS.

        Returns:
            Whether the next ``get`` will.
        """
        entry = self._entries.get(name)
        if entry is None:
            return True
        if self._clock() - entry.asked_at < RENEW_SECONDS:
            return False
        entry.due = 0.0
        return True

    def expire(self, name: str) -> None:
        """Have the next ``get`` ask the store anew, where it is known to hold another value."""
        entry = self._entries.get(name)
        if entry is not None:
            entry.due = 0.0

    def loaded(self, name: str) -> bool:
        """Whether a usable value is in memory; asks no store."""
        entry = self._entries.get(name)
        return entry is not None and entry.value is not None and not self._too_old(entry)

    def knows(self, name: str) -> bool:
        """Whether a ``get`` would find a usable value, or that there was none a moment ago."""
        entry = self._entries.get(name)
        return entry is not None and (self._clock() < entry.due or self.loaded(name))

    def age(self, name: str) -> float | None:
        """Seconds since the value was read, or None where there is none."""
        entry = self._entries.get(name)
        return None if entry is None or entry.value is None else self._clock() - entry.loaded_at

    def _refresh(self, name: str) -> Entry[T]:
        with self._lock:
            entry = self._entries.setdefault(name, Entry())
            self._entries.move_to_end(name)
            if len(self._entries) > MOST:
                self._evict()
            if self._clock() < entry.due:  # Another call refreshed it while this one waited.
                return entry
            if entry.flight is None or self._overdue(entry):  # That one may have stood still too.
                entry.patience = time.monotonic() + self._patience(entry)
                entry.asked_at = self._clock()
            flight = entry.flight or self._start(name, entry)
        flight.join(max(0.0, entry.patience - time.monotonic()))
        return entry

    def _evict(self) -> None:
        """Drop one name. Whoever makes names up must not push out a value that serves."""
        empty = (name for name, entry in self._entries.items() if entry.value is None)
        oldest = next(iter(self._entries))
        del self._entries[next(empty, oldest)]

    def _overdue(self, entry: Entry[T]) -> bool:
        return self._clock() - entry.asked_at > OVERDUE_SECONDS

    def _patience(self, entry: Entry[T]) -> float:
        """Seconds that calls wait for a value."""
        if entry.value is None and not isinstance(entry.error, NotInStore):
            return FIRST_WAIT_SECONDS
        return self._overdue_wait if self._overdue(entry) else self._wait

    def _start(self, name: str, entry: Entry[T]) -> threading.Thread:
        flight = threading.Thread(target=self._fly, args=(name, entry), daemon=True)
        entry.flight = flight
        flight.start()
        return flight

    def _fly(self, name: str, entry: Entry[T]) -> None:
        try:
            self._land(entry, self._load(name))
        except NotInStore as error:
            if entry.value is not None and isinstance(error, PerhapsNotInStore):
                self._failed(entry, StoreDown(error.name, error.reason))
            else:
                entry.value, entry.error = None, error
                entry.due = self._clock() + MISSING_SECONDS
        except StoreError as error:
            self._failed(entry, error)
        except Exception as error:  # noqa: BLE001 (garbage that no load foresaw is a store that is
            # down too; its text may hold what the store said, so only its type is told)
            self._failed(entry, StoreDown(name, type(error).__name__))
        finally:
            entry.flight = None

    def _failed(self, entry: Entry[T], error: StoreError) -> None:
        now = self._clock()
        error.age = None if entry.value is None else now - entry.loaded_at
        entry.error, entry.due = error, now + RETRY_SECONDS
        self._on_failure(error)

    def _land(self, entry: Entry[T], value: T) -> None:
        now = self._clock()
        entry.value, entry.error, entry.loaded_at = value, None, now
        entry.due = now + REFRESH_SECONDS * (1 - self._jitter() / 5)

    def _outcome(self, name: str, entry: Entry[T]) -> T:
        value, error = entry.value, entry.error
        if value is not None and not self._too_old(entry):
            return value
        if error is None:
            raise StoreDown(name, "no answer in time")
        raise type(error)(error.name, error.reason)  # A new one: a raised one grows its traceback.

    def _too_old(self, entry: Entry[T]) -> bool:
        return self._clock() - entry.loaded_at > self._stale
