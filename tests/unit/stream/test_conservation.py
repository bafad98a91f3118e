"""Whatever fails on the way, the lake without repeats is what the table's timeline says.

Rooms of the simulation are folded, each change is written as its item stands in the table, and the
stream carries it to the exporter by AWS's rules, under the settings of the exporter's own template.
Every step fails now and then: the function dies at any point, Firehose refuses records, calls and
loses answers, the quarantine is full, and there is poison.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from chalicelib.trtc.identifiers import parse_room
from infra.layout import TEMPLATES
from simulation.rules import Roomgate
from simulation.runs import World
from simulation.stream import Crash, Pump, Settings
from simulation.truth import Setting
from tests.support.lake import (
    Shelf,
    StrictFirehose,
    Trouble,
    change_item,
    expected_row,
    exporter,
    without_repeats,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Transition

SEEDS: Final = range(6)
ROOMS: Final = {
    "1": Setting(4, beats=True),
    parse_room("a room").key: Setting(20, ordered=False, callbacks=True),
    "3": Setting(2),
}


def settings_of_the_template() -> Settings:
    """Those that the exporter is deployed with, without reports; batches are smaller here."""
    template = json.loads((TEMPLATES / "exporter.json").read_text())
    mapping = template["Resources"]["Mapping"]["Properties"]
    changes, _reports = mapping["FilterCriteria"]["Filters"]
    told = mapping | {"FilterCriteria": {"Filters": [changes]}}
    return Settings.of(told)._replace(batch=8)


SETTINGS: Final = settings_of_the_template()


class Change(NamedTuple):
    """One change as it was folded."""

    room: str
    version: int
    transitions: tuple[Transition, ...]
    at: int


class Writer(Roomgate):
    """The fold, noting each change."""

    def __init__(self, room: str) -> None:
        super().__init__()
        self.room = room
        self.changes: list[Change] = []
        self._now = 0

    def take(self, signal: Any) -> bool:
        """Fold a signal when it comes in."""
        self._now = signal.received
        return super().take(signal)

    def _write(self, head: Head, transitions: Sequence[Transition]) -> None:
        super()._write(head, transitions)
        if transitions:
            self.changes.append(Change(self.room, head.version, tuple(transitions), self._now))


def history(seed: int) -> list[Change]:
    """All changes of some rooms, in the order in which they were written."""
    changes = []
    for room, setting in ROOMS.items():
        writer = Writer(room)
        World(setting, seed).score(writer)
        changes += writer.changes
    return sorted(changes, key=lambda change: change.at)


class Mortal:
    """The exporter's function, which may die before, within and after its work.

    Args:
        export: the work, and its answer.
        chance: decides.
        share: how often it dies, from 0 to 1, at each of the three places.
    """

    def __init__(
        self, export: Callable[[Any], Any], chance: random.Random, share: float = 0.05
    ) -> None:
        self._export = export
        self._chance = chance
        self._share = share
        self.deaths = 0

    def __call__(self, event: Any, _context: object) -> Any:
        """Work, or die."""
        self.perhaps_die()
        answer = self._export(event)
        self.perhaps_die()
        return answer

    def perhaps_die(self, _seconds: float = 0) -> None:
        """Die, now and then; also while the exporter waits to send again."""
        if self._chance.random() < self._share:
            self.deaths += 1
            raise Crash


class Run:
    """One seeded run.

    Attributes:
        firehose, shelf, pump, function: what took part.
        changes: those written.
        poisoned: the sequence numbers of the records that are poison.
    """

    def __init__(self, seed: int, trouble: Trouble, share: float) -> None:
        chance = random.Random(seed)  # noqa: S311 (a simulation)
        self.firehose = StrictFirehose(chance, trouble)
        self.shelf = FickleShelf(chance, 4 * share)
        self.changes = history(seed)
        self.poisoned: set[str] = set()
        self.function = Mortal(lambda event: work.export(event["Records"]).response, chance, share)
        work = exporter(self.firehose, self.shelf, sleep=self.function.perhaps_die)
        self.pump = Pump(self.function, SETTINGS, chance, lanes=3)
        for number, change in enumerate(self.changes):
            self._write(change, poison=number % 17 == 5)
        self.pump.run()

    def _write(self, change: Change, *, poison: bool) -> None:
        room, version, transitions, at = change
        item = change_item(room, version, transitions, at=at)
        if poison:  # A foreign item beside it, which no version of Roomgate wrote.
            broken = item | {"sk": {"S": f"T#x{version}"}, "at": {"S": "?"}}
            self.poisoned.add(self.pump.write(broken)["dynamodb"]["SequenceNumber"])
        self.pump.write(item)

    @property
    def expected(self) -> dict[str, dict[str, Any]]:
        """The rows of all transitions, by id."""
        rows = [
            expected_row(change.room, change.version, place, each, change.at)
            for change in self.changes
            for place, each in enumerate(change.transitions)
        ]
        return {row["id"]: row for row in rows}


class FickleShelf(Shelf):
    """A quarantine that is full now and then."""

    def __init__(self, chance: random.Random, share: float) -> None:
        super().__init__()
        self._chance = chance
        self._share = share

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Take it, or not."""
        self.full = self._chance.random() < self._share
        return super().put(poison)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_lake_without_repeats_is_the_timeline(seed: int) -> None:
    """By count and by content; and there was trouble, or this would show nothing."""
    run = Run(seed, Trouble(entry=0.2, call=0.1, lost=0.1), share=0.05)
    rows = without_repeats(run.firehose.rows)
    assert rows == run.expected
    assert len(rows) > 150
    assert len(run.firehose.rows) > len(rows)
    assert run.function.deaths > 0
    assert run.pump.discarded == []


@pytest.mark.parametrize("seed", SEEDS)
def test_all_poison_is_in_quarantine_and_nothing_else(seed: int) -> None:
    """Each with the whole record, at least once."""
    run = Run(seed, Trouble(entry=0.2, call=0.1, lost=0.1), share=0.05)
    assert run.poisoned
    assert {each["sequence"] for each in run.shelf.poison} == run.poisoned
    assert all(each["record"]["dynamodb"]["NewImage"] for each in run.shelf.poison)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_each_room_first_arrivals_are_in_order(seed: int) -> None:
    """Repeats apart, a room's rows reach Firehose in the order of its timeline."""
    run = Run(seed, Trouble(entry=0.2, call=0.1, lost=0.1), share=0.05)
    came = list(without_repeats(run.firehose.rows))
    for room in ROOMS:
        mine = [key for key in came if key.split("/")[1] == room]
        assert mine == [key for key in run.expected if key.split("/")[1] == room]
        assert len(mine) > 20


def test_without_trouble_nothing_comes_twice() -> None:
    """Repeats are the price of failures only."""
    run = Run(1, Trouble(), share=0)
    assert len(run.firehose.rows) == len(run.expected)
    assert without_repeats(run.firehose.rows) == run.expected


def test_what_stays_out_of_the_lake_is_with_on_failure() -> None:
    """A Firehose that is down for longer than a record may wait: nothing is just gone."""
    chance = random.Random(1)  # noqa: S311 (a simulation)
    firehose = StrictFirehose(chance, Trouble(call=1))
    work = exporter(firehose)
    pump = Pump(
        lambda event, _: work.export(event["Records"]).response,
        SETTINGS._replace(retries=3),
        chance,
    )
    changes = history(1)
    for change in changes:
        pump.write(change_item(change.room, change.version, change.transitions, at=change.at))
    pump.run()
    kept = [record for each in pump.discarded for record in each.records]
    assert firehose.rows == []
    assert len(kept) == len(changes)
