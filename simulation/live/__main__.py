"""Play rooms for some minutes on a local AWS, and print what was recorded of them.

    python -m simulation.live [--seconds 300] [--seed 1]

Each row counts the transitions that the timeline holds against those that truly were. The exit
status is 1 where a room in which nobody comes or goes made one too many, or a call more than 1.05
for each true one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from random import Random
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from infra.deploy import deployment
from infra.local.aws import LocalAws
from infra.package import target
from infra.package.bundle import package
from infra.smoke.tenant import Operator, settle
from simulation.live.clients import Client, Doors
from simulation.live.rooms import Script, flapping, steady, switching

if TYPE_CHECKING:
    from collections.abc import Iterator

STACK = "live"
FIRST_ROOM = 5000
MOST_FOR_EACH = 1.05
"""Transitions for each true one, at most."""
_APART = 1.0
"""Seconds between the beginnings of two rooms, so that not all members enter at once."""
_POLL = 2.0
"""Seconds between looks at a roster."""


class Played(NamedTuple):
    """What became of one room.

    Attributes:
        script: as it truly was.
        emitted: transitions in its timeline.
        smallest: the smallest roster seen once all were in.
        resends: how often its members were asked for their list again.
        requests: reports and heartbeats sent.
        failures: what ended clients early.
    """

    script: Script
    emitted: int
    smallest: int
    resends: int
    requests: int
    failures: list[str]


def scripts(seconds: float, chance: Random) -> Iterator[Script]:
    """The rooms, each as often as the table of issue and docs counts it."""
    yield steady("full sight, 8 hosts", 8, 0, chance=chance)
    yield steady("2 hosts, 6 viewers", 2, 6, chance=chance)
    yield steady("2 hosts, 1 viewer", 2, 1, chance=chance)
    yield steady("2 hosts, 1 viewer, lists beside 103", 2, 1, chance=chance, callbacks=True)
    yield steady("103 alone, 9 members", 9, 0, chance=chance, callbacks=True, lists=False)
    for size, rooms in ((2, 3), (3, 1), (4, 1)):
        for _ in range(rooms):
            yield flapping(size, seconds, chance)
            yield switching(size, seconds, chance)


def play(doors: Doors, seconds: float, chance: Random) -> list[Played]:
    """Let all rooms live side by side for some seconds."""
    _warm(doors)
    over, began = Event(), time.monotonic() + 1
    rooms = [(FIRST_ROOM + place, script) for place, script in enumerate(scripts(seconds, chance))]
    clients = {
        room: [
            Client(doors, script, user, room, began + _APART * place, over) for user in script.joins
        ]
        for place, (room, script) in enumerate(rooms)
    }
    for client in (each for members in clients.values() for each in members):
        client.start()
    smallest = dict.fromkeys(clients, sys.maxsize)
    settled = 15 + _APART * len(rooms) + max(max(script.joins.values()) for _, script in rooms)
    while time.monotonic() - began < seconds:
        over.wait(_POLL)
        if time.monotonic() - began > settled:
            for room in clients:
                smallest[room] = min(smallest[room], doors.roster(room)["size"])
    over.set()
    for client in (each for members in clients.values() for each in members):
        client.join()
    return [
        Played(
            script,
            _emitted(doors, room),
            smallest[room],
            sum(client.resends for client in clients[room]),
            sum(client.requests for client in clients[room]),
            [f"{client.name}: {client.failure!r}" for client in clients[room] if client.failure],
        )
        for room, script in rooms
    ]


def _warm(doors: Doors) -> None:
    """Have each function started once: a hundred cold starts at once would take a minute here."""
    room = FIRST_ROOM - 1
    doors.call_back(103, "warm", room)
    doors.enter("warm", room)
    doors.roster(room)


def _emitted(doors: Doors, room: int) -> int:
    entries, cursor = 0, {"limit": "100", "from": "0"}
    while True:
        page = doors.roster(room, "/timeline", **cursor)
        entries += sum(len(entry["transitions"]) for entry in page["entries"])
        if "next" not in page:
            return entries
        cursor = cursor | {"cursor": page["next"]}


def table(played: list[Played]) -> bool:
    """Print the table; whether every row holds."""
    by_name: dict[str, list[Played]] = defaultdict(list)
    for room in played:
        by_name[room.script.name].append(room)
    print(f"{'room':38} {'true':>5} {'emitted':>8} {'ratio':>6} {'smallest':>9} {'resends':>8}")
    holds = True
    for name, rooms in by_name.items():
        true = sum(room.script.true for room in rooms)
        emitted = sum(room.emitted for room in rooms)
        smallest = min(room.smallest for room in rooms)
        resends = sum(room.resends for room in rooms)
        print(f"{name:38} {true:5} {emitted:8} {emitted / true:6.2f} {smallest:9} {resends:8}")
        failures = [failure for room in rooms for failure in room.failures]
        for failure in failures:
            print(f"   ended early: {failure}")
        holds = holds and emitted <= MOST_FOR_EACH * true and emitted >= true and not failures
    return holds


def main() -> int:
    """Deploy to a local AWS of its own, play, print."""
    parser = argparse.ArgumentParser(prog="python -m simulation.live", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, LocalAws(Path(folder)) as aws:
        options = {"DeletionProtection": "false"}
        deployed = deployment.up(aws.cloud, package(target.local()), STACK, options, print)
        tenant = settle(aws, STACK, Path(folder) / "tenant.json")
        operator = Operator(aws.environ, STACK)
        key = operator.run("callbacks", "set", str(tenant.sdk_app_id))["key"]
        doors = Doors(deployed.urls, tenant.api_key, tenant.sdk_app_id, key)
        chance = Random(given.seed)  # noqa: S311 (a simulation)
        return 0 if table(play(doors, given.seconds, chance)) else 1


if __name__ == "__main__":
    sys.exit(main())
