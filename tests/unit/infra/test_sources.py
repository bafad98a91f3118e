"""What a zip holds of chalicelib."""

from __future__ import annotations

import pytest

from infra.layout import FUNCTIONS, ROOT, Function
from infra.sources import shared_sources

LIB = ROOT / "chalicelib"
FEW = ("issuer", "exporter")


def held(name: str) -> set[str]:
    """What a function's zip holds, by paths within chalicelib."""
    app = ROOT / "functions" / name / "app.py"
    return {path.relative_to(LIB).as_posix() for path in shared_sources(app, ROOT)}


def test_a_function_holds_what_it_imports_and_what_that_does() -> None:
    """Also where it is imported within a function only, and the packages on the way."""
    assert held("issuer") >= {
        "__init__.py",
        "entries/issuer.py",
        "http/__init__.py",
        "http/openapi.py",
        "tickets/v1.py",
    }


def test_a_function_holds_no_room_that_it_has_no_use_for() -> None:
    """A change of the roster deploys no issuer, and nothing that signs reaches a reader's zip."""
    issuer, exporter = ({path.partition("/")[0] for path in held(name)} for name in FEW)
    assert issuer.isdisjoint({"events", "roster", "lake"})
    assert exporter.isdisjoint({"callers", "entries"})


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_nothing_of_the_machine_is_taken_for_ours(function: Function) -> None:
    """Only files below chalicelib, each once."""
    app = ROOT / "functions" / function.name / "app.py"
    found = shared_sources(app, ROOT)
    assert len(found) == len(set(found))
    assert all(path.is_relative_to(LIB) and path.suffix == ".py" for path in found)
