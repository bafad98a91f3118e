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


def needed(path: Path) -> set[str]:
    """What a file imports when it runs, at once or later: modules, and names in modules.

    Not what is imported for types alone.
    """
    names = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        typing_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        nodes += node.orelse if typing_only else ast.iter_child_nodes(node)  # type: ignore[attr-defined]  # An If has one.
    return names
