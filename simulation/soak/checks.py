"""What must hold when a play is over, whatever went wrong in it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chalicelib.roster.members import BrokenTimeline, replay
from chalicelib.roster.timeouts import settled_members
from chalicelib.roster.view import set_hash
from chalicelib.table.item_keys import ReporterKey, callback_key, report_key
from chalicelib.table.reports import report_of
from chalicelib.table.rooms import snapshot_of, state_of
from simulation.stored import REF, callback_of_signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from chalicelib.roster.head import Head
    from chalicelib.roster.members import Member
    from chalicelib.table.rooms import Change
    from simulation.runs import World
    from simulation.soak.plays import Play

SETTLED = 60_000
"""Ms after the last heartbeats at which the roster is looked at: no leave waits longer then."""

MOST_EMITTED = 1.5
"""Transitions for each true one, in one room, however small, and whatever goes wrong with it."""


def faults_of(world: World, play: Play) -> list[str]:
    """What does not hold, in words."""
    kept = (*_reports(play), *_callbacks(play), *_folded(play))
    told = (*_timeline(play), *_flapping(world, play))
    return [*_heads(play), *told, *kept, *_roster(world, play)]


def _roster(world: World, play: Play) -> Iterator[str]:
    """In the end, the roster is the true one, as far as anybody can know it."""
    if not world.sent.last():
        return
    room, table = play.room()
    shown = settled_members(room.head, play.now + SETTLED, table.members(room)).keys()
    if not world.is_right(shown):
        missing, wrong = len(world.truth - shown), len(shown - world.truth)
        yield f"the roster is wrong: {missing} missing, {wrong} not there"


def _reports(play: Play) -> Iterator[str]:
    """What was acknowledged is stored, with the list that was sent."""
    _, table = play.room()
    for user, epoch, seq, hash_ in set(play.acknowledged):
        key = report_key(ReporterKey(*REF, user), epoch, seq)
        item = play.client.get_item(TableName="events", Key=key).get("Item")
        if item is None or item.get("hash", {"S": ""})["S"] != hash_:
            yield f"an acknowledged report is missing: {epoch} {seq}"
            continue
        view = report_of(item, partial(table.members_at, REF)).view
        if view is not None and set_hash([user, *view.others]) != hash_:
            yield f"an acknowledged report has another list: {epoch} {seq}"


def _flapping(world: World, play: Play) -> Iterator[str]:
    """Little came and went that did not: a timeline of it would follow from itself all the same."""
    room, table = play.room()
    emitted = sum(len(each.transitions) for each in table.changes(REF, 0, room.head.version))
    true = sum(len(change.users) for change in world.changes)
    if emitted > MOST_EMITTED * true:
        yield f"there are {emitted} transitions, where there were {true}"


def _folded(play: Play) -> Iterator[str]:
    """What was stored is folded, whoever died or gave up: the last heartbeats would heal it."""
    if play.unfolded:
        yield f"{play.unfolded} stored reports or callbacks were not folded"


def _callbacks(play: Play) -> Iterator[str]:
    """So is what Tencent was told that it is taken."""
    for callback in map(callback_of_signal, play.called):
        key = callback_key(REF.sdk_app_id, REF.room.key, callback.callback.identity)
        if "Item" not in play.client.get_item(TableName="events", Key=key):
            yield f"an acknowledged callback is missing: {callback.callback.t}"


def _timeline(play: Play) -> Iterator[str]:
    """From its beginning and from each snapshot it leads to the members, by one version each.

    Nobody joins or leaves twice in a row, or leaves before it came: the replay refuses that.
    """
    room, table = play.room()
    head, members = room.head, table.members(room)
    changes = list(table.changes(REF, 0, head.version + 1))
    if [each.version for each in changes] != list(range(1, head.version + 1)):
        yield "versions are missing, or too many"
    snapshots: dict[int, Mapping[str, Member]] = {0: {}} | {
        int(key["sk"]["S"].partition("#")[2]): snapshot_of(item)
        for key, _, item in play.client.log
        if item and key["sk"]["S"].startswith("ROSTER#")
    }
    for version, snapshot in snapshots.items():
        try:
            if _led_on(snapshot, changes[version:]) != members:
                yield f"the timeline from version {version} does not lead to the members"
        except BrokenTimeline as error:
            yield f"the timeline from version {version} breaks: {error}"
    stated = members.keys() - head.leaving(members).keys()
    if head.size != len(members) or head.hash != set_hash(stated):
        yield "the head does not state its members"


def _led_on(snapshot: Mapping[str, Member], changes: Iterable[Change]) -> Mapping[str, Member]:
    for change in changes:
        snapshot = replay(snapshot, change.transitions)
        if len(snapshot) != change.size:
            raise BrokenTimeline(change.transitions[-1])
    return snapshot


def _heads(play: Play) -> Iterator[str]:
    """Every head that was written follows from the one before it."""
    images = [(old, new) for key, old, new in play.client.log if key["sk"]["S"] == "HEAD"]
    for old, new in images:
        assert new is not None
        before, head = state_of(old).head if old else None, state_of(new).head
        revision, version = (before.revision, before.version) if before else (0, 0)
        if head.revision != revision + 1 or head.version - version not in {0, 1}:
            yield f"revision {head.revision} does not follow {revision}"
        yield from _witnesses(head)


def _witnesses(head: Head) -> Iterator[str]:
    if head.size < 0:
        yield f"revision {head.revision} has a negative count"
    for group in head.pending:
        if len(set(group.witnesses)) < len(group.witnesses):
            yield f"revision {head.revision} counts a witness twice"
