"""Unit tests touch nothing but memory: no process, no socket, no file is written.

What needs one of these is a functional test.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESSES = {"subprocess.Popen", "os.system", "os.posix_spawn", "os.fork"}
SOCKETS = {"socket.connect", "socket.bind"}
SPARED = (".hypothesis", "__pycache__", "/dev/null")
"""Hypothesis keeps examples that failed, and Python what it compiled."""

_watched = False


class NotAUnitTest(AssertionError):
    """A unit test reached outside; move it to tests/functional."""


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's audit hook (PEP 578): it hears of every process, socket and open file."""
    if not _watched:
        return
    if event in PROCESSES | SOCKETS:
        raise NotAUnitTest(f"{event}{arguments[:1]}: move this test to tests/functional")
    if event == "open" and _writes(*arguments[:3]):
        raise NotAUnitTest(f"{arguments[0]} is written: move this test to tests/functional")


def _writes(path: Any, mode: Any, flags: Any) -> bool:
    if any(part in str(path) for part in SPARED):
        return False
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(isinstance(flags, int) and flags & 3)


sys.addaudithook(watch)


@pytest.fixture(autouse=True)
def nothing_but_memory() -> Iterator[None]:
    """Watch a unit test, but not what pytest does around it."""
    global _watched  # noqa: PLW0603 (an audit hook can't be taken away)
    _watched = True
    yield
    _watched = False
