"""The rules of the layout: who may import whom."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from infra.layout import ROOT
from tests.support.imports import files, imports, needed

if TYPE_CHECKING:
    from pathlib import Path


# Each package of chalicelib, and what it may import of ours. Arrows go one way: there is no cycle.
ARROWS = {
    "errors": set(),
    "clock": set(),
    "aws_errors": {"errors"},
    "json_text": set(),
    "schema": {"errors"},
    "trtc": {"json_text"},
    "tickets": {"trtc", "json_text"},
    "roster": {"trtc", "json_text", "errors"},
    "stores": {"trtc", "schema", "json_text", "errors"},
    "keys": {"stores", "tickets", "trtc"},
    "table": {"roster", "trtc", "aws_errors", "errors"},
    "stream": {"table", "roster", "trtc", "aws_errors", "errors"},
    "auth": {"keys", "stores", "trtc", "schema", "errors"},
    "entries": {"auth", "keys", "stores", "tickets", "trtc", "errors"},
    "api": {
        "entries",
        "auth",
        "table",
        "keys",
        "stores",
        "tickets",
        "roster",
        "trtc",
        "schema",
        "json_text",
        "clock",
        "errors",
    },
}
PURE = ("trtc", "tickets", "roster")
PURE_MAY_IMPORT = set(sys.stdlib_module_names) - {"os", "random", "secrets", "socket", "http"}


def package_of(path: Path) -> str:
    return path.relative_to(ROOT / "chalicelib").parts[0].removesuffix(".py")


def test_arrows_go_one_way() -> None:
    """A package of chalicelib imports only the packages below it."""
    wrong = []
    for path in files("chalicelib"):
        package = package_of(path)
        if package == "__init__":
            continue
        named = {n.split(".")[1] for n in imports(path) if n.startswith("chalicelib.")}
        strange = named - ARROWS[package] - {package}
        wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in sorted(strange)]
    assert not wrong


def test_the_pure_packages_are_pure() -> None:
    """The pure packages import the standard library and cryptography, and no outside world."""
    wrong = []
    for path in (file for package in PURE for file in files(f"chalicelib/{package}")):
        tops = {name.partition(".")[0] for name in imports(path)}
        strange = tops - PURE_MAY_IMPORT - {"chalicelib", "cryptography"}
        wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in sorted(strange)]
    assert not wrong


@pytest.mark.parametrize("folder", ["chalicelib", "functions", "roomgate", "infra", "bench"])
def test_nothing_imports_a_function(folder: str) -> None:
    """A function is started by Lambda alone."""
    wrong = [p for p in files(folder) if any(n.startswith("functions") for n in imports(p))]
    assert not wrong


@pytest.mark.parametrize("folder", ["chalicelib", "functions"])
def test_what_is_packaged_imports_nothing_that_is_not(folder: str) -> None:
    """The operator's tools, the deploy code and the tests stay out of the functions."""
    outside = {"roomgate", "infra", "tests", "bench", "simulation"}
    wrong = [p for p in files(folder) if {n.partition(".")[0] for n in imports(p)} & outside]
    assert not wrong


def test_no_code_of_the_bundle_can_send_the_roomsig_request() -> None:
    """The server never asks for a roomsig: who has an HTTP client has it for something else."""
    clients = {"requests", "urllib.request", "urllib3", "http.client", "socket", "aiohttp", "httpx"}
    users = {
        str(path.relative_to(ROOT))
        for folder in ("chalicelib", "functions", "roomgate")
        for path in files(folder)
        if imports(path) & clients
    }
    assert users == {
        "chalicelib/stores/store.py",  # the extension's, on loopback
        "chalicelib/keys/probe.py",  # refuses to: see tests/unit/stores/test_settings.py
        "roomgate/operator/api.py",  # asks Roomgate's own functions
    }


TOPS = ("chalicelib", "roomgate", "infra", "simulation", "bench")


def modules() -> dict[str, Path]:
    """Each module of ours by its dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for folder in TOPS
        for path in files(folder)
    }


def arrows_of(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of ours that a file needs."""
    return {
        module
        for name in needed(path)
        for module in (name if name in known else name.rpartition(".")[0],)
        if module in known and known[module] != path
    }


def cycles(arrows: dict[str, set[str]]) -> list[str]:
    """The names that are on a cycle, or lead to one."""
    left = dict(arrows)
    while free := [name for name, to in left.items() if not to & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Who reads one module need not have read another first; lazy imports count, types do not."""
    known = modules()
    arrows = {name: arrows_of(path, known) for name, path in known.items()}
    assert cycles(arrows) == []


def test_no_folders_import_each_other_in_a_circle() -> None:
    """Nor do the folders at the top."""
    arrows: dict[str, set[str]] = {top: set() for top in TOPS}
    for name, path in modules().items():
        top = name.partition(".")[0]
        arrows[top] |= {to.partition(".")[0] for to in needed(path)} & set(TOPS) - {top}
    assert cycles(arrows) == []
    assert arrows["chalicelib"] == set()


def test_a_circle_is_found() -> None:
    """A pair that import each other, and who leads there."""
    assert cycles({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()}) == ["a", "b", "c"]
