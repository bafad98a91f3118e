"""``roomgate``: what an operator of a stack does, from a terminal or a script."""

from __future__ import annotations

import os
import re
from typing import NoReturn

import click

from roomgate.commands.analytics import analytics
from roomgate.commands.apps import apps
from roomgate.commands.callbacks import callbacks
from roomgate.commands.callers import callers
from roomgate.commands.doctor import doctor
from roomgate.commands.events import events
from roomgate.commands.groups import Group
from roomgate.commands.keys import keys
from roomgate.commands.output import Output
from roomgate.commands.relays import relays
from roomgate.commands.room_urls import room_url_command
from roomgate.commands.session import DEFAULT_STACK, Session
from roomgate.commands.tickets import ticket
from roomgate.commands.users import users

_STACK = re.compile(r"[a-z][a-z0-9-]{1,30}")


def _stack_name(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not _STACK.fullmatch(value):
        raise click.BadParameter("2 to 31 lower-case letters, digits and -, a letter first.")
    return value


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--stack",
    envvar="ROOMGATE_STACK",
    default=DEFAULT_STACK,
    show_default=True,
    show_envvar=True,
    callback=_stack_name,
    help="The stack's name.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for scripts.")
@click.version_option(package_name="roomgate")
@click.pass_context
def roomgate(context: click.Context, stack: str, as_json: bool) -> None:  # noqa: FBT001 (click passes flags so)
    """Set up and look after a Roomgate stack: applications, keys, callers, relays, callbacks.

    Where to begin: roomgate doctor says how things stand and what to do next; docs/operations.md
    goes from an empty AWS account to the first rotation.

    Account, region and endpoint come from the usual AWS settings (AWS_PROFILE, AWS_REGION,
    AWS_ENDPOINT_URL, …). Keys, tickets and API keys come from files, standard input or the
    environment, never from an argument. Colour and progress appear on a terminal only (NO_COLOR
    turns colour off).

    Exit codes: 0 done, 1 not done (the reason is on standard error) or something needs doing (the
    answer says what), 2 the command was not understood.
    """
    # A program (a test) may give its session of boto3 along.
    context.obj = Session(stack, Output(as_json=as_json), context.obj)
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        context.color = False


for command in (
    apps,
    keys,
    callers,
    relays,
    callbacks,
    ticket,
    room_url_command,
    events,
    users,
    analytics,
    doctor,
):
    roomgate.add_command(command)


def main() -> NoReturn:
    """Run the command line; never returns."""
    # boto3 knows the older name alone; AWS's other tools know both, and prefer this one.
    if os.environ.get("AWS_REGION"):
        os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]
    roomgate.main(prog_name="roomgate")
    raise AssertionError  # click has ended the process.
