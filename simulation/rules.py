"""Rules that make a roster of what is said: ours, and two that everyone thinks of first."""

from __future__ import annotations

import heapq
from random import Random
from typing import TYPE_CHECKING, Protocol

from chalicelib.roster.fold import Folded, fold
from chalicelib.roster.head import Head
from chalicelib.roster.known import MOST_PAST, MOST_RECENT, Known, Needs, Read
from chalicelib.roster.members import Member, Transition, replay
from chalicelib.roster.signal import Kind, Order, PastReport, Signal, Source
from chalicelib.roster.timeouts import Settled, settle, settled_members
from chalicelib.roster.view import set_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

MOST = 5000
VIEW_EXPIRES = 150_000  # ms
WHOLE = 12
"""Lists of so many are stored whole."""


REFOLDED_AFTER = (300, 3_000)
"""Ms from when something comes in to when keeper folds it: a window of a second, and the stream."""


class Rule(Protocol):
    """A way to know who is in a room.

    Attributes:
        name: of the rule.
    """

    name: str

    @property
    def emitted(self) -> list[tuple[str, bool]]:
        """Who came (True) and went (False), as the rule has it."""

    def take(self, signal: Signal) -> bool:
        """Hear something; whether the list is wanted again."""

    def shown(self, now: int) -> set[str]:
        """Who is in the room at a moment that is not before the last signal."""


class LastWriterWins:
    """The newest list is the roster."""

    name = "last writer wins"

    def __init__(self) -> None:
        self.emitted: list[tuple[str, bool]] = []
        self._roster: frozenset[str] = frozenset()
        self._t = 0

    def take(self, signal: Signal) -> bool:
        """Hear something."""
        if signal.kind is Kind.HEARTBEAT:
            return signal.hash != set_hash(self._roster)
        if signal.kind is Kind.LIST and signal.t >= self._t:
            self._t = signal.t
            self._show(frozenset(signal.listed))
        elif signal.kind is Kind.LEFT:
            self._show(self._roster - {signal.user})
        return False

    def shown(self, now: int) -> set[str]:  # noqa: ARG002 (the protocol's)
        """Who is in the room."""
        return set(self._roster)

    def _show(self, roster: frozenset[str]) -> None:
        if roster == self._roster:
            return
        self.emitted += [(user, True) for user in roster - self._roster]
        self.emitted += [(user, False) for user in self._roster - roster]
        self._roster = roster


class UnionOfViews(LastWriterWins):
    """Everyone is in the room whom the newest list of anyone names, for as long as that is new."""

    name = "union of views"

    def __init__(self) -> None:
        super().__init__()
        self._views: dict[str, Signal] = {}
        self._lists: dict[str, list[Signal]] = {}
        self._checked = 0
        self._shown: set[str] = set()

    def take(self, signal: Signal) -> bool:
        """Hear something."""
        user = signal.user
        view = self._views.get(user)
        if signal.kind is Kind.HEARTBEAT:
            return view is None or view.hash != signal.hash
        if signal.kind is Kind.LEFT:
            self._drop(user)
        elif view is None or view.order < signal.order:
            self._drop(user)
            self._views[user] = signal
            self._lists.setdefault(signal.hash, []).append(signal)
        self._refresh(signal.received)
        return False

    def shown(self, now: int) -> set[str]:
        """Who is in the room at a moment."""
        self._refresh(now)
        return set(self._roster)

    def _drop(self, user: str) -> None:
        view = self._views.pop(user, None)
        if view is not None:
            self._lists[view.hash].remove(view)
            if not self._lists[view.hash]:
                del self._lists[view.hash]

    def _refresh(self, now: int) -> None:
        if now >= self._checked + 1000:
            self._checked = now
            for user in [user for user, it in self._views.items() if it.t <= now - VIEW_EXPIRES]:
                self._drop(user)
        if self._lists.keys() != self._shown:
            self._shown = set(self._lists)
            self._show(frozenset().union(*(views[0].listed for views in self._lists.values())))


