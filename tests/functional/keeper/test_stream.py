"""Keeper at the end of the table's stream, by AWS's rules, with webhooks and keepers that die."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.roster.signal import Kind
from chalicelib.roster.view import view_of
from chalicelib.table.item_keys import ReporterKey, RoomKey
from chalicelib.table.reports import Report
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.kept import ROOM, SETTINGS, Kept
from simulation.runs import World, twice
from simulation.stream import Crash, Pump
from simulation.truth import Setting

if TYPE_CHECKING:
    from chalicelib.roster.signal import Signal

DIES = 0.1
"""Of all reports: the webhook dies before it folds. Of batches: keeper dies when it has."""
REFUSED = 0.05
"""Of all of keeper's reads and writes."""
EVERY = 10
"""Reports between two deliveries of the stream."""

Stay = tuple[RoomKey, str, int, int | None]


class Unsteady(DynamoDBEmulator):
    """A table that refuses some reads and writes while keeper works."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.refused = 0.0
        self._chance = chance

    def get_item(self, **asked: Any) -> dict[str, Any]:
        """Read an item, or refuse to."""
        self._perhaps()
        return super().get_item(**asked)

    def put_item(self, **asked: Any) -> dict[str, Any]:
        """Write an item; it may fail before or after it was written."""
        self._perhaps()
        done = super().put_item(**asked)
        self._perhaps()
        return done

    def transact_write_items(self, **asked: Any) -> dict[str, Any]:
        """Write items; it may fail before or after they were written."""
        self._perhaps()
        done = super().transact_write_items(**asked)
        self._perhaps()
        return done

    def _perhaps(self) -> None:
        if self._chance.random() < self.refused:
            response: Any = {
                "Error": {"Code": "ThrottlingException"},
                "ResponseMetadata": {"HTTPStatusCode": 400},
            }
            raise ClientError(response, "operation")


class Deployed:
    """A rule of the simulation that is all of it: webhooks, a table, its stream and keeper.

    Attributes:
        name: of the rule.
        emitted: who came and went, as of what is delivered.
        kept: the table and keeper.
        dropped: reports that no webhook has folded.
    """

    name = "roomgate"

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self._table = Unsteady(self._chance)
        self.kept = Kept(self._table)
        self.pump = self.kept.pump(seed, self._handle)
        self.emitted: list[tuple[str, bool]] = []
        self.dropped = 0
        self._taken = 0

    def take(self, signal: Signal) -> bool:
        """What a webhook does, unless it dies."""
        self._taken += 1
        if self._taken % EVERY == 0:
            self.deliver(signal.received)
        if signal.kind is Kind.HEARTBEAT:
            return self.kept.folder.apply(ROOM, signal, signal.received).resend
        report = report_of(signal)
        if self._chance.random() >= DIES:
            return self.kept.folder.record(report, report.received).resend
        self.dropped += 1
        room = self.kept.table.room(ROOM)
        self.kept.table.store(report, room, lambda: self.kept.table.members(room))
        return False

    def shown(self, now: int) -> set[str]:
        """Who is in the room once everything is delivered and settled."""
        self.deliver(now)
        self.kept.folder.settle(ROOM, now)
        self.deliver(now)
        return self.kept.here()

    def deliver(self, now: int) -> None:
        """Let keeper hear the stream."""
        self.kept.now = now + 1000
        self.kept.run(self.pump)
        timeline = self.kept.timeline().get(ROOM, [])
        self.emitted = [(each.user, each.joined) for each in timeline]

    def _handle(self, event: Any, context: object) -> dict[str, Any]:
        self._table.refused = REFUSED
        try:
            answer = self.kept.handle(event, context)
        finally:
            self._table.refused = 0
        if self._chance.random() < DIES:
            raise Crash
        return answer


def report_of(signal: Signal) -> Report:
    """The report that says a signal."""
    view = None
    if signal.kind is Kind.LIST:
        view = view_of(signal.user, dict.fromkeys(signal.listed - {signal.user}))
    return Report(
        ReporterKey(*ROOM, signal.user),
        signal.order.epoch,
        signal.order.seq,
        signal.received,
        signal.received - signal.t,
        signal.source,
        view,
        signal.asked,
    )


def stays_of(kept: Kept) -> list[Stay]:
    """Everyone's stays, by the timeline."""
    stays: dict[tuple[RoomKey, str, int], int | None] = {}
    joined: dict[tuple[RoomKey, str], int] = {}
    for ref, transitions in kept.timeline().items():
        for each in transitions:
            if each.joined:
                joined[ref, each.user] = each.t
                stays[ref, each.user, each.t] = None
            else:
                stays[ref, each.user, joined.pop((ref, each.user))] = each.t
    return sorted((*key, left) for key, left in stays.items())


