"""Which modules of chalicelib a function needs: those that its app.py imports, and what they do."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHARED: Final = "chalicelib"


def shared_sources(app: Path, root: Path) -> list[Path]:
    """The files of chalicelib that an app imports, in whatever function or branch; sorted.

    What is imported for its types alone is not needed.

    Args:
        app: the app.py.
        root: the folder that holds chalicelib.
    """
    found: set[Path] = set()
    ahead = {app}
    while ahead:
        named = {name for path in ahead for name in _imported(ast.parse(path.read_bytes()))}
        ahead = {path for name in named for path in _files(root, name)} - found
        found |= ahead
    return sorted(found)


def _imported(node: ast.AST) -> Iterator[str]:
    """What code names in its imports: modules, and what may be modules or names within one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    within = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        within = iter(node.orelse)
    for each in within:
        yield from _imported(each)


def _files(root: Path, name: str) -> Iterator[Path]:
    """The files that are run when a name is imported: a module's, and its packages'."""
    parts = name.split(".")
    if parts[0] != _SHARED:
        return
    for count in range(1, len(parts) + 1):
        path = root.joinpath(*parts[:count])
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if file.is_file():
            yield file
