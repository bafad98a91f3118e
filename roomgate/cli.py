"""``roomgate``: applications, keys and callers, from a terminal or a script."""

from __future__ import annotations

import json
import re
import sys
from typing import IO, Any, NoReturn

import boto3
import click

from chalicelib.callers.caller import ACTIONS, CALLER_ID_PATTERN, Caller
from chalicelib.keys.settings import ALGORITHMS, DAY, Bounds, Settings
from roomgate.stores import OperatorError, Stores


class Session:
    """What every command needs: the stores, and how to answer."""

    def __init__(self, stack: str, *, as_json: bool) -> None:
        self.stack = stack
        self.as_json = as_json

    @property
    def stores(self) -> Stores:
        """The stack's stores, in the account and region that the usual AWS settings name."""
        return Stores(boto3.session.Session(), self.stack)

    def say(self, facts: dict[str, Any], text: str) -> None:
        """Answer: the facts as JSON for a script, the text for a person."""
        click.echo(json.dumps(facts) if self.as_json else text)


SDK_APP_ID = click.IntRange(1, 2**32 - 1)
SECONDS = click.IntRange(1, 2**31 - 1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--stack",
    envvar="ROOMGATE_STACK",
    default="roomgate",
    show_default=True,
    help="The stack's name.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for scripts.")
@click.pass_context
def roomgate(context: click.Context, stack: str, as_json: bool) -> None:  # noqa: FBT001 (click passes flags so)
    """Set up applications, keys and callers of a Roomgate stack.

    Account, region and endpoint come from the usual AWS settings (AWS_PROFILE, AWS_REGION,
    AWS_ENDPOINT_URL, …).
    Exit codes: 0 done, 1 not done (the reason is on standard error), 2 the command was not
    understood.
    """
    context.obj = Session(stack, as_json=as_json)


@roomgate.group()
def apps() -> None:
    """TRTC applications."""


@apps.command("add")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.option(
    "--algorithm",
    "algorithms",
    type=click.Choice(ALGORITHMS),
    multiple=True,
    help="Allow this algorithm only (may be repeated); all by default.",
)
@click.option(
    "--default-ttl",
    type=SECONDS,
    default=DAY,
    show_default=True,
    help="Seconds that a ticket lives unless the request says.",
)
@click.option(
    "--longest-ttl",
    type=SECONDS,
    default=7 * DAY,
    show_default=True,
    help="Seconds that a ticket may live at most.",
)
@click.option(
    "--largest-room",
    type=click.IntRange(1, 5000),
    default=5000,
    show_default=True,
    help="Members that a room may have.",
)
@click.pass_obj
def apps_add(
    session: Session,
    sdk_app_id: int,
    *,
    algorithms: tuple[str, ...],
    default_ttl: int,
    longest_ttl: int,
    largest_room: int,
) -> None:
    """Set up the application SDK_APP_ID. Its key comes next: roomgate keys import."""
    least = min(60, default_ttl)
    if longest_ttl < default_ttl:
        raise click.UsageError("--longest-ttl is shorter than --default-ttl.")
    bounds = Bounds(least, default_ttl, longest_ttl)
    settings = Settings(algorithms or ALGORITHMS, bounds, bounds, largest_room)
    session.stores.add_application(sdk_app_id, settings)
    next_step = f"Next: roomgate keys import {sdk_app_id} FILE"
    session.say({"sdkAppId": sdk_app_id}, f"Application {sdk_app_id} is set up. {next_step}")


@roomgate.group()
def keys() -> None:
    """Signing keys."""


@keys.command("import")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.argument("file", type=click.File("r"))
@click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS),
    help="By default ECDSA-SHA256 for a PEM file, else HMAC-SHA256.",
)
@click.pass_obj
def keys_import(session: Session, sdk_app_id: int, file: IO[str], algorithm: str | None) -> None:
    """Store the key of SDK_APP_ID from FILE, or from standard input where FILE is ``-``.

    FILE holds the private key in PEM (ECDSA-SHA256) or the console's secret (HMAC-SHA256). It signs
    from now on.
    """
    text = file.read()
    chosen = algorithm or (ALGORITHMS[0] if "-----BEGIN" in text else ALGORITHMS[1])
    key = session.stores.import_key(sdk_app_id, chosen, text)
    facts = {"sdkAppId": sdk_app_id, "keyId": key.key_id, "algorithm": key.algorithm}
    session.say(facts, f"Application {sdk_app_id} now signs with {chosen} key {key.key_id}.")


@roomgate.group()
def callers() -> None:
    """Backends that may call."""


@callers.command("add")
@click.argument("caller_id")
@click.option(
    "--application",
    "applications",
    type=SDK_APP_ID,
    multiple=True,
    help="May use this application (may be repeated); all by default.",
)
@click.option(
    "--action",
    "actions",
    type=click.Choice(list(ACTIONS)),
    multiple=True,
    default=("issue",),
    show_default=True,
    help="May do this (may be repeated).",
)
@click.option("--longest-ttl", type=SECONDS, help="May ask for this many seconds at most.")
@click.option(
    "--users", default="*", show_default=True, help="May name users like this shell-style pattern."
)
@click.option(
    "--rooms", default="*", show_default=True, help="May use rooms like this shell-style pattern."
)
@click.option(
    "--ends", type=click.IntRange(min=1), help="Unix time in seconds at which its key stops."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0.01),
    default=50.0,
    show_default=True,
    help="Requests a second that one warm environment serves it.",
)
@click.option(
    "--burst",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Requests that may come at once.",
)
@click.pass_obj
def callers_add(session: Session, /, caller_id: str, **rights: Any) -> None:
    """Make the caller CALLER_ID and show its API key, once."""
    caller = _caller(caller_id, rights)
    api_key = session.stores.add_caller(caller)
    facts = {"caller": caller.id, "apiKey": api_key, "actions": sorted(caller.actions)}
    may = ", ".join(facts["actions"])
    text = f"Caller {caller.id} may: {may}.\nIts API key, shown this once:\n{api_key}"
    session.say(facts, text)


def _caller(caller_id: str, rights: dict[str, Any]) -> Caller:
    if not re.fullmatch(CALLER_ID_PATTERN, caller_id):
        raise click.UsageError("CALLER_ID: 1 to 32 characters of a-z, 0-9 and -, not - first.")
    return Caller(
        id=caller_id,
        hashes=(),
        applications=frozenset(rights["applications"]),
        actions=frozenset(rights["actions"]),
        most_ttl=rights["longest_ttl"],
        users=rights["users"],
        rooms=rights["rooms"],
        ends=rights["ends"],
        rate=rights["rate"],
        burst=rights["burst"],
    )


def main() -> NoReturn:
    """Run the command line; never returns."""
    try:
        roomgate(standalone_mode=False)
    except OperatorError as error:
        click.echo(f"roomgate: {error}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    sys.exit(0)
