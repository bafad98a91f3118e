"""``roomgate doctor``: how things stand, and what to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from roomgate.commands.groups import Command
from roomgate.commands.output import coloured
from roomgate.operator.findings import FIX, Finding, guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from roomgate.commands.session import Session
    from roomgate.operator.deployed import Stack

_WIDTH: Final = 15
_FIRST: Final = ("configuration", "credentials")  # Without them nothing else can be looked at.
_HINT: Final = " " * (_WIDTH + 6)


@click.command("doctor", cls=Command)
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check the stack and say what to do; it changes nothing.

    Looked at: configuration, credentials, clock, stacks and their outputs, permissions, keys and
    their age, report tokens, callers, relays and callback keys, and whether the functions answer.
    Exit code 1 if anything needs doing.
    """
    session: Session = context.obj
    found = examine(session)
    to_do = [finding for finding in found if finding.state == FIX]
    facts = {"healthy": not to_do, "checks": [finding._asdict() for finding in found]}
    lines = [_line(finding) for finding in found]
    end = f"{len(to_do)} thing(s) to do." if to_do else "Nothing to do."
    session.output.answer(facts, "\n".join([*lines, end]))
    if to_do:
        context.exit(1)


def examine(session: Session) -> list[Finding]:
    """Everything that could be checked; without credentials nothing else can be."""
    from roomgate.operator import checks  # noqa: PLC0415 (brings botocore)

    with session.output.waiting("the checks") as draw:

        def look(check: str, one: Callable[[], Iterable[Finding]]) -> list[Finding]:
            draw()
            return guarded(check, one)

        found = look("configuration", lambda: checks.configuration(session))
        if found[-1].state != FIX:
            found += look("credentials", lambda: checks.credentials(session))
        if any(each.check in _FIRST and each.state == FIX for each in found):
            return found
        stacks: dict[str, Stack] = {}
        found += look("stacks", lambda: checks.stacks(session, stacks))
        found += look("permissions", lambda: checks.permissions(session))
        found += look("keys", lambda: checks.keys(session, stacks, time.time()))
        found += look("report tokens", lambda: checks.report_tokens(session))
        found += look("callers", lambda: checks.callers(session, time.time()))
        found += look("signers", lambda: checks.signers(session))
        found += look("reachability", lambda: checks.reachability(session, stacks))
    return found


def _line(finding: Finding) -> str:
    line = f"{coloured(f'{finding.state:4}')}  {finding.check:{_WIDTH}}{finding.said}"
    return f"{line}\n{_HINT}-> {finding.todo}" if finding.todo else line
