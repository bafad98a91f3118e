"""Locked wheels: installed for a target with every hash checked, then their tags checked."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from packaging.tags import parse_tag

from infra.layout import InfraError

if TYPE_CHECKING:
    from pathlib import Path

    from infra.package.target import Target


def install(lock: Path, into: Path, target: Target) -> None:
    """Install what a lock names into a folder, for the target.

    Args:
        lock: a requirements file in which every line has its hashes.
        into: the folder; it is made.
        target: what the wheels must run on.

    Raises:
        InfraError: a wheel is missing, does not match its hash, or does not fit the target.
    """
    into.mkdir(parents=True)
    if not _names_anything(lock):
        return
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(into)]
    command += ["--only-binary", ":all:", "--require-hashes", "--no-compile-bytecode"]
    command += [*target.uv_options, "--requirements", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InfraError(f"uv could not install {lock}:\n{done.stderr.strip()}")
    (into / ".lock").unlink(missing_ok=True)
    check_tags(into, target)


def check_tags(folder: Path, target: Target) -> None:
    """Refuse a folder that holds a wheel which the target cannot load.

    Raises:
        InfraError: names the first such wheel, its tags and the target.
    """
    supported = target.supported_tags()
    for wheel in sorted(folder.glob("*.dist-info/WHEEL")):
        lines = wheel.read_text().splitlines()
        names = [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]
        if not any(parse_tag(name) & supported for name in names):
            fit = f"{target.runtime} on {target.architecture}"
            raise InfraError(f"{wheel.parent.stem} ({', '.join(names)}) does not fit {fit}.")


def _names_anything(lock: Path) -> bool:
    lines = (line.strip() for line in lock.read_text().splitlines())
    return any(line and not line.startswith("#") for line in lines)
