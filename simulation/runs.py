"""Runs: one history, what is sent of it, and what a rule makes of that."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import count, pairwise
from random import Random
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from chalicelib.roster.head import RETURN
from simulation.clients import Senders
from simulation.truth import history, truths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.signal import Order, Signal
    from simulation.rules import Rule
    from simulation.sights import Sight
    from simulation.truth import Change, Setting

History: TypeAlias = "Callable[[Setting, Random], list[Change]]"
"""Makes all changes of a room."""

SIGHT = 1_000
"""Ms that may pass until a client sees something, and until its report comes in."""

QUIET = 30_000
"""Ms after the last signal, before everyone sends a heartbeat."""
LAST_BEATS = 20_000
"""Ms in which all of them do."""
SETTLED = 60_000
"""Ms after these at which the roster is looked at: a leave may lack one witness."""


class Score(NamedTuple):
    """How a rule did in one run.

    Attributes:
        true: transitions that truly were.
        lasting: of these, those that lists alone can tell from a network switch: without leaves
            after which the user was back within `RETURN`, and these returns.
        told: of these, those that show in the lists that were sent.
        emitted: those that the rule has made of them.
        twice: of these, those that were a user's second join or leave in a row.
        right: in the end the roster is.
        knowable: in the end somebody reports who is in the room.
    """

    true: int
    lasting: int
    told: int
    emitted: int
    twice: int
    right: bool
    knowable: bool


class World:
    """One history and what is sent of it, for any number of rules.

    Args:
        setting: the room.
        seed: of all that is left to chance.
        make: makes the history.
        odd: as of Senders.
    """

    def __init__(
        self, setting: Setting, seed: int, make: History = history, *, odd: bool = True
    ) -> None:
        chance = Random(f"{seed} {setting}")  # noqa: S311 (a simulation)
        self.changes = make(setting, chance)
        self.senders = Senders(setting, self.changes, chance, odd=odd)
        self.sent = self.senders.play()
        self.truth = truths(self.changes)[-1]
        self.told = told(self.changes, self.sent.told)
        self._answers: Counter[Order] = Counter()

    def score(self, rule: Rule) -> Score:
        """Let a rule hear everything, then everyone's heartbeat."""
        # Answers to heartbeats differ from rule to rule; what they draw must not.
        self.senders.chance = Random(0)  # noqa: S311 (likewise)
        self._answers.clear()
        now = self._hear(rule, self.sent.signals)
        now = self._hear(rule, self.last_beats(now + QUIET))
        return Score(
            true=sum(len(change.users) for change in self.changes),
            lasting=lasting(self.changes),
            told=self.told,
            emitted=len(rule.emitted),
            twice=twice(rule.emitted),
            right=self.is_right(rule.shown(now + SETTLED)),
            knowable=bool(self.sent.last()),
        )

    def is_right(self, shown: AbstractSet[str]) -> bool:
        """Whether a roster holds all who are in the room, and nobody who is known to have left."""
        ghosts = shown - self.truth
        return self.truth <= shown and not any(map(self._saw_leave, ghosts))

    def _saw_leave(self, user: str) -> bool:
        """Whether somebody who reports in the end has named a user in its last stay."""
        came = self.sent.clients[user][-1].stay.start
        return any(
            user in sight.users and sight.t >= came
            for client in self.sent.last()
            for sight in client.sights
        )

    def last_beats(self, start: int) -> list[Signal]:
        """A heartbeat of everyone who reports and is in the room in the end.

        Args:
            start: unix ms at which the first one is sent at the earliest.
        """
        beats = []
        for client in self.sent.last():
            t = start + self.senders.chance.randint(0, LAST_BEATS)
            beats.append(self.senders.beat(client, len(client.sights) - 1, t))
        return sorted(beats, key=lambda beat: beat.received)

    def _hear(self, rule: Rule, signals: Sequence[Signal]) -> int:
        """Let a rule hear signals, and the lists that it asks for; when the last one came in."""
        number = count()
        queue = [(signal.received, next(number), signal) for signal in signals]
        now = 0
        while queue:
            now, _, signal = heapq.heappop(queue)
            if rule.take(signal):
                answer = self.answer(signal)
                if answer:
                    heapq.heappush(queue, (answer.received, next(number), answer))
        return now

    def answer(self, beat: Signal) -> Signal | None:
        """The list that a client sends when it is asked for it."""
        clients = self.sent.clients[beat.user]
        client = [each for each in clients if each.stay.start <= beat.t][-1]
        sent = beat.received + self.senders.transit()
        if not client.stay.lasts(sent):
            return None
        at = client.sees(sent)
        order = client.order(at)
        self._answers[order] += 1
        answer = self.senders.list(client, at, client.sights[at], sent, 0)
        again = client.order(at, self._answers[order])
        return answer._replace(order=again, asked=True)


def lasting(changes: list[Change]) -> int:
    """How many transitions there truly were, but for leaves with a return soon after."""
    number = 0
    left: dict[str, int] = {}
    for change in changes:
        number += len(change.users)
        left |= dict.fromkeys(change.left, change.t)
        number -= 2 * sum(change.t - left.get(user, 0) <= RETURN + SIGHT for user in change.joined)
    return number


def told(changes: list[Change], sights: list[Sight]) -> int:
    """How many transitions show in the lists that were sent.

    Of each user, whether it is in the room is known after each number of its changes that some
    list has seen; a change shows if what is known before and after it differs.
    """
    mine: dict[str, list[int]] = defaultdict(list)
    for at, change in enumerate(changes):
        for user in change.users:
            mine[user].append(at)
    seen: dict[str, set[int]] = {user: {0} for user in mine}
    for known in {sight.known for sight in sights if sight.known}:
        for user, places in mine.items():
            seen[user].add(bisect_left(places, known))
    for sight in sights:
        for at in sight.besides:
            for user in changes[at].users:
                seen[user].add(1 + mine[user].index(at))
    return sum(_turns(sorted(numbers)) for numbers in seen.values())


def twice(emitted: list[tuple[str, bool]]) -> int:
    """How many transitions are a user's second join in a row, or second leave."""
    last: dict[str, bool] = {}
    wrong = 0
    for user, joined in emitted:
        wrong += last.get(user, False) == joined
        last[user] = joined
    return wrong


def _turns(numbers: list[int]) -> int:
    """How often an even number follows an odd one, or an odd one an even one."""
    return sum(a % 2 != b % 2 for a, b in pairwise(numbers))
