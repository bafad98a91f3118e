"""Read the trees of exceptions that modules draw in their docstrings."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(r"(?P<indent> *(?:[│├└─ ]*))(?P<name>[A-Z]\w+)(?P<rest>.*)")


class Drawn(NamedTuple):
    """One class of a drawn tree: its name, its parent's, and the attributes beside it."""

    name: str
    parent: str | None
    attributes: tuple[str, ...]


def drawn_tree(docstring: str | None) -> list[Drawn]:
    """Return the classes of the literal block that begins with ``::``."""
    block = (docstring or "").partition("\n::\n\n")[2].split("\n\n")[0]
    path: list[tuple[int, str]] = []
    drawn = []
    for line in block.splitlines():
        match = _LINE.fullmatch(line)
        assert match, line
        depth = len(match["indent"])
        path = [(place, name) for place, name in path if place < depth]
        parent = path[-1][1] if path else None
        attributes = tuple(re.findall(r"(?<= )\.(\w+)", match["rest"]))
        drawn.append(Drawn(match["name"], parent, attributes))
        path.append((depth, match["name"]))
    return drawn
