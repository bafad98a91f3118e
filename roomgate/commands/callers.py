"""``roomgate callers``: the backends that may call, their rights and their API keys."""

from __future__ import annotations

import math
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import click

from chalicelib.auth.caller import ACTIONS, MOST_KEYS, Caller, hash_of
from chalicelib.stores.cache import REFRESH_SECONDS, STALE_SECONDS
from chalicelib.stores.stored import BadStoredValue
from roomgate.commands.groups import Group
from roomgate.commands.options import CALLER_ID, MOMENT, SDK_APP_ID, SECONDS
from roomgate.commands.output import table, when
from roomgate.operator.applications import ApplicationStore
from roomgate.operator.deployed import follows_within
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from roomgate.commands.session import Session

_API_KEY_BYTES: Final = 32
_KNOWN_SECONDS: Final = int(STALE_SECONDS + REFRESH_SECONDS)
"""For so long a function may go on with what it read of a caller, if its store is down."""


class CallerStore:
    """The callers of one stack.

    Args:
        session: whose stack and account are used.
    """

    def __init__(self, session: Session) -> None:
        from roomgate.operator.parameters import Parameters  # noqa: PLC0415 (brings botocore)

        self._parameters = Parameters(session.ssm)
        self._names = session.names

    def add(self, caller: Caller) -> str:
        """Write a new caller, who has no hashes yet; return its API key, which is never stored.

        Raises:
            OperatorError: there is a caller of that id.
        """
        api_key = _new_api_key(caller.id)
        stored = caller._replace(hashes=(hash_of(api_key),))
        before = self._parameters.get(self._names.caller(caller.id))
        known = _parsed(before) if before else None
        if isinstance(known, Caller) and known.is_revoked:
            self._put(stored)
            return api_key
        taken = (
            f"Caller {caller.id} is there already. Choose another id, or give it a new API key: "
            f"roomgate callers rotate {caller.id}"
        )
        self._parameters.add(self._names.caller(caller.id), stored.to_json(), taken)
        return api_key

    def rotate(self, caller_id: str) -> str:
        """Give a caller a second API key, before its older one; return it.

        Raises:
            OperatorError: there is no such caller, or it has two already.
        """
        caller = self.get(caller_id)
        if len(caller.hashes) >= MOST_KEYS:
            raise OperatorError(
                f"Caller {caller_id} has {MOST_KEYS} API keys already. Once nobody uses the older "
                f"one: roomgate callers revoke {caller_id} --older; then rotate again."
            )
        api_key = _new_api_key(caller_id)
        self._put(caller._replace(hashes=(hash_of(api_key), *caller.hashes)))
        return api_key

    def drop_older(self, caller_id: str) -> None:
        """Leave a caller its newest API key only; raises OperatorError where it has but one."""
        caller = self.get(caller_id)
        if len(caller.hashes) < MOST_KEYS:
            raise OperatorError(
                f"Caller {caller_id} has one API key only, so there is no older one. To change "
                f"over: roomgate callers rotate {caller_id}; to shut it out: roomgate callers "
                f"revoke {caller_id}"
            )
        self._put(caller._replace(hashes=caller.hashes[:1]))

    def revoke(self, caller_id: str, now: int) -> bool:
        """Take all API keys from a caller, a broken one too; one that has none is deleted.

        Args:
            caller_id: whom.
            now: unix time in seconds.

        Returns:
            Whether it was deleted.

        Raises:
            OperatorError: there is none, or functions may still know one that was just revoked.
        """
        stored = self._read(caller_id)
        caller = Caller(caller_id, ()) if isinstance(stored, BadStoredValue) else stored
        if stored is not caller or not caller.is_revoked or caller.ends is None:
            self._put(caller.revoked(now))
            return False
        if now < caller.ends + _KNOWN_SECONDS:
            raise OperatorError(
                f"Caller {caller_id} is revoked since {when(caller.ends)} already. From "
                f"{when(caller.ends + _KNOWN_SECONDS)} on, when no function can know its keys any "
                "more, the same command takes it off the list."
            )
        self._parameters.delete(self._names.caller(caller_id))
        return True

    def get(self, caller_id: str) -> Caller:
        """A caller that may call; raises OperatorError."""
        caller = self._read(caller_id)
        if isinstance(caller, BadStoredValue):
            raise OperatorError(
                f"What is stored of caller {caller_id} can't be read ({caller}). "
                f"roomgate callers revoke {caller_id}, then add it anew."
            )
        if caller.is_revoked:
            raise OperatorError(
                f"Caller {caller_id} is revoked. To let it in again, with the rights that you "
                f"name: roomgate callers add {caller_id}"
            )
        return caller

    def all(self) -> dict[str, Caller | BadStoredValue]:
        """Callers by id; where one can't be read, why."""
        stored = self._parameters.under(self._names.callers)
        return {caller_id: _parsed(text) for caller_id, text in stored.items()}

    def _read(self, caller_id: str) -> Caller | BadStoredValue:
        """A caller, or why it can't be read; raises OperatorError where there is none."""
        text = self._parameters.get(self._names.caller(caller_id))
        if text is None:
            raise OperatorError(
                f"There is no caller {caller_id} in stack {self._names.stack}. "
                "See: roomgate callers list"
            )
        return _parsed(text)

    def _put(self, caller: Caller) -> None:
        self._parameters.put(self._names.caller(caller.id), caller.to_json())


