"""Which modules of chalicelib a function needs: those that its app.py imports, and what they do."""

from __future__ import annotations

from modulefinder import ModuleFinder
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_SHARED: Final = "chalicelib"


def shared_sources(app: Path, root: Path) -> list[Path]:
    """The files of chalicelib that an app imports, in whatever function or branch; sorted.

    Args:
        app: the app.py.
        root: the folder that holds chalicelib.
    """
    finder = ModuleFinder(path=[str(root)])
    finder.run_script(str(app))
    ours = (name for name in finder.modules if name.partition(".")[0] == _SHARED)
    return sorted(_file(root, name) for name in ours)


def _file(root: Path, name: str) -> Path:
    path = root.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
