"""docs/architecture.md names what there is, and few words."""

from __future__ import annotations

import re

from infra.layout import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
PATHS = re.findall(r"`((?:chalicelib|functions|roomgate|infra|docs)/[\w./]+)`", PAGE)
MOST_WORDS = 30

OLD_NAMES = (
    r"chalicelib[./](?:refusal|rooms|callers|events|lake|http)\b",
    r"roomgate\.(?:keystore|analytics_\w+|signing_secrets)\b",
    r"infra\.(?:standins|local_aws|walk|room_walk|key_walk|demo_\w+)\b",
    r"tests\.(?:simulation|soak)\b",
)


def test_every_path_exists() -> None:
    """A page that leads nowhere is worse than none."""
    assert len(PATHS) > 30
    assert [path for path in PATHS if not (ROOT / path).exists()] == []


def test_every_constant_that_is_named_stands_there() -> None:
    """``file.py``: ``NAME`` means that NAME is declared in it."""
    named = re.findall(r"`([\w/]+\.py)`: (`\w+`(?:, `\w+`)*)", PAGE)
    assert named
    for path, names in named:
        text = (ROOT / path).read_text()
        for name in re.findall(r"`(\w+)`", names):
            assert re.search(rf"^(?:class )?{name}\b", text, re.MULTILINE), (path, name)


def test_the_glossary_is_short() -> None:
    """What is not in it must explain itself."""
    _, _, glossary = PAGE.partition("## Glossary")
    words = re.findall(r"^\| ([\w -]+) \|", glossary, re.MULTILINE)[1:]
    assert 15 < len(words) <= MOST_WORDS


def test_every_package_stands_in_the_layout() -> None:
    """A package that the page leaves out has no place to be looked for."""
    packages = {path.parent.name for path in (ROOT / "chalicelib").glob("*/__init__.py")}
    listed = set(re.findall(r"^      (\w+)/ ", PAGE, re.MULTILINE))
    assert packages == listed


def test_no_old_name_is_left() -> None:
    """Packages that were renamed are named nowhere but in the table of the CHANGELOG."""
    names = re.compile("|".join(OLD_NAMES))
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for folder in (
            "chalicelib",
            "functions",
            "roomgate",
            "infra",
            "bench",
            "simulation",
            "docs",
        )
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".md", ".json", ".yaml", ".sql"}
        for match in names.finditer(path.read_text())
    ]
    assert found == []