def sessions_of(kept: Kept) -> list[Stay]:
    """Everyone's sessions, as they are stored."""
    return sorted((it.ref, it.user_id, it.joined, it.left) for it in kept.sessions())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [4, 20])
def test_sessions_are_what_the_timeline_says(size: int, seed: int) -> None:
    """Whoever dies or is refused, and however often: the roster is right, and so are sessions."""
    world = World(Setting(size, changes=25), seed)
    deployed = Deployed(seed)
    score = world.score(deployed)
    assert deployed.dropped
    assert (score.right, twice(deployed.emitted)) == (True, 0)
    assert 0.9 * score.lasting <= len(deployed.emitted) <= 1.15 * score.true
    assert sessions_of(deployed.kept) == stays_of(deployed.kept)
    assert len(sessions_of(deployed.kept)) > size
    assert deployed.pump.discarded == []
    assert deployed.kept.bucket.poison == []
    assert sum(batch.failed_keys for batch in deployed.kept.batches)


def test_the_whole_stream_once_more_changes_nothing() -> None:
    """From its beginning, when everything is done: nothing is written."""
    world = World(Setting(4, changes=25), 1)
    deployed = Deployed(1)
    world.score(deployed)
    kept = deployed.kept
    again, before = kept.pump(2), len(kept.client.log)
    for _, old, new in list(kept.client.log):
        again.write(new, old)
    again.run()
    assert len(kept.client.log) == before
    assert again.discarded == []


def poisoned(pump: Pump, kept: Kept, spoilt: set[int]) -> None:
    """Write what a table told to a stream, some records of it unreadable."""
    for place, (_, old, new) in enumerate(kept.client.log):
        record = pump.write(new, old)
        if place in spoilt:
            record["dynamodb"]["NewImage"] = {"pk": {"S": "?"}}


def test_poison_stops_nothing_and_nothing_else_is_lost() -> None:
    """Each unreadable record is kept once; all others are worked off, each batch at once."""
    kept = Kept()
    refs = [RoomKey(ROOM.sdk_app_id, parse_room(room)) for room in range(1, 8)]
    for t, ref in enumerate(refs * 3):
        kept.drop(kept.report("anna berta", t, seq=t, ref=ref))
    pump = kept.pump()
    poisoned(pump, kept, {0, 5, 6})
    pump.run()
    assert len(kept.bucket.poison) == 3
    assert {each["reason"].split()[0] for each in kept.bucket.poison} == {"KeyError"}
    assert all(kept.here(ref) == {"anna", "berta"} for ref in refs)
    assert (pump.discarded, pump.calls) == ([], 2)


def test_a_batch_that_kills_keeper_is_narrowed_down() -> None:
    """Out of memory or time on one record: it alone is given up, with its payload."""
    kept = Kept()
    refs = [RoomKey(ROOM.sdk_app_id, parse_room(room)) for room in range(1, 20)]
    for ref in refs:
        kept.drop(kept.report("anna", ref=ref))
    deadly = f"P#{ROOM.sdk_app_id}#7#anna"

    def handle(event: Any, context: object) -> dict[str, Any]:
        if any(each["dynamodb"]["Keys"]["pk"]["S"] == deadly for each in event["Records"]):
            raise Crash
        return kept.handle(event, context)

    pump = kept.pump(handler=handle)
    kept.run(pump)
    ((condition, (record,)),) = pump.discarded
    assert condition == "RetryAttemptsExhausted"
    assert record["dynamodb"]["NewImage"]["pk"] == {"S": deadly}
    assert [ref.room for ref in refs if not kept.here(ref)] == [7]


def test_while_the_table_is_away_nothing_is_given_up() -> None:
    """An hour of refusals, and then everything is done."""
    kept = Kept(table := Unsteady(random.Random(1)))  # noqa: S311 (no secret)
    for t in range(5):
        kept.drop(kept.report("anna berta", t, seq=t))
    calls = 0

    def handle(event: Any, context: object) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        table.refused = 1.0 if calls < SETTINGS.retries // 10 else 0
        return kept.handle(event, context)

    pump = kept.pump(handler=handle)
    kept.run(pump)
    assert pump.discarded == []
    assert kept.here() == {"anna", "berta"}
    assert sessions_of(kept) == stays_of(kept)
    assert len(sessions_of(kept)) == 2
    assert kept.bucket.poison == []
