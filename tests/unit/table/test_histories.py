"""Any order of one history, through the event table: the roster in the end, and how it is kept."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.roster.head import STRAGGLER
from chalicelib.roster.members import replay
from chalicelib.roster.signal import Kind, Order, Signal, Source
from chalicelib.roster.timeouts import settled_members
from chalicelib.roster.view import set_hash
from chalicelib.table.reports import signal_of
from chalicelib.table.rooms import change_of
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.stored import REF, TABLE, openid, post
from tests.support.folding import EPOCH, T0

if TYPE_CHECKING:
    from random import Random

FEW, MANY = (
    ["anna", "berta", "carla", "dora", "emma"],
    [openid(f"user{number}") for number in range(60)],
)
"""A list of many is longer than a unit: it is stored as what differs from the roster."""


def history(chance: Random, users: list[str]) -> list[Signal]:
    """Reports of one history, one a second, each with its place among its reporter's."""
    made, goodbyes = dict.fromkeys(users, 0), dict.fromkeys(users, 0)
    out = []
    for second in range(chance.randint(1, 12)):
        user = chance.choice(users)
        made[user] += 1
        t, order = T0 + 1000 * second, Order(EPOCH + goodbyes[user], made[user])
        if chance.random() < 0.15:
            goodbyes[user] += 1
            out.append(Signal(Kind.LEFT, Source.CLIENT, user, t, t, order))
            continue
        listed = frozenset(other for other in users if chance.random() < 0.7) - {user}
        hash_ = set_hash({user, *listed})
        out.append(Signal(Kind.LIST, Source.CLIENT, user, t, t, order, hash_, listed))
    return out


class StoredRoom:
    """A room in the event table, and what comes in of it."""

    def __init__(self) -> None:
        self.client = DynamoDBEmulator()
        self.folder = RoomWriter(EventTable(self.client, TABLE))  # type: ignore[arg-type]  # A stand-in.
        self.now = T0 + 13_000

    def hear(self, signals: list[Signal], chance: Random) -> None:
        """Let signals come in, in this order."""
        for signal in signals:
            self.now += chance.choice([0, 5, 900, 6000])
            post(self.folder, signal._replace(received=self.now))

    def converge(self, present: set[str]) -> None:
        """Everyone who is there sends one heartbeat, and its list if that is wanted."""
        self.now += STRAGGLER + 1000
        hash_ = set_hash(present)
        for user in sorted(present):
            self.now += 100
            order, now = Order(EPOCH + 99, 0), self.now
            beat = Signal(Kind.HEARTBEAT, Source.CLIENT, user, now, now, order, hash_)
            if post(self.folder, beat).resend:
                order, listed = Order(EPOCH + 99, 1000), frozenset(present - {user})
                t = self.now + 50
                post(
                    self.folder,
                    Signal(Kind.LIST, Source.CLIENT, user, t, t, order, hash_, listed, asked=True),
                )

    def shown(self) -> set[str]:
        """Who is in the room once nothing waits any more."""
        table = self.folder.table
        room = table.room(REF)
        return set(settled_members(room.head, self.now + 100_000, table.members(room)))

    def refold(self) -> None:
        """Fold all that is stored once more, as keeper does."""
        table: Any = self.folder.table
        for key, _, item in list(self.client.log):
            if item and key["pk"]["S"].startswith("P#"):
                said = signal_of(item, lambda version: table.members_at(REF, version))
                self.folder.apply(REF, said, self.now)

    def must_hold(self) -> None:
        """The timeline leads to the head; no count is ever negative, no witness counts twice."""
        table = EventTable(self.client, TABLE)  # type: ignore[arg-type]  # A stand-in.
        room = table.room(REF)
        members: Any = {}
        for change in table.changes(REF, 0, room.head.version):
            members = replay(members, change.transitions)
            assert change.size == len(members) >= 0
        assert members == table.members(room)
        stated = members.keys() - room.head.leaving(members).keys()
        assert (room.head.size, room.head.hash) == (len(members), set_hash(stated))
        for group in room.head.pending:
            assert len(set(group.witnesses)) == len(group.witnesses)


@pytest.mark.parametrize("users", [FEW, MANY], ids=["whole lists", "differences"])
@pytest.mark.parametrize("seed", range(30))
def test_any_order_of_a_history_and_one_heartbeat_of_each_bring_everyone_in(
    seed: int, users: list[str]
) -> None:
    """Permuted, doubled, folded once more by keeper at any time: who is there is in the roster."""
    chance = random.Random(seed)  # noqa: S311 (made-up histories)
    said = history(chance, users)
    present = {user for user in users if chance.random() < 0.6} or {users[0]}
    for _ in range(3):
        room = StoredRoom()
        heard = [*said, *chance.choices(said, k=chance.randint(0, 4))]
        chance.shuffle(heard)
        room.hear(heard, chance)
        room.must_hold()
        if chance.random() < 0.5:
            room.refold()
            room.must_hold()
        room.converge(present)
        assert room.shown() >= present
        room.refold()
        room.must_hold()
        assert room.shown() >= present


def test_a_long_list_is_stored_as_a_difference() -> None:
    """So that these histories are read back from what differs."""
    chance = random.Random(1)  # noqa: S311 (likewise)
    room = StoredRoom()
    room.hear(history(chance, MANY), chance)
    room.converge(set(MANY))
    items = [item for key, _, item in room.client.log if item and key["pk"]["S"].startswith("P#")]
    assert any("base" in item for item in items)
    changes = [change_of(it) for k, _, it in room.client.log if it and k["sk"]["S"][:2] == "T#"]
    assert len(changes) > 1
