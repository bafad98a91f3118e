"""Rooms on a store that fails; ``make soak`` plays many more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.table.item_keys import ReporterKey, callback_key, change_key, report_key
from simulation.rules import Roomgate
from simulation.runs import World
from simulation.soak.checks import faults_of
from simulation.soak.faults import AnyOfThese, Beaten, KilledBetween, Refused, Sound
from simulation.soak.plays import Play
from simulation.soak.rooms import EVERY_FAULT, play, played
from simulation.stored import REF, TABLE, Stored, callback_of_signal, openids
from simulation.truth import Setting
from tests.support.seeds import seeds

if TYPE_CHECKING:
    from chalicelib.roster.signal import Signal
    from chalicelib.table.item_keys import RoomKey

SETTING = Setting(4, changes=10, beats=True)


@pytest.mark.parametrize("seed", seeds(25))
def test_whatever_goes_wrong_with_writes_the_room_is_right_in_the_end(seed: int) -> None:
    """Answers lost, writes refused, webhooks and keepers killed, heads that others move.

    The roster is the true one if anybody reports who is there; the timeline leads to it from its
    beginning and from every snapshot, and nobody comes or goes twice in a row, or goes before it
    came; no acknowledged report is missing; no witness counts twice.
    """
    assert [room for room in play(seed) if room.faults] == []


def test_the_store_changes_nothing_in_the_rule() -> None:
    """What goes through the event table gives the same transitions as the fold alone."""
    for setting in (Setting(4, beats=True), Setting(20, changes=10, callbacks=True)):
        world = World(setting, 1, openids)
        assert world.score(Stored()) == world.score(Roomgate())


def test_faults_do_harm() -> None:
    """Requests fail, or a play would show nothing; where others move the head, all succeed."""
    failures = {fault: played(SETTING, 0, fault).failures for fault in (*EVERY_FAULT, Sound)}
    assert all(failures[fault] > 10 for fault in (Refused, KilledBetween, AnyOfThese))
    assert failures[Beaten] == failures[Sound] == 0


def test_what_does_not_hold_is_found() -> None:
    """A change or a report that is gone, and a roster that is not the true one."""
    world = World(SETTING, 0, openids)
    over = Play(world, Sound, 0)
    over.run()
    assert faults_of(world, over) == []
    report = over.acknowledged[0]
    key = report_key(ReporterKey(*REF, report.user), report.epoch, report.seq)
    over.client.delete_item(TableName=TABLE, Key=key)
    assert [fault.partition(":")[0] for fault in faults_of(world, over)] == [
        "an acknowledged report is missing"
    ]
    over.client.delete_item(TableName=TABLE, Key=change_key(REF, 2))
    world.truth = frozenset()
    found = " ".join(faults_of(world, over))
    assert all(word in found for word in ("versions are missing", "breaks", "roster is wrong"))


def test_a_list_that_nobody_sent_and_a_lost_callback_are_found() -> None:
    """Though a report stands there, with the right hash."""
    world = World(Setting(4, changes=10, callbacks=True), 0, openids)
    over = Play(world, Sound, 0)
    over.run()
    assert faults_of(world, over) == []
    report = next(each for each in over.acknowledged if each.hash)
    key = report_key(ReporterKey(*REF, report.user), report.epoch, report.seq)
    item = over.client.get_item(TableName=TABLE, Key=key)["Item"]
    over.client.put_item(TableName=TABLE, Item=item | {"list": {"S": '[[null,"zoe"]]'}})
    identity = callback_of_signal(over.called[0]).callback.identity
    lost = callback_key(REF.sdk_app_id, REF.room.key, identity)
    over.client.delete_item(TableName=TABLE, Key=lost)
    assert {fault.partition(":")[0] for fault in faults_of(world, over)} == {
        "an acknowledged report has another list",
        "an acknowledged callback is missing",
    }


def test_what_is_left_unfolded_and_a_room_that_flaps_are_found() -> None:
    """Though the last heartbeats make the roster right, and the timeline follows from itself."""

    class Idle(Play):
        def _refold(self, ref: RoomKey, said: Signal) -> None:
            """Do nothing."""

    world = World(SETTING, 0, openids)
    over = Idle(world, KilledBetween, 0)
    over.run()
    world.changes = world.changes[:5]
    found = " ".join(faults_of(world, over))
    assert "stored reports or callbacks were not folded" in found
    assert "transitions, where there were 5" in found
    assert "the roster is wrong" not in found
