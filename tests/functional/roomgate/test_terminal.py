"""What a person sees at a terminal, and nobody else: colour, progress, prompts."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.roomgate.conftest import APP
from tests.support.issuer import IssuerStandIn
from tests.support.lake_rows import MORNING, write_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ESCAPE = b"\x1b["
RUBBISH = ("ticket", "inspect", "--offline")
TYPING: Any = {"prompt": b"Ctrl-D", "typed": b"rubbish\n\x04"}
NOBODY = {"AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CONFIG_FILE": "/dev/null"}


def environ(extra: Mapping[str, str]) -> dict[str, str]:
    """An environment without credentials, in which nothing turns colour on or off."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name not in {"NO_COLOR", "FORCE_COLOR", "TERM"}
    }
    here = {"AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true", "TERM": "xterm"}
    return kept | here | NOBODY | dict(extra)


def at_a_terminal(
    *words: str, prompt: bytes = b"", typed: bytes = b"", **extra: str
) -> tuple[int, bytes]:
    """Run the command line at a terminal of its own; its exit code, and all that was seen.

    Args:
        words: the command.
        prompt: what is waited for before typing.
        typed: what is typed then.
        extra: of the environment.
    """
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "roomgate", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environ(extra),
            start_new_session=True,
        )
        os.close(theirs)
        seen = b""
        while prompt not in seen:
            seen += _read(ours) or pytest.fail(f"no prompt: {seen!r}")
        os.write(ours, typed)
        seen += b"".join(iter(lambda: _read(ours), b""))
        return process.wait(30), seen
    finally:
        os.close(ours)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # Linux says so when the other side has closed.
        return b""


def piped(*words: str, given: bytes = b"", **extra: str) -> tuple[int, bytes]:
    """Run it as a script does; its exit code, and both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "roomgate", *words],
        input=given,
        capture_output=True,
        env=environ(extra),
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_colour_is_for_a_terminal() -> None:
    """The verdict is in colour at a terminal, and plain in a pipe."""
    code, seen = at_a_terminal(*RUBBISH, **TYPING)
    assert (code, ESCAPE + b"31mfix" in seen) == (0, True)
    assert b"a line with Ctrl-D alone ends it" in seen
    code, told = piped(*RUBBISH, given=b"rubbish\n")
    assert (code, b"fix" in told, ESCAPE in told) == (0, True, False)
    assert b"Ctrl-D" not in told


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_turned_off(variable: dict[str, Any]) -> None:
    """NO_COLOR is what most programs listen to."""
    _, seen = at_a_terminal(*RUBBISH, **TYPING, **variable)
    assert b"fix" in seen
    assert ESCAPE not in seen


def test_progress_is_for_a_terminal() -> None:
    """What takes its time says so there, and wipes it away; a script sees the answer alone."""
    code, seen = at_a_terminal("doctor")
    assert (code, b"Waiting for the checks" in seen) == (1, True)
    assert b"\r\x1b[K" in seen
    code, told = piped("doctor")
    assert (code, b"Waiting" in told, b"There are no AWS credentials" in told) == (1, False, True)
    code, told = at_a_terminal("--json", "doctor")
    assert (code, b"Waiting" in told) == (1, False)


def test_a_query_shows_a_bar_at_a_terminal(tmp_path: Path) -> None:
    """How far it is goes to standard error there; a script sees the answer alone."""
    write_rows(MORNING, tmp_path)
    words = (
        "analytics",
        "query",
        "joins_leaves",
        "--folder",
        str(tmp_path),
        "--since",
        "2026-03-02",
    )
    code, seen = at_a_terminal(*words)
    assert (code, b"Asking" in seen, b"100%" in seen) == (0, True, True)
    code, told = piped(*words)
    assert (code, b"Asking" in told, b"2026-03-02" in told) == (0, False, True)
    code, seen = at_a_terminal("--json", *words)
    assert (code, b"Asking" in seen) == (0, False)


def test_an_api_key_that_is_typed_is_not_shown() -> None:
    """At a terminal it is asked for, and stays unseen."""
    with IssuerStandIn() as issuer:
        issuer.answer = (401, {"code": "api-key-invalid", "detail": "No."})
        words = ("ticket", "issue", APP, "alice", "--api", issuer.url, "--api-key-stdin")
        code, seen = at_a_terminal(*words, prompt=b"API key", typed=b"rg_typed_key\n")
    assert (code, issuer.asked[0].authorization) == (1, "Bearer rg_typed_key")
    assert b"API key" in seen
