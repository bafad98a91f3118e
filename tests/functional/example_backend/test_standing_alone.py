"""A customer runs the example without our repository: it stands on what it declares."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from infra.layout import ROOT
from tests.functional.example_backend.test_settings import GOOD

if TYPE_CHECKING:
    from pathlib import Path

BACKEND = ROOT / "examples" / "backend"


def requirements() -> list[Requirement]:
    lines = (BACKEND / "requirements.txt").read_text().splitlines()
    return [Requirement(line.partition("#")[0]) for line in lines if line.partition("#")[0]]


def test_it_imports_what_it_declares_and_nothing_of_ours() -> None:
    """Neither more, which a customer would lack, nor less."""
    imported = set()
    for path in BACKEND.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add((node.module or "").partition(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - {"_typeshed"}  # For types only.
    assert foreign == {requirement.name for requirement in requirements()}


def test_what_is_tested_here_is_what_it_asks_for() -> None:
    """The versions in our environment are within its ranges."""
    for requirement in requirements():
        assert requirement.specifier.contains(version(requirement.name)), requirement


def test_it_starts_where_nothing_of_ours_is(tmp_path: Path) -> None:
    """Copied elsewhere, it makes its application from the environment alone."""
    copy = tmp_path / "backend"
    copy.mkdir()
    for path in BACKEND.glob("*.py"):
        (copy / path.name).write_text(path.read_text())
    code = "from backend.app import create_app; print(callable(create_app()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=GOOD,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("True", "")
