"""``roomgate ticket``: issue, inspect and verify, offline with a key or through the issuer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from chalicelib.trtc import ALL, PRIVILEGES, ROLES, bits_of
from chalicelib.trtc.algorithms import ALGORITHMS
from roomgate.commands.groups import Group
from roomgate.commands.options import ROOM_ID, SDK_APP_ID, STRING_ROOM, USER_ID
from roomgate.commands.output import coloured, when
from roomgate.operator.api import Api, api_key
from roomgate.operator.deployed import issuer_url
from roomgate.operator.files import Given, TextFile
from roomgate.operator.keyfiles import read_key, read_verifying_key
from roomgate.operator.ticketing import (
    TicketSource,
    inspect_offline,
    inspect_through,
    issue_offline,
    issue_through,
    verify_offline,
    verify_through,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.tickets import VerifyingKey
    from chalicelib.trtc import Room
    from roomgate.commands.session import Session

_TICKETS: Final = {"userSig": "userSigExpiresAt", "privateMapKey": "privateMapKeyExpiresAt"}


def _together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator."""

    def decorated(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


_ROOM = _together(
    click.option("--room", "room_id", type=ROOM_ID, help="A numeric room."),
    click.option(
        "--string-room", type=STRING_ROOM, help="A string room (HMAC-SHA256 applications only)."
    ),
)
_ISSUER = _together(
    click.option("--api", "url", metavar="URL", help="The issuer's URL; default: the stack's."),
    click.option(
        "--api-key-stdin",
        is_flag=True,
        help="Read the API key from standard input, and not from ROOMGATE_API_KEY.",
    ),
)
_ALGORITHM = click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS),
    help="Of the key; by default ECDSA-SHA256 for a PEM file, else HMAC-SHA256.",
)


@click.group(
    cls=Group,
    examples=(
        (
            "roomgate ticket issue 1400000001 alice --room 1234 --key-file private_key.pem",
            "all to enter a room, offline",
        ),
        ("roomgate ticket inspect ticket.txt --offline", "what a ticket says"),
        (
            "roomgate ticket verify 1400000001 alice ticket.txt --key-file public_key.pem",
            "whether a userSig holds",
        ),
    ),
)
def ticket() -> None:
    """Issue, inspect and verify userSig and privateMapKey.

    With --key-file it works offline, with the key alone; else the deployed issuer is asked, with
    the API key of a caller (ROOMGATE_API_KEY, or --api-key-stdin).
    """


@ticket.command("issue")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.argument("user_id", type=USER_ID)
@_ROOM
@click.option("--role", type=click.Choice(list(ROLES)), help="What the user may do there.")
@click.option(
    "--privilege",
    "privileges",
    type=click.Choice(list(PRIVILEGES)),
    multiple=True,
    help="One thing that the user may do there (may be repeated); everything by default.",
)
@click.option(
    "--ttl",
    type=click.IntRange(min=1),
    help="Seconds that it lives; default: a day, or the issuer's.",
)
@click.option("--key-file", type=TextFile("the key"), help="Sign offline with this key.")
@_ALGORITHM
@_ISSUER
@click.pass_obj
def issue(session: Session, /, sdk_app_id: int, user_id: str, **wanted: Any) -> None:
    """Issue a userSig for USER_ID; with --room all to enter it.

    The tickets are credentials: whoever has them is that user until they end.
    """
    place = TicketSource(sdk_app_id, user_id, _room(wanted))
    privileges = _bits(place.room, wanted)
    if wanted["key_file"]:
        key = read_key(wanted["key_file"], wanted["algorithm"]).key
        facts = issue_offline(key, place, privileges, wanted["ttl"])
    else:
        facts = issue_through(_api(session, wanted), place, privileges, wanted["ttl"])
    session.output.answer(facts, _shown(facts))


