"""``roomgate users``: what is stored of one user."""

from __future__ import annotations

import base64
import secrets
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from chalicelib.table.forgetting import Forgetting
from roomgate.commands.groups import Group
from roomgate.commands.options import SDK_APP_ID, USER_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.table.archive import Archive
    from chalicelib.table.item_keys import Item, RoomKey
    from roomgate.commands.session import Session

_SALT_BYTES: Final = 32


class Forgotten(NamedTuple):
    """What was done.

    Attributes:
        deleted: items that were the user's own.
        changed: items of others in which the pseudonym stands now.
        later: rooms that could not be seen to yet: the user is in them, or they were just written.
    """

    deleted: int
    changed: int
    later: list[str]


@click.group(
    cls=Group,
    examples=(
        (
            "roomgate users forget 1400000001 some-user --dry-run",
            "what would go",
        ),
        ("roomgate users forget 1400000001 some-user", "do it"),
    ),
)
def users() -> None:
    """What the event table holds of one user."""


@users.command("forget")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.argument("user_id", type=USER_ID)
@click.option("--dry-run", is_flag=True, help="Change no item; say what would be.")
@click.pass_obj
def forget(session: Session, sdk_app_id: int, user_id: str, *, dry_run: bool) -> None:
    """Delete a user's items; name it by a pseudonym elsewhere.

    Its reports, sessions and callbacks go. In rosters, timelines and other members' reports a
    pseudonym takes its place, always the same one, which nobody can turn back. The whole table is
    read for it. Logs and the lake keep the name until their retention ends: docs/operations.md.

    Exit code 1 if the user is in a room now: run it again once it has left.
    """
    from roomgate.operator.event_store import event_store  # noqa: PLC0415 (brings botocore)

    store = event_store(session)  # First: a salt is not made for a stack that is not there.
    forgetting = Forgetting(sdk_app_id, user_id, _salt(session))

    @cache
    def holds(ref: RoomKey) -> bool:
        return user_id in store.table.members(store.table.room(ref))

    with session.output.waiting("the table") as draw:
        done = _forget(store.archive, forgetting, holds, draw, dry_run=dry_run)
    facts = {**done._asdict(), "pseudonym": forgetting.pseudonym, "dryRun": dry_run}
    session.output.answer(facts, _told(done, forgetting.pseudonym, dry_run=dry_run))
    if done.later:
        raise click.exceptions.Exit(1)


def _forget(
    archive: Archive,
    forgetting: Forgetting,
    holds: Callable[[RoomKey], bool],
    draw: Callable[[], None],
    *,
    dry_run: bool,
) -> Forgotten:
    deleted, changed = 0, 0
    later: dict[str, None] = {}
    for number, item in enumerate(archive.everything()):
        if number % 1000 == 0:
            draw()
        replacement = forgetting.replacement(item, holds)
        if replacement.item is None:
            deleted += 1
            if not dry_run:
                archive.delete(item)
        elif replacement.item is not item:
            changed += 1
            if not dry_run and not archive.replace(item, replacement.item):
                later[_room_in(item)] = None
        elif replacement.present:
            later[_room_in(item)] = None
    return Forgotten(deleted, changed, list(later))


def _room_in(item: Item) -> str:
    pk: str = item["pk"]["S"]
    return pk.split("#")[2]


def _told(done: Forgotten, pseudonym: str, *, dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    counts = f"{done.deleted} items {would}deleted, {done.changed} {would}changed"
    lines = [f"{counts}; its name there: {pseudonym}"]
    if done.later:
        rooms = ", ".join(done.later)
        lines.append(f"Not yet: it is in these rooms, or they were just written: {rooms}.")
        lines.append("Run this again once it has left.")
    elif done.changed and not dry_run:
        lines.append(
            "Functions may remember for minutes who named whom in rooms that are open. "
            "Run this again when they are closed, until nothing is changed."
        )
    return "\n".join(lines)


def _salt(session: Session) -> bytes:
    """What pseudonyms are made with; made on first use, and then the same for ever."""
    from roomgate.operator.parameters import Parameters  # noqa: PLC0415 (brings botocore)

    parameters = Parameters(session.ssm)
    name = session.names.pseudonyms
    text = parameters.get(name)
    if text is None:
        text = base64.b64encode(secrets.token_bytes(_SALT_BYTES)).decode()
        parameters.add(name, text, f"Another run has just made {name}. Run this again.")
    return base64.b64decode(text)
