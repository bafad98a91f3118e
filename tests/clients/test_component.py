"""The mini-program: its component under WeChat's simulator, and the layout that WeChat expects."""

from __future__ import annotations

import json

import pytest

from tests.clients.node import ROOT, run_node

MINIPROGRAM = ROOT / "clients" / "miniprogram"
NPM = ROOT / "tests" / "clients" / "npm"


def test_the_component_does_what_its_tests_say() -> None:
    """It enters, shows a player for each member, explains errors, and reports."""
    if not (NPM / "node_modules").is_dir():
        pytest.skip(
            "WeChat's simulator is not installed: `make test-clients` installs it from npm."
        )
    # The simulator leaves timers behind, so Node is made to end.
    path = str(NPM / "room.component.js")
    run_node("--test", "--test-force-exit", "--test-reporter=spec", path)


def test_every_page_and_component_has_its_four_files() -> None:
    """What app.json and usingComponents name is there, so that WeChat's tools open the demo."""
    app = json.loads((MINIPROGRAM / "app.json").read_text())
    for page in [*app["pages"], "room/index"]:
        for ending in ("js", "json", "wxml", "wxss"):
            assert (MINIPROGRAM / f"{page}.{ending}").is_file(), f"{page}.{ending}"
        used = json.loads((MINIPROGRAM / f"{page}.json").read_text()).get("usingComponents", {})
        for component in used.values():
            assert (MINIPROGRAM / f"{component.lstrip('/')}.js").is_file(), component


def test_the_package_ships_the_component() -> None:
    """WeChat's npm build takes the folder that `miniprogram` names."""
    package = json.loads((MINIPROGRAM / "package.json").read_text())
    assert (MINIPROGRAM / package["miniprogram"] / "index.json").is_file()
    assert package["miniprogram"] in package["files"]


def test_the_lock_file_names_no_download_addresses() -> None:
    """Whatever registry npm is set to serves the tests' packages, checked by their hashes."""
    packages = json.loads((NPM / "package-lock.json").read_text())["packages"]
    assert all("resolved" not in package for package in packages.values())
    assert all("integrity" in package for name, package in packages.items() if name)
