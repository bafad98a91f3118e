"""What comes in, in whatever order: the newest evidence counts."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from chalicelib.roster.signal import Kind
from simulation.orders import SETTLED, callbacks_of_one, mix, told

if TYPE_CHECKING:
    from simulation.rules import Roomgate


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_of_all_orders_of_callbacks_the_newest_one_counts(number: int) -> None:
    """103 and 104 of one user, alternating or repeated, in any order and each of them twice."""
    for happened in callbacks_of_one(number):
        for order in permutations(happened):
            late = happened[-1].t + 10_000
            heard = [each._replace(received=late + at) for at, each in enumerate([*order, *order])]
            room = told(heard)
            assert bool(room.members) == (happened[-1].kind is Kind.ENTERED)
            must_follow(room)


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_of_any_mix_the_roster_is_who_is_there(start: int) -> None:
    """Callbacks, lists, own words and re-entries of up to three users; folded again, the same."""
    for seed in range(start, start + 100):
        mixed = mix(seed)
        room = told(mixed.signals)
        now = mixed.signals[-1].received + SETTLED
        assert (seed, room.shown(now)) == (seed, set(mixed.present))
        must_follow(room)
        room.settle(now)
        head = room.head
        for signal in mixed.signals:
            room.take(signal._replace(received=max(signal.received, now)))
        assert room.shown(now) == mixed.present
        assert room.head.version == head.version


def must_follow(room: Roomgate) -> None:
    """Versions have no holes, and nobody comes or goes twice in a row."""
    assert room.versions == list(range(1, room.head.version + 1))
    last: dict[str, bool] = {}
    for each in room.timeline:
        assert last.get(each.user, False) != each.joined
        last[each.user] = each.joined
