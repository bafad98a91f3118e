"""What analysts need weighs a lot, and nobody else carries it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.layout import FUNCTIONS, ROOT
from tests.support.imports import files, imports

if TYPE_CHECKING:
    from pathlib import Path

DEAR = {"duckdb", "sqlglot", "matplotlib", "numpy"}


def tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


@pytest.mark.parametrize(
    "words", [("--help",), ("analytics", "--help"), ("keys", "list", "--help")]
)
def test_no_other_command_pays_for_analytics(words: tuple[str, ...]) -> None:
    """Neither help nor another command imports DuckDB, sqlglot, matplotlib or numpy."""
    code = (
        "import sys\nfrom roomgate.cli import roomgate\n"
        f"roomgate.main({list(words)!r}, standalone_mode=False)\n"
        f"print('imported:', [name for name in {sorted(DEAR)} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "imported: []"


def test_only_analytics_imports_what_is_dear() -> None:
    """Of what is packaged nothing does, and of the command line only its modules for analytics."""
    users = {
        path.relative_to(ROOT).as_posix()
        for folder in ("chalicelib", "functions", "roomgate")
        for path in files(folder)
        if tops(path) & DEAR
    }
    assert users
    assert all(re.fullmatch(r"roomgate/analytics/\w+\.py", path) for path in users)


@pytest.mark.parametrize("function", [each.name for each in FUNCTIONS])
def test_no_function_is_packaged_with_it(function: str) -> None:
    """Its locked requirements name none of them."""
    locked = (ROOT / "functions" / function / "requirements.txt").read_text()
    assert set(re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE)) & DEAR == set()
