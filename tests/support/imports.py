"""What the modules of the repository import."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from infra.layout import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def imports(path: Path) -> set[str]:
    """The modules that a file names in import statements, types included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))
