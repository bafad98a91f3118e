"""What a zip holds of chalicelib."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.layout import FUNCTIONS, ROOT, Function
from infra.package.sources import shared_sources

if TYPE_CHECKING:
    from pathlib import Path

LIB = ROOT / "chalicelib"
READERS = ("webhook", "rooms", "keeper", "exporter")


def held(name: str) -> set[str]:
    """What a function's zip holds, by paths within chalicelib."""
    app = ROOT / "functions" / name / "app.py"
    return {path.relative_to(LIB).as_posix() for path in shared_sources(app, ROOT)}


def test_a_function_holds_what_it_imports_and_what_that_does() -> None:
    """Also where it is imported within a function only, and the packages on the way."""
    assert held("issuer") >= {
        "__init__.py",
        "entries/issuer.py",
        "api/__init__.py",
        "api/openapi.py",
        "tickets/ecdsa_sha256.py",
    }


def rooms(name: str) -> set[str]:
    """Which rooms of chalicelib it holds something of."""
    return {path.partition("/")[0] for path in held(name)}


def test_a_function_holds_no_room_that_it_has_no_use_for() -> None:
    """A change of the roster deploys no issuer; what is named for its types alone is no use."""
    assert rooms("issuer").isdisjoint({"events", "roster", "lake"})
    assert rooms("exporter").isdisjoint({"callers", "entries", "keys"})


@pytest.mark.parametrize("name", READERS)
def test_nothing_that_signs_reaches_a_readers_zip(name: str) -> None:
    """Whoever reads what was said makes no ticket."""
    assert rooms(name).isdisjoint({"tickets", "entries"})


def test_what_is_imported_for_types_is_left_out_and_its_alternative_is_not(tmp_path: Path) -> None:
    """Held are packages on the way, too, what a function imports, and what that does in turn."""
    for name in ("__init__", "typed", "other", "lazy", "last", "unused"):
        file = tmp_path / "chalicelib" / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.touch()
    (tmp_path / "chalicelib" / "lazy.py").write_text("import chalicelib.last")
    app = tmp_path / "app.py"
    app.write_text(
        "if TYPE_CHECKING:\n    from chalicelib.typed import T\n"
        "else:\n    from chalicelib.other import T\n"
        "def late(): from chalicelib import lazy\n"
    )
    found = [path.stem for path in shared_sources(app, tmp_path)]
    assert found == ["__init__", "last", "lazy", "other"]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_nothing_of_the_machine_is_taken_for_ours(function: Function) -> None:
    """Only files below chalicelib, each once."""
    app = ROOT / "functions" / function.name / "app.py"
    found = shared_sources(app, ROOT)
    assert len(found) == len(set(found))
    assert all(path.is_relative_to(LIB) and path.suffix == ".py" for path in found)
