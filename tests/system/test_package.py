"""Packaging with the real Chalice and uv."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.layout import FUNCTIONS, ROOT, TEMPLATES, InfraError
from infra.package import bundle as packaging
from infra.package import target

ROOMS = tuple(each for each in FUNCTIONS if each.name == "rooms")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources that go into a bundle, elsewhere and with other times."""
    for name in ("functions", "chalicelib"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore, copy_function=shutil.copyfile)
    for path in tmp_path.rglob("*.py"):
        os.utime(path, (0, 0))
    return tmp_path


def test_the_same_sources_give_the_same_bytes(copy: Path, tmp_path: Path) -> None:
    """Wherever and whenever a bundle is built."""
    (here,) = _package(ROOT, tmp_path / "one")
    (there,) = _package(copy, tmp_path / "two")
    assert there.zip.read_bytes() == here.zip.read_bytes()
    assert there.sha256 == here.sha256
    assert there.template.read_bytes() == here.template.read_bytes()


def test_only_what_changed_is_built_again(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run builds nothing; a changed source is noticed."""
    (first,) = _package(copy, tmp_path / "build")
    assert "unchanged" not in capsys.readouterr().out
    (second,) = _package(copy, tmp_path / "build")
    assert "unchanged" in capsys.readouterr().out
    assert second == first
    with (copy / "chalicelib" / "errors.py").open("a") as source:
        source.write("\n# changed\n")
    (third,) = _package(copy, tmp_path / "build")
    assert third.sha256 != first.sha256


def test_who_packages_at_the_same_time_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two commands that start at once on an empty folder get one bundle, built once."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        one, two = pool.map(lambda _: _package(ROOT, tmp_path / "build"), range(2))
    assert one == two
    assert capsys.readouterr().out.count("packaging for") == 1


def test_a_zip_that_lacks_something_is_refused(copy: Path, tmp_path: Path) -> None:
    """The import test sees only what the zip and the runtime have, so a forgotten wheel shows."""
    with (copy / "functions" / "rooms" / "app.py").open("a") as source:
        source.write("\nimport requests\n")
    with pytest.raises(InfraError, match="No module named 'requests'"):
        _package(copy, tmp_path / "build")


def test_a_zip_over_its_limit_is_refused(tmp_path: Path) -> None:
    """A function's zip may not grow unnoticed."""
    small = (ROOMS[0]._replace(zip_limit=1024),)
    with pytest.raises(InfraError, match="rooms's zip has"):
        packaging.package(target.local(), functions=small, build=tmp_path / "build")


def test_chalice_finds_no_policy_to_guess(bundles: list[packaging.Bundle]) -> None:
    """Every function's role is the one in its merge file."""
    for bundle in bundles:
        resources = json.loads(bundle.template.read_text())["Resources"]
        first, *others = bundle.function.handlers
        wanted = {first: "Role"} | {other: f"{other}Role" for other in others}
        lambdas = {
            name: each["Properties"]
            for name, each in resources.items()
            if each["Type"] == "AWS::Serverless::Function"
        }
        taken = {name: each["Role"] for name, each in lambdas.items()}
        assert taken == {name: {"Fn::GetAtt": [role, "Arn"]} for name, role in wanted.items()}
        roles = {name for name, each in resources.items() if each["Type"] == "AWS::IAM::Role"}
        assert roles == set(wanted.values())
        assert {each["Tracing"] for each in lambdas.values()} == {"PassThrough"}


def test_templates_are_clean(bundles: list[packaging.Bundle]) -> None:
    """cfn-lint finds nothing in any template."""
    templates = [str(TEMPLATES / "shared.yaml"), *(str(each.template) for each in bundles)]
    lint = Path(sys.executable).with_name("cfn-lint")
    # A runtime newer than those that Lambda has would be this host's business, not the template's.
    command = [str(lint), "--ignore-checks", "E2531,W2531", "--", *templates]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def _package(root: Path, build: Path) -> list[packaging.Bundle]:
    return packaging.package(target.local(), functions=ROOMS, root=root, build=build)