@ticket.command("inspect")
@click.argument("file", type=TextFile("the ticket"), default="-")
@click.option("--app", "sdk_app_id", type=SDK_APP_ID, help="The application it should be for.")
@click.option("--user", "user_id", type=USER_ID, help="The user it should be for.")
@_ROOM
@click.option(
    "--key-file",
    "key_files",
    type=TextFile("the key"),
    multiple=True,
    help="Check offline with this key, a private or a public one (may be repeated).",
)
@click.option("--offline", is_flag=True, help="Check without any key.")
@_ALGORITHM
@_ISSUER
@click.pass_obj
def inspect(session: Session, /, file: Given, **wanted: Any) -> None:
    """Show what a ticket says, and what is wrong with it.

    The ticket comes from FILE, or from standard input. The verdict is in Tencent's codes and in
    words; the exit code is 0 whatever it is (verify tells by its exit code).
    """
    place = TicketSource(wanted["sdk_app_id"], wanted["user_id"], _room(wanted))
    text = file.text.strip()
    if wanted["key_files"] or wanted["offline"]:
        facts = inspect_offline(text, _keys(wanted), place)
    elif place.sdk_app_id is None:
        raise click.UsageError("Name the application (--app), or a --key-file, or --offline.")
    else:
        facts = inspect_through(_api(session, wanted), text, place)
    session.output.answer(facts, _explained(facts))


@ticket.command("verify")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.argument("user_id", type=USER_ID)
@click.argument("file", type=TextFile("the ticket"), default="-")
@_ROOM
@click.option(
    "--key-file",
    "key_files",
    type=TextFile("the key"),
    multiple=True,
    help="Verify offline with this key, a private or a public one (may be repeated).",
)
@_ALGORITHM
@_ISSUER
@click.pass_obj
def verify(session: Session, /, sdk_app_id: int, user_id: str, file: Given, **wanted: Any) -> None:
    """Verify a userSig of USER_ID, or with a room a privateMapKey.

    The ticket comes from FILE, or from standard input. Exit code 0: it holds; 1: it does not, and
    why is on standard error.
    """
    place = TicketSource(sdk_app_id, user_id, _room(wanted))
    text = file.text.strip()
    if wanted["key_files"]:
        facts = verify_offline(text, _keys(wanted), place)
    else:
        facts = verify_through(_api(session, wanted), text, place)
    until = when(facts["endsAt"])
    said = f"{coloured('ok')}: it holds until {until}; key {facts['keyId']} signed it."
    session.output.answer(facts, said)


def _room(wanted: dict[str, Any]) -> Room | None:
    if wanted["room_id"] and wanted["string_room"]:
        raise click.UsageError("Give --room or --string-room: 123 and '123' are different rooms.")
    room: Room | None = wanted["room_id"] or wanted["string_room"]
    return room


def _bits(room: Room | None, wanted: dict[str, Any]) -> int:
    role, privileges = wanted["role"], wanted["privileges"]
    if role and privileges:
        raise click.UsageError("Give --role or --privilege, not both.")
    if (role or privileges) and room is None:
        raise click.UsageError("--role and --privilege need a room (--room or --string-room).")
    if role:
        return ROLES[str(role)]
    return bits_of(privileges) if privileges else ALL


def _api(session: Session, wanted: dict[str, Any]) -> Api:
    key = api_key(from_stdin=wanted["api_key_stdin"])
    return Api(issuer_url(session, wanted["url"]), key)


def _keys(wanted: dict[str, Any]) -> list[VerifyingKey]:
    return [read_verifying_key(each, wanted["algorithm"]) for each in wanted["key_files"]]


def _shown(facts: dict[str, Any]) -> str:
    lines = []
    for name, ends in _TICKETS.items():
        if name in facts:
            until = when(facts.get(ends) or facts["expiresAt"])
            lines += [f"{name} (until {until}, key {facts['keyId']}):", facts[name]]
    if "rtcUrl" in facts:
        lines += ["rtcUrl, for live-pusher's url:", facts["rtcUrl"]]
    return "\n".join(lines)


def _explained(facts: dict[str, Any]) -> str:
    verdict = facts["verdict"]
    word = coloured("ok" if verdict["code"] == 0 else "fix")
    lines = [f"{facts['kind'] or 'no ticket'}"]
    lines += [f"  {name:<15} {value}" for name, value in facts["fields"].items()]
    if facts["keyId"]:
        lines.append(f"  {'keyId':<15} {facts['keyId']}")
    lines.append(f"{word}: {verdict['code']} {verdict['name']}: {verdict['cause']}")
    return "\n".join(lines)
