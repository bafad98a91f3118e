from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from infra.layout import InfraError
from infra.package import target
from infra.package.bytecode import compile_folder, interpreter

if TYPE_CHECKING:
    from pathlib import Path


def test_compiled_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """A zip is deterministic with its bytecode, sets of constants included."""
    source = "def f(x):\n    return x in {'a', 'b', 'c', 'd', 'e'}\n"
    compiled = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "m.py").write_text(source)
        compile_folder(folder, sys.executable)
        (found,) = folder.rglob("*.pyc")
        compiled.append(found.read_bytes())
    assert compiled[0] == compiled[1]


def test_bytecode_is_used_without_a_look_at_its_source(tmp_path: Path) -> None:
    """Lambda unpacks with times of its own, so what is compiled must not depend on them."""
    (tmp_path / "m.py").write_text("print('compiled')\n")
    compile_folder(tmp_path, sys.executable)
    (tmp_path / "m.py").write_text("print('source')\n")
    done = subprocess.run(
        [sys.executable, "-c", "import m"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "compiled\n"


def test_a_source_with_a_fault_is_refused(tmp_path: Path) -> None:
    """A zip that could not be imported is not built."""
    (tmp_path / "m.py").write_text("def\n")
    with pytest.raises(InfraError, match=r"m\.py"):
        compile_folder(tmp_path, sys.executable)


def test_the_host_has_its_own_version_and_not_every_other() -> None:
    """Without an interpreter of the target's version there is no bytecode."""
    assert interpreter(target.local()) == sys.executable
    assert interpreter(target.aws("python3.99")) is None


def test_a_launcher_that_launches_another_version_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found by its name must say the right version, too."""
    fake = tmp_path / "python3.99"
    fake.write_text("#!/bin/sh\necho 3.98\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert interpreter(target.aws("python3.99")) is None
