"""``roomgate events``: what is stored of rooms, for those who look after it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from chalicelib.table.item_keys import RoomKey
from roomgate.commands.events_export import export
from roomgate.commands.groups import Group
from roomgate.commands.options import ROOM_KEY, SDK_APP_ID
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from chalicelib.trtc import Room
    from roomgate.commands.session import Session


class Difference(NamedTuple):
    """What a replay says against a roster.

    Attributes:
        version: of the roster.
        members: in the roster, and rightly so.
        missing: by the replay they are in the room, by the roster they are not.
        surplus: the other way round.
        reports: reports and callbacks that were folded again.
    """

    version: int
    members: list[str]
    missing: list[str]
    surplus: list[str]
    reports: int

    @property
    def agrees(self) -> bool:
        """Whether the roster is what the replay says."""
        return not self.missing and not self.surplus


@click.group(
    cls=Group,
    examples=(
        ("roomgate events replay 1400000001 1234", "does the roster of a room hold?"),
        ("roomgate events replay 1400000001 1234 --write", "if not: let the replay count"),
        (
            "roomgate events export --from 2026-11-01 --to 2026-11-08",
            "a week's rows into the lake, which may have them already",
        ),
        (
            "roomgate events export --from 2026-11-07 --to 2026-11-08 --into .local/lake",
            "a day's rows into a folder, for roomgate analytics",
        ),
    ),
)
def events() -> None:
    """What is stored of rooms, and what came of it."""


events.add_command(export)


@events.command("replay")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.argument("room", type=ROOM_KEY)
@click.option("--write", is_flag=True, help="Where they differ, append a change that corrects it.")
@click.option(
    "--thorough",
    is_flag=True,
    help="Look through the whole table for reports, also of users that the room has never seen.",
)
@click.pass_obj
def replay(session: Session, sdk_app_id: int, room: Room, *, write: bool, thorough: bool) -> None:
    """Fold the stored reports of ROOM once more, and compare.

    ROOM is a number, or s: and the base64url of a string room's name, as in paths. Reports are kept
    for a week, so the replay begins with the roster from before. The history itself is never
    changed: a correction is one more change, of today, with the reason "replay".

    Exit code 1 if they differ (and nothing was written).
    """
    from roomgate.operator.event_store import event_store  # noqa: PLC0415 (brings botocore)
    from roomgate.operator.replay import replayed, story_of  # noqa: PLC0415 (likewise)

    store = event_store(session)
    ref = RoomKey(sdk_app_id, room)
    now = int(time.time() * 1000)
    state = store.folder.settle(ref, now) if write else store.table.room(ref)
    if not state.head.revision:
        raise OperatorError(f"Nothing is stored of room {ref.pk.split('#')[2]} in {sdk_app_id}.")
    with session.output.waiting("the replay"):
        story = story_of(store.table, store.archive, state, thorough=thorough)
        wanted = replayed(story, now)
    there = store.settled(state, now)
    difference = Difference(
        state.head.version,
        sorted(wanted & there),
        sorted(wanted - there),
        sorted(there - wanted),
        len(story.signals),
    )
    if difference.agrees or not write:
        session.output.answer(_facts(difference), _told(difference))
    else:
        done = store.folder.correct(ref, wanted, now)
        facts = _facts(difference) | {"corrected": done.room.head.version}
        text = f"{_told(difference)}\nCorrected by version {done.room.head.version}."
        session.output.answer(facts, text)
    if not difference.agrees and not write:
        raise click.exceptions.Exit(1)


def _facts(difference: Difference) -> dict[str, Any]:
    return {**difference._asdict(), "agrees": difference.agrees}


def _told(difference: Difference) -> str:
    head = (
        f"{difference.reports} stored reports and callbacks, folded again, "
        f"beside version {difference.version}: "
    )
    if difference.agrees:
        return f"{head}the same {len(difference.members)} members."
    lines = [f"{head}they differ."]
    lines += [f"  + {user}  by the replay, not by the roster" for user in difference.missing]
    lines += [f"  - {user}  by the roster, not by the replay" for user in difference.surplus]
    return "\n".join(lines)
