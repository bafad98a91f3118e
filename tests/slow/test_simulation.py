"""The simulation, over a few seeds; ``python -m simulation`` prints the table of many."""

from __future__ import annotations

import pytest

from chalicelib.roster.head import Head
from simulation.rules import REFOLDED_AFTER, LastWriterWins, Refolded, Roomgate
from simulation.runs import World, told, twice
from simulation.sights import Sight
from simulation.table import KEPT, SETTINGS, tabulate
from simulation.truth import Change, Setting, history
from tests.support.seeds import MANY

RUNS = {1: 6, 2: 6, 4: 12, 20: 4, 100: 1, 1000: 1} if MANY else {1: 3, 2: 3, 4: 6, 20: 2, 100: 1}
CHANGES = {100: 40, 1000: 2}
"""In a room of 1,000, each makes 1,000 reports."""

QUICK = [
    it for it in SETTINGS if it.size in RUNS and (it.size < 100 or not (it.beats or it.callbacks))
]


TWICE = [it for it in SETTINGS if it.size in KEPT and (it.size < 100 or it in SETTINGS[:6])]
TWICE_RUNS = {4: 8, 20: 2, 100: 1}


def short(setting: Setting) -> Setting:
    """A setting that does not take long."""
    return setting._replace(changes=CHANGES.get(setting.size, setting.changes))


@pytest.mark.parametrize("setting", QUICK, ids=lambda it: "-".join(map(str, it)))
def test_what_is_emitted_is_what_happened(setting: Setting) -> None:
    """In the end the roster is right, and on the way there was little that was not true.

    In rooms of 4 to 100 members there are 0.98 to 1.02 transitions for each true one where clients
    see changes in order, else at most 1.15; in none does a user come or go twice in a row. In the
    end is: once each member that reports has sent a heartbeat, and its list if that was wanted.
    """
    ours, last_writer, _ = tabulate(short(setting), range(RUNS[setting.size]))
    assert ours.faults() == []
    assert ours.rule == Roomgate.name
    if setting.size >= 20:
        assert last_writer.ratio > 2 * ours.ratio


@pytest.mark.parametrize("setting", TWICE, ids=lambda it: "-".join(map(str, it)))
def test_what_keeper_folds_once_more_was_folded(setting: Setting) -> None:
    """All that is stored is folded again a while later, and the bounds are the same."""
    (line,) = tabulate(setting, range(TWICE_RUNS[setting.size]), (Refolded,))
    assert line.faults() == []


def test_what_only_keeper_folds_counts() -> None:
    """The second fold is one: what the webhook has stored, and died, is in the roster after it."""
    rule, (signal, *_) = Refolded(), World(Setting(4), 0).sent.signals
    rule.take(signal)
    rule.head, rule.members = Head(), {}
    assert rule.shown(signal.received) == set()
    assert signal.user in rule.shown(signal.received + REFOLDED_AFTER[1])


def test_a_run_can_be_had_again() -> None:
    """Everything comes from the seed, and rules do not disturb each other."""
    one, other = World(Setting(20), 3), World(Setting(20), 3)
    assert one.sent.signals == other.sent.signals
    one.score(LastWriterWins())
    assert one.score(Roomgate()) == other.score(Roomgate())


def test_bad_things_happen() -> None:
    """Reports come twice, late, out of order and with wrong ages; some members never report."""
    world = World(Setting(100), 1)
    lists = [signal for signal in world.sent.signals if signal.listed]
    once = {(signal.user, signal.order) for signal in lists}
    assert len(lists) > 1.04 * len(once)
    assert sum(signal.received - signal.t > 30_000 for signal in lists) > 20
    assert sum(len(signal.listed) == 1 for signal in lists) > 10
    assert {signal.user for signal in lists} < set().union(
        *(change.users for change in world.changes)
    )
    seen: dict[str, int] = {}
    backwards = 0
    for signal in lists:
        backwards += seen.get(signal.user, 0) > signal.order.seq
        seen[signal.user] = signal.order.seq
    assert backwards > 50


def test_a_history_has_no_two_changes_at_one_moment() -> None:
    """So there is one true order."""
    times = [change.t for change in history(Setting(100), World(Setting(4), 0).senders.chance)]
    assert times == sorted(set(times))


def test_what_no_list_shows_was_not_told() -> None:
    """Of a user that comes, goes and comes, a list before and one after show one change."""
    anna = frozenset(["anna"])
    changes = [Change(1, joined=anna), Change(2, left=anna), Change(3, joined=anna)]
    first, second, third = (Sight(9, frozenset(), known) for known in (1, 2, 3))
    assert told(changes, []) == 0
    assert told(changes, [first, third]) == 1
    assert told(changes, [first, second, third]) == 3
    assert told(changes, [Sight(9, frozenset(), 1, frozenset([1]))]) == 2


def test_twice_in_a_row_is_counted() -> None:
    """A second join, a second leave, and a leave of one who never came."""
    assert twice([("a", True), ("a", False), ("a", True)]) == 0
    assert twice([("a", True), ("a", True), ("b", False), ("a", False), ("a", False)]) == 3