def _parsed(text: str) -> Caller | BadStoredValue:
    """A caller, or why it can't be read."""
    try:
        return Caller.from_json(text)
    except BadStoredValue as fault:
        return fault


def _new_api_key(caller_id: str) -> str:
    return f"rg_{caller_id}_{secrets.token_urlsafe(_API_KEY_BYTES)}"


@click.group(
    cls=Group,
    examples=(
        (
            "roomgate callers add my-backend --application 1400000001 --action issue",
            "make one, and see its API key",
        ),
        ("roomgate callers rotate my-backend", "a second API key, to change over to"),
        ("roomgate callers revoke my-backend --older", "after that: the first API key stops"),
        ("roomgate callers revoke my-backend", "shut it out altogether"),
    ),
)
def callers() -> None:
    """Backends that may call, each with API keys of its own."""


def _finite(_context: click.Context, _option: click.Parameter, value: float) -> float:
    if not math.isfinite(value):  # A range lets NaN through, and JSON knows neither.
        raise click.BadParameter("Write a number of requests a second, for example 50 or 0.5.")
    return value


def _pattern(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not value:
        raise click.BadParameter("An empty pattern fits nothing; * fits everything.")
    return value


@callers.command("add")
@click.argument("caller_id", type=CALLER_ID)
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
    help="May do this (may be repeated): "
    + "; ".join(f"{action}: {meaning}" for action, meaning in ACTIONS.items())
    + ".",
)
@click.option("--longest-ttl", type=SECONDS, help="May ask for this many seconds at most.")
@click.option(
    "--users",
    default="*",
    show_default=True,
    callback=_pattern,
    help="May name users like this shell-style pattern.",
)
@click.option(
    "--rooms",
    default="*",
    show_default=True,
    callback=_pattern,
    help="May use rooms like this shell-style pattern: 12* is for numbers, s:lobby-* for names.",
)
@click.option("--ends", type=MOMENT, help="Its keys stop then: 2027-01-31 (UTC), or unix seconds.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0.01),
    callback=_finite,
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
def add(session: Session, /, caller_id: str, **rights: Any) -> None:
    """Make the caller CALLER_ID and show its API key, once.

    For a backend that serves one tenant, name that tenant's users: --users 'tenant7-*'. It then
    can't sign for anybody else's.
    """
    caller = _caller(caller_id, rights)
    if caller.ends is not None and caller.ends <= time.time():
        raise click.UsageError(f"--ends: {when(caller.ends)} is over.")
    api_key = CallerStore(session).add(caller)
    for app in sorted(caller.applications - ApplicationStore(session).all().keys()):
        session.output.note(
            f"Application {app} is not set up in stack {session.stack}, so nothing can be done in "
            f"it yet: roomgate apps add {app} (or see: roomgate apps list)"
        )
    facts = {"caller": caller.id, "apiKey": api_key, "actions": sorted(caller.actions)}
    may = ", ".join(facts["actions"])
    text = f"Caller {caller.id} may: {may}.\nIts API key, shown this once:\n{api_key}"
    session.output.answer(facts, text)


@callers.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """Show who may do what. API keys are not shown: they are not stored."""
    found = CallerStore(session).all()
    facts = [_described(caller_id, caller) for caller_id, caller in found.items()]
    rows = [_row(caller_id, caller) for caller_id, caller in found.items()]
    head = ("caller", "keys", "actions", "applications", "users", "rooms", "longest ttl", "ends")
    none = "There are no callers yet. Make one: roomgate callers add CALLER_ID"
    session.output.answer({"callers": facts}, table(head, rows) if rows else none)


@callers.command("rotate")
@click.argument("caller_id", type=CALLER_ID)
@click.pass_obj
def rotate(session: Session, caller_id: str) -> None:
    """Give CALLER_ID a second API key and show it, once.

    The older one goes on. Put the new key into the backend, see that it works, then: roomgate
    callers revoke --older.
    """
    api_key = CallerStore(session).rotate(caller_id)
    within = follows_within(session)
    text = (
        f"Caller {caller_id} has a new API key, shown this once:\n{api_key}\n"
        f"It counts within {within:g} seconds; the older one goes on until: "
        f"roomgate callers revoke {caller_id} --older"
    )
    session.output.answer({"caller": caller_id, "apiKey": api_key, "keys": MOST_KEYS}, text)


@callers.command("revoke")
@click.argument("caller_id", type=CALLER_ID)
@click.option("--older", is_flag=True, help="Only the older of its two API keys; it goes on.")
@click.pass_obj
def revoke(session: Session, caller_id: str, *, older: bool) -> None:
    """Shut the caller CALLER_ID out, or end its older API key.

    How soon that counts is told; it takes functions that can read the store. A caller that is shut
    out stays on the list as revoked; a day later the same command takes it off.
    """
    stored, gone = CallerStore(session), False
    if older:
        stored.drop_older(caller_id)
    else:
        gone = stored.revoke(caller_id, int(time.time()))
    within = follows_within(session)
    what = f"The older API key of {caller_id} stops"
    if not older:
        what = f"Caller {caller_id} is revoked; its API keys stop"
    text = f"{what} within {within:g} seconds."
    if gone:
        text = f"Caller {caller_id} was revoked long ago, and is off the list now."
    facts = {"caller": caller_id, "revoked": "older" if older else "all"}
    session.output.answer({**facts, "stopsWithin": within}, text)


def _caller(caller_id: str, rights: dict[str, Any]) -> Caller:
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


def _described(caller_id: str, caller: Caller | BadStoredValue) -> dict[str, Any]:
    if isinstance(caller, BadStoredValue):
        return {"caller": caller_id, "unreadable": str(caller)}
    return {
        "caller": caller_id,
        "keys": len(caller.hashes),
        "revoked": caller.is_revoked,
        "applications": sorted(caller.applications),
        "actions": sorted(caller.actions),
        "longestTtl": caller.most_ttl,
        "users": caller.users,
        "rooms": caller.rooms,
        "ends": caller.ends,
        "rate": caller.rate,
        "burst": caller.burst,
    }


def _row(caller_id: str, caller: Caller | BadStoredValue) -> list[str]:
    if isinstance(caller, BadStoredValue):
        return [caller_id, "unreadable: revoke it, then add it anew", *("",) * 6]
    return [
        caller_id,
        "revoked" if caller.is_revoked else str(len(caller.hashes)),
        " ".join(sorted(caller.actions)),
        " ".join(map(str, sorted(caller.applications))) or "all",
        caller.users,
        caller.rooms,
        str(caller.most_ttl or "-"),
        when(caller.ends) if caller.ends else "-",
    ]
