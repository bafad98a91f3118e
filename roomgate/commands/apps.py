"""``roomgate apps``: the TRTC applications of a stack, and their settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from chalicelib.schema import DecodeErrors
from chalicelib.stores.settings import LARGEST_ROOM, PROBE, Bounds, Probe, Settings
from chalicelib.stores.stored import BadStoredValue
from chalicelib.trtc.algorithms import ALGORITHMS
from roomgate.commands.groups import Group
from roomgate.commands.options import SDK_APP_ID, SECONDS, USER_ID
from roomgate.commands.output import span, table
from roomgate.operator.applications import ApplicationStore
from roomgate.operator.deployed import follows_within
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from roomgate.commands.session import Session


def _settings_options(*, defaults: bool) -> Callable[[Any], Any]:
    """The options of ``add``; ``set`` has the same, where nothing given means no change."""
    usual = Settings()
    bounds = usual.user_sig_ttl
    default, most = (bounds.default, bounds.most) if defaults else (None, None)
    largest = usual.largest_room if defaults else None
    otherwise = "all by default" if defaults else "all that were allowed are replaced"
    options = [
        click.option(
            "--algorithm",
            "algorithms",
            type=click.Choice(ALGORITHMS),
            multiple=True,
            help=f"Allow its key to have this algorithm (may be repeated); {otherwise}.",
        ),
        click.option(
            "--default-ttl",
            type=SECONDS,
            default=default,
            show_default=defaults,
            help="Seconds that a ticket lives unless the request says.",
        ),
        click.option(
            "--longest-ttl",
            type=SECONDS,
            default=most,
            show_default=defaults,
            help="Seconds that a ticket may live at most.",
        ),
        click.option(
            "--largest-room",
            type=click.IntRange(1, LARGEST_ROOM),
            default=largest,
            show_default=defaults,
            help="Members that a room may have; a list of more is refused.",
        ),
        click.option(
            "--probe-url",
            metavar="URL",
            help="Ask this (https, POST) whether a candidate's tickets count yet, before rotating "
            "to it. {sdkAppId}, {userId}, {userSig} and {random} in it are filled in.",
        ),
        click.option("--probe-user", type=USER_ID, help="The user whose ticket the probe shows."),
        click.option(
            "--probe-accepted",
            type=int,
            multiple=True,
            metavar="CODE",
            help="An ErrorCode that means accepted (may be repeated); 0 by default.",
        ),
    ]

    def decorated(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


@click.group(
    cls=Group,
    examples=(
        ("roomgate apps add 1400000001", "set one up"),
        ("roomgate apps list", "see them"),
        (
            "roomgate apps set 1400000001 --longest-ttl 172800",
            "no ticket lives longer than two days",
        ),
    ),
)
def apps() -> None:
    """TRTC applications and their settings."""


@apps.command("add")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@_settings_options(defaults=True)
@click.pass_obj
def add(session: Session, /, sdk_app_id: int, **wanted: Any) -> None:
    """Set up the application SDK_APP_ID.

    That is the number that Tencent's console shows for it. Its key comes next: roomgate keys
    import.
    """
    settings = changed(Settings(), wanted)
    ApplicationStore(session).add(sdk_app_id, settings)
    facts = described(sdk_app_id, settings)
    next_step = f"Next: roomgate keys import {sdk_app_id} FILE"
    session.output.answer(facts, f"Application {sdk_app_id} is set up. {next_step}")


@apps.command("set")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@_settings_options(defaults=False)
@click.option("--no-probe", is_flag=True, help="Rotate without asking.")
@click.pass_obj
def set_(session: Session, /, sdk_app_id: int, *, no_probe: bool, **wanted: Any) -> None:
    """Change settings of SDK_APP_ID; what is not named stays.

    The algorithm of the key that signs can't be taken away: rotate to a key of another one first.
    """
    if not any(wanted.values()) and not no_probe:
        raise click.UsageError("Name what to change, for example --default-ttl 3600.")
    applications = ApplicationStore(session)
    before = applications.settings_of(sdk_app_id)
    settings = changed(before._replace(probe=None) if no_probe else before, wanted)
    if wanted["algorithms"]:
        _refuse_to_forbid(session, sdk_app_id, settings)
    applications.put(sdk_app_id, settings)
    within = follows_within(session)
    text = f"Application {sdk_app_id} is changed; the functions follow within {within:g} seconds."
    session.output.answer(described(sdk_app_id, settings), text)


def _refuse_to_forbid(session: Session, sdk_app_id: int, settings: Settings) -> None:
    """Raise OperatorError if no function would sign with the current key any more."""
    from roomgate.operator.keystore import KeyStore  # noqa: PLC0415 (brings botocore)

    found = KeyStore(session).find(sdk_app_id)
    current = found.of("current") if found else None
    if current and current.key and current.key.algorithm not in settings.algorithms:
        raise OperatorError(
            f"Application {sdk_app_id} signs with an {current.key.algorithm} key ({current.key_id})"
            f" now, so that can't be forbidden. Rotate to a key of {settings.algorithms[0]} first: "
            f"roomgate keys import {sdk_app_id} FILE, roomgate keys rotate {sdk_app_id}"
        )


@apps.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """Show the applications and their settings."""
    found = ApplicationStore(session).all()
    facts = [described(app, settings) for app, settings in found.items()]
    rows = [_row(app, settings) for app, settings in found.items()]
    head = ("sdkAppId", "algorithms", "default ttl", "longest ttl", "largest room", "probe")
    none = "There are no applications yet. Set one up: roomgate apps add SDK_APP_ID"
    session.output.answer({"applications": facts}, table(head, rows) if rows else none)


def changed(settings: Settings, wanted: dict[str, Any]) -> Settings:
    """Settings with what was asked for.

    Args:
        settings: as they are.
        wanted: the options; None or empty for no change.

    Raises:
        click.UsageError: the ttls contradict each other.
    """
    return settings._replace(
        algorithms=wanted["algorithms"] or settings.algorithms,
        user_sig_ttl=_bounds(settings.user_sig_ttl, wanted),
        private_map_key_ttl=_bounds(settings.private_map_key_ttl, wanted),
        largest_room=wanted["largest_room"] or settings.largest_room,
        probe=_probe(settings.probe, wanted),
    )


def _probe(probe: Probe | None, wanted: dict[str, Any]) -> Probe | None:
    url, user, accepted = wanted["probe_url"], wanted["probe_user"], wanted["probe_accepted"]
    if not (url or user or accepted):
        return probe
    if probe is None and not (url and user):
        raise click.UsageError("A probe needs both --probe-url and --probe-user.")
    known = probe or Probe(url, user)
    wished = Probe(url or known.url, user or known.user_id, accepted or known.accepted)
    try:
        return PROBE.decode(PROBE.encode(wished))
    except DecodeErrors as errors:
        raise click.UsageError(f"--probe-url: {errors}.") from None


def _bounds(bounds: Bounds, wanted: dict[str, Any]) -> Bounds:
    default = wanted["default_ttl"] or bounds.default
    most = wanted["longest_ttl"] or bounds.most
    if most < default:
        raise click.UsageError(
            f"--longest-ttl ({most} s) is shorter than --default-ttl ({default} s)."
        )
    return Bounds(min(bounds.least, default), default, most)


def described(sdk_app_id: int, settings: Settings | BadStoredValue) -> dict[str, Any]:
    """An application for a script; where its settings can't be read, why."""
    if isinstance(settings, BadStoredValue):
        return {"sdkAppId": sdk_app_id, "unreadable": str(settings)}
    return {
        "sdkAppId": sdk_app_id,
        "algorithms": list(settings.algorithms),
        "defaultTtl": settings.user_sig_ttl.default,
        "longestTtl": settings.user_sig_ttl.most,
        "largestRoom": settings.largest_room,
        "probe": PROBE.encode(settings.probe) if settings.probe else None,
    }


def _row(sdk_app_id: int, settings: Settings | BadStoredValue) -> list[str]:
    if isinstance(settings, BadStoredValue):
        return [str(sdk_app_id), "unreadable: see roomgate doctor", "", "", "", ""]
    return [
        str(sdk_app_id),
        " ".join(settings.algorithms),
        span(settings.user_sig_ttl.default),
        span(settings.user_sig_ttl.most),
        str(settings.largest_room),
        "yes" if settings.probe else "-",
    ]