class Roomgate:
    """The fold, with stores that are dictionaries.

    Attributes:
        head: the head.
        members: the roster, those about to leave among them.
        timeline: all transitions,
        versions: and the versions that they made.
        folded: what came of the last signal.
        most: members of the room.
        signals: how many were folded,
        writes: how often the head was another then,
        recalls: how often the reporter's last reports were read,
        loads: and how often the members.
    """

    name = "roomgate"

    def __init__(self) -> None:
        self.head = Head()
        self.members: dict[str, Member] = {}
        self.timeline: list[Transition] = []
        self.versions: list[int] = []
        self.emitted: list[tuple[str, bool]] = []
        self.folded: Folded | None = None
        self.most = MOST
        self.signals = self.writes = self.recalls = self.loads = 0
        self._stored: dict[str, dict[Order, tuple[Signal, PastReport]]] = {}

    def take(self, signal: Signal) -> bool:
        """Store it, unless it is stored, and fold what is stored."""
        now = signal.received
        if signal.source is not Source.TENCENT and signal.kind is not Kind.HEARTBEAT:
            mine = self._stored.setdefault(signal.user, {})
            if signal.order not in mine:
                mine[signal.order] = signal, said(signal, self.head, self.members)
            signal, _ = mine[signal.order]
        self.signals += 1
        self.folded = self._fold(signal, now)
        return self.folded.resend

    def shown(self, now: int) -> set[str]:
        """The settled view."""
        return set(settled_members(self.head, now, self.members))

    def settle(self, now: int) -> None:
        """What the sweeper does."""
        settled = settle(self.head, now, Known(self.members))
        assert isinstance(settled, Settled)
        self._write(*settled)

    def _fold(self, signal: Signal, now: int) -> Folded:
        known = Known()
        while isinstance(folded := fold(self.head, signal, known, now=now, most=self.most), Needs):
            known = self._read(folded, signal.user, known)
        self._write(folded.head, folded.transitions)
        return folded

    def _read(self, needs: Needs, user: str, known: Known) -> Known:
        if needs.read is Read.MEMBERS:
            assert known.members is None
            self.loads += 1
            return known._replace(members=self.members)
        self.recalls += 1
        if needs.read is Read.WORDS:
            words = {user: next(iter(self._recall(user)), None) for user in needs.users}
            return known._replace(words={**known.words, **words})
        if needs.read is Read.PAST:
            return known._replace(past=self._recall(user)[:MOST_PAST])
        return known._replace(recent=self._recall(user))

    def _recall(self, user: str) -> tuple[PastReport, ...]:
        mine = self._stored.get(user, {})
        return tuple(mine[order][1] for order in sorted(mine, reverse=True)[:MOST_RECENT])

    def _write(self, head: Head, transitions: Sequence[Transition]) -> None:
        self.writes += head is not self.head
        assert (head.version != self.head.version) == bool(transitions)
        if transitions:
            self.versions.append(head.version)
            self.members = replay(self.members, transitions)
            self.timeline += transitions
            self.emitted += [(each.user, each.joined) for each in transitions]
        self.head = head
        assert head.size == len(self.members)
        assert head.hash == set_hash(self.members.keys() - head.leaving(self.members).keys())


class Refolded(Roomgate):
    """The same with a keeper: what is stored is folded once more, some time later."""

    name = "roomgate, twice"

    def __init__(self) -> None:
        super().__init__()
        self._chance = Random(0)  # noqa: S311 (a simulation)
        self._again: list[tuple[int, int, Signal]] = []
        self._refolded = 0

    def take(self, signal: Signal) -> bool:
        """Fold what is stored; a heartbeat is not. Of what came in twice, the first is."""
        self._refold(signal.received)
        mine = self._stored.get(signal.user, {})
        if signal.kind is not Kind.HEARTBEAT and signal.order not in mine:
            at = signal.received + self._chance.randint(*REFOLDED_AFTER)
            heapq.heappush(self._again, (at, len(self._again) + self._refolded, signal))
        return super().take(signal)

    def shown(self, now: int) -> set[str]:
        """The settled view."""
        self._refold(now)
        return super().shown(now)

    def _refold(self, now: int) -> None:
        while self._again and self._again[0][0] <= now:
            _, _, signal = heapq.heappop(self._again)
            self._refolded += 1
            self._fold(signal, signal.received)


def said(signal: Signal, head: Head, members: Mapping[str, Member]) -> PastReport:
    """What is recalled of a signal: a short list whole, else what differs from the roster."""
    if signal.kind is not Kind.LIST:
        return PastReport(signal.order, signal.t, signal.received, "", 0)
    listed = signal.listed | {signal.user}
    it = PastReport(signal.order, signal.t, signal.received, signal.hash, len(listed), plus=listed)
    it = it._replace(asked=signal.asked)
    if len(listed) <= WHOLE:
        return it
    plus: AbstractSet[str] = frozenset()
    minus: AbstractSet[str] = head.leaving(members).keys()
    if signal.hash != head.hash:
        plus, minus = listed - members.keys(), members.keys() - listed
    return it._replace(base=head.version, plus=plus, minus=minus)
