"""All orders of five callbacks, and a hundred thousand mixes."""

from __future__ import annotations

from itertools import permutations

import pytest

from chalicelib.roster.signal import Kind
from simulation.orders import SETTLED, callbacks_of_one, mix, told
from tests.support.seeds import seeds

CHUNK = 5_000


def test_of_all_orders_of_five_callbacks_the_newest_one_counts() -> None:
    """Alternating or repeated: 32 histories in 120 orders."""
    for happened in callbacks_of_one(5):
        for order in permutations(happened):
            late = happened[-1].t + 10_000
            room = told([each._replace(received=late + at) for at, each in enumerate(order)])
            assert bool(room.members) == (happened[-1].kind is Kind.ENTERED)


@pytest.mark.parametrize("start", [CHUNK * number for number in seeds(100_000 // CHUNK, 1)])
def test_of_a_hundred_thousand_mixes_the_roster_is_who_is_there(start: int) -> None:
    """Callbacks, lists, own words and re-entries of up to three users, late and doubled."""
    for seed in range(start, start + CHUNK):
        mixed = mix(seed)
        shown = told(mixed.signals).shown(mixed.signals[-1].received + SETTLED)
        assert (seed, shown) == (seed, set(mixed.present))
