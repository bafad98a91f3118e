from __future__ import annotations

import re
from pathlib import Path

import pytest

from chalicelib.api.problems import PROBLEMS

README = (Path(__file__).resolve().parents[3] / "README.md").read_text()
_ROW = re.compile(r"^\| `([a-z-]+)` \| (\d{3}) \| (.+) \|$", re.MULTILINE)


def test_the_readme_lists_every_problem() -> None:
    """The table of codes is the one that the code has, line for line."""
    listed = {code: (int(status), title) for code, status, title in _ROW.findall(README)}
    assert listed == PROBLEMS


@pytest.mark.parametrize("name", ["CHANGELOG.md", "LICENSE", "SECURITY.md"])
def test_the_documents_are_there(name: str) -> None:
    """What the README points at exists."""
    assert (Path(__file__).resolve().parents[3] / name).stat().st_size > 0
