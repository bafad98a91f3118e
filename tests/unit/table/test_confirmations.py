"""Who of a room has spoken for itself since it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.roster.head import STRAGGLER
from chalicelib.table.confirmations import MOST_MEMBERS, Confirmations
from chalicelib.table.history import History
from chalicelib.table.table import USUALLY
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.kept import ROOM, T0, Kept

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


class Asked(DynamoDBEmulator):
    """A table that counts queries."""

    queries = 0

    def query(self, **asked: Any) -> dict[str, Any]:
        """Count the query, and answer it."""
        self.queries += 1
        return super().query(**asked)


@pytest.fixture
def kept() -> Kept:
    """A table."""
    return Kept(Asked())


@pytest.fixture
def confirmations(kept: Kept) -> Confirmations:
    """What is looked up in it."""
    return Confirmations(kept.table)


def spoken(kept: Kept, confirmations: Confirmations, t: int = 0) -> AbstractSet[str]:
    """Who has, by so long after the start."""
    client: Any = kept.client
    history = History(client, "events", USUALLY)
    settled = history.settled_room(ROOM, T0 + t)
    return confirmations.of(settled, lambda: history.roster(settled).members)


def queries(kept: Kept) -> int:
    """How often the table was asked so far."""
    client = kept.client
    assert isinstance(client, Asked)
    return client.queries


def test_who_was_named_by_another_and_reports_later(
    kept: Kept, confirmations: Confirmations
) -> None:
    """Its list says nothing new to the room, and all the same that it is in it."""
    kept.take(kept.report("anna berta carla"))
    assert spoken(kept, confirmations) == set()
    kept.take(kept.report("berta anna carla", 500))
    assert spoken(kept, confirmations) == {"berta"}


def test_a_word_of_before_it_left_does_not_count(kept: Kept, confirmations: Confirmations) -> None:
    """Nor does the word that it left."""
    kept.take(kept.report("anna berta"))
    kept.take(kept.report("berta anna", 500))
    kept.take(kept.report("anna", 60_000, seq=2))
    kept.folder.settle(ROOM, T0 + 120_000)
    kept.take(kept.report("anna berta", 180_000, seq=3))
    assert kept.here() == {"anna", "berta"}
    assert spoken(kept, confirmations, 180_000) == set()
    kept.drop(kept.report("berta", 200_000, seq=2)._replace(view=None))
    assert spoken(kept, confirmations, 200_000) == set()


@pytest.mark.parametrize(("before", "counts"), [(STRAGGLER, True), (STRAGGLER + 1, False)])
def test_its_clock_may_differ_a_little(
    kept: Kept, confirmations: Confirmations, before: int, *, counts: bool
) -> None:
    """It may have seen itself come in before the one who named it did."""
    kept.take(kept.report("anna berta", 20_000))
    kept.drop(kept.report("berta anna", 21_000)._replace(age=1000 + before))
    assert spoken(kept, confirmations, 21_000) == ({"berta"} if counts else set())


def test_what_is_known_is_not_asked_again(kept: Kept, confirmations: Confirmations) -> None:
    """Who came by its own word is not asked for at all."""
    kept.take(kept.report("anna berta carla"))
    kept.take(kept.report("berta anna carla", 500))
    assert spoken(kept, confirmations) == {"berta"}
    before = queries(kept)
    assert spoken(kept, confirmations) == {"berta"}
    assert queries(kept) == before + 1  # Carla may have spoken meanwhile.


def test_who_is_known_stays_confirmed_when_what_is_known_is_forgotten(kept: Kept) -> None:
    """An answer names all who have spoken, not only those who were looked up for it."""
    confirmations = Confirmations(kept.table, most=0)
    kept.take(kept.report("anna berta carla"))
    kept.take(kept.report("berta anna carla", 500))
    assert spoken(kept, confirmations) == {"berta"}
    kept.take(kept.report("carla anna berta", 1000))
    assert spoken(kept, confirmations) == {"berta", "carla"}


@pytest.mark.parametrize("members", [MOST_MEMBERS, MOST_MEMBERS + 1])
def test_in_large_rooms_nobody_is_asked_for(
    kept: Kept, confirmations: Confirmations, members: int
) -> None:
    """It would cost as many reads each time."""
    names = [f"user{number}" for number in range(members)]
    kept.take(kept.report(" ".join(names)))
    kept.take(kept.report(" ".join(reversed(names)), 500))
    before = queries(kept)
    small = members <= MOST_MEMBERS
    assert spoken(kept, confirmations) == ({names[-1]} if small else set())
    assert queries(kept) - before == (members - 1 if small else 0)
