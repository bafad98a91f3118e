"""Compiled Python for the zips: without it, Lambda compiles every source at every cold start.

A zip's folder is read-only in Lambda, so what is not compiled here never is. The files are marked
as never to be checked against their sources (PEP 552, unchecked hash): inside one zip they cannot
differ. An interpreter of another version ignores them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from infra.layout import InfraError

if TYPE_CHECKING:
    from pathlib import Path

    from infra.package.target import Target

_IN_LAMBDA: Final = "/var/task"
_VERSION: Final = "import sys; print('%d.%d' % sys.version_info[:2])"


def interpreter(target: Target) -> str | None:
    """An interpreter of the target's version on this host, or None: then zips hold sources only."""
    name = target.runtime
    found = sys.executable if target.version == sys.version_info[:2] else shutil.which(name)
    if found is None:
        return None
    # A launcher may be there without what it should launch.
    done = subprocess.run([found, "-c", _VERSION], capture_output=True, text=True, check=False)
    return found if done.stdout.strip() == name.removeprefix("python") else None


def compile_folder(folder: Path, python: str) -> None:
    """Compile all sources below a folder, for an interpreter of this version.

    Args:
        folder: an unpacked zip.
        python: the interpreter that compiles.

    Raises:
        InfraError: a source has a fault.
    """
    # A fixed hash seed: the order of a set's constants is a part of the bytes.
    environ = {"PYTHONHASHSEED": "0"}
    command = [python, "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", _IN_LAMBDA, str(folder)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InfraError(f"{folder} cannot be compiled:\n{done.stdout.strip()[-2000:]}")
