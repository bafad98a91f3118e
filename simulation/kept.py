"""A stand-in of the table with the keeper that hears its stream, by AWS's rules."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from chalicelib.roster.signal import Source
from chalicelib.roster.view import view_of
from chalicelib.stream.keeper import Keeper, KeptBatch
from chalicelib.table.item_keys import ReporterKey, RoomKey
from chalicelib.table.items import Items
from chalicelib.table.reports import Report
from chalicelib.table.rooms import change_of
from chalicelib.table.sessions import SessionWriter, decode_session
from chalicelib.table.table import USUALLY, EventTable
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from infra.layout import FUNCTIONS
from infra.package import target
from infra.package.template import merge_document
from simulation.stream import Pump, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.roster.members import Transition
    from chalicelib.table.sessions import Session

T0 = 1_600_000_000_000
"""Unix ms."""
ROOM = RoomKey(1400037025, parse_room(107688))

_KEEPER = next(each for each in FUNCTIONS if each.name == "keeper")
SETTINGS = Settings.of(merge_document(_KEEPER, target.aws())["Resources"]["Mapping"]["Properties"])


class Bucket:
    """A quarantine in memory.

    Attributes:
        poison: what was put.
        full: it takes nothing.
    """

    def __init__(self) -> None:
        self.poison: list[dict[str, Any]] = []
        self.full = False

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Take it, unless it is full."""
        if not self.full:
            self.poison += poison
        return not self.full


class Kept:
    """A table, what folds into it, and the keeper.

    Args:
        client: the table; without one, it is new.
        workers: keys that keeper works off side by side; one, lest a seed play another way.

    Attributes:
        client: the table.
        table: as the functions see it.
        folder: webhook's.
        keeper: the keeper.
        bucket: its quarantine.
        batches: what became of each batch.
        now: unix ms.
    """

    def __init__(self, client: DynamoDBEmulator | None = None, *, workers: int = 1) -> None:
        self.client = client or DynamoDBEmulator()
        aws: Any = self.client
        self.table = EventTable(aws, "events")
        self.folder = RoomWriter(self.table, sleep=lambda _seconds: None)
        self.items = Items(aws, "events")
        self.bucket = Bucket()
        sessions = SessionWriter(self.items, USUALLY.history)
        self.keeper = Keeper(self.folder, sessions, self.bucket, workers)
        self.batches: list[KeptBatch] = []
        self.now = T0
        self._heard = 0

    def handle(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        """What the function does."""
        self.batches.append(self.keeper.keep(event["Records"], self.now))
        return self.batches[-1].response

    def pump(self, seed: int = 0, handler: Callable[[Any, Any], Any] | None = None) -> Pump:
        """A stream that was not read yet, with keeper at its end."""
        chance = random.Random(seed)  # noqa: S311 (no secret)
        return Pump(handler or self.handle, SETTINGS, chance, now=self.now / 1000)

    def run(self, pump: Pump) -> None:
        """Deliver everything, what keeper writes meanwhile too."""
        while self._heard < len(self.client.log):
            for _, old, new in self.client.log[self._heard :]:
                pump.write(new, old)
            self._heard = len(self.client.log)
            pump.run()

    def report(self, users: str, t: int = 0, *, seq: int = 1, ref: RoomKey = ROOM) -> Report:
        """The first user of several lists the others, ``t`` ms after the start."""
        user, *others = users.split()
        view = view_of(user, dict.fromkeys(others))
        return Report(ReporterKey(*ref, user), T0 - 5000, seq, T0 + t, 0, Source.CLIENT, view)

    def take(self, report: Report) -> None:
        """What webhook does."""
        self.folder.record(report, report.received)

    def drop(self, report: Report) -> None:
        """What a webhook does that dies once it has stored."""
        room = self.table.room(report.place.ref)
        assert self.table.store(report, room, lambda: self.table.members(room)) is None

    def here(self, ref: RoomKey = ROOM) -> set[str]:
        """Who is in a room."""
        return set(self.table.members(self.table.room(ref)))

    def timeline(self) -> dict[RoomKey, list[Transition]]:
        """All transitions, by room, in their order."""
        timeline: dict[RoomKey, list[Transition]] = {}
        for item in self._items("R#", "T#"):
            change = change_of(item)
            timeline.setdefault(change.ref, []).extend(change.transitions)
        return timeline

    def sessions(self) -> list[Session]:
        """All sessions."""
        return [decode_session(item) for item in self._items("U#", "S#")]

    def _items(self, pk: str, sk: str) -> list[Any]:
        items = self.client.scan(TableName="events")["Items"]
        found = [
            it for it in items if it["pk"]["S"].startswith(pk) and it["sk"]["S"].startswith(sk)
        ]
        return sorted(found, key=lambda it: (it["pk"]["S"], it["sk"]["S"]))
