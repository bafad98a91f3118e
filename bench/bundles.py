"""What is started cold: packaged functions, unpacked, and the Lambda runtime's own folder."""

from __future__ import annotations

import compileall
import json
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from py_compile import PycInvalidationMode
from typing import TYPE_CHECKING, Final

from bench.figures import BenchError
from infra.layout import BUILD, ROOT, RUNTIME_LOCK
from infra.package import bundle as package
from infra.package import target, wheels, zips

if TYPE_CHECKING:
    from pathlib import Path

    from infra.package.bundle import Bundle
    from infra.package.target import Target

# Apart from what other commands build, so that neither waits for the other.
FOLDER: Final = BUILD / "bench"
_RUNTIME_CLIENT: Final = ("awslambdaric", "simplejson", "snapshot-restore-py")


def bundles(wanted: Target) -> list[Bundle]:
    """Every function, packaged for a target."""
    return package.package(wanted, build=FOLDER)


def unpack(archive: Path, into: Path) -> Path:
    """Unpack a zip, as Lambda does."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(into)
    return into


def has_bytecode(folder: Path) -> bool:
    """Whether any Python below it is compiled."""
    return any(folder.rglob("*.pyc"))


def with_bytecode(folder: Path, into: Path) -> Path:
    """A copy that holds bytecode too, never checked against its source."""
    shutil.copytree(folder, into)
    _compile(into)
    return into


def without_bytecode(folder: Path, into: Path) -> Path:
    """A copy that holds sources only."""
    shutil.copytree(folder, into, ignore=shutil.ignore_patterns("__pycache__"))
    return into


def package_empty(into: Path) -> Path:
    """Package the empty Chalice app by the same tools as the functions; returns the zip."""
    project = into / "project"
    (project / ".chalice").mkdir(parents=True)
    shutil.copy(ROOT / "bench" / "empty" / "app.py", project)
    issuer = ROOT / "functions" / "issuer" / ".chalice" / "config.json"
    config = json.loads(issuer.read_text()) | {"app_name": "empty"}
    (project / ".chalice" / "config.json").write_text(json.dumps(config))
    chalice = "import sys; from chalice.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", chalice, "--project-dir", str(project), "package"]
    command.append(str(into / "out"))
    env = {"AWS_DEFAULT_REGION": "us-east-1", "PATH": ""}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"chalice could not package the empty app:\n{done.stderr[-2000:]}")
    zips.pack(unpack(into / "out" / "deployment.zip", into / "unpacked"), into / "empty.zip")
    return into / "empty.zip"


def runtime(into: Path, *, boto3: bool) -> Path:
    """The runtime's folder: its client and, where asked, its boto3; compiled, as AWS ships it."""
    if boto3:
        wheels.install(RUNTIME_LOCK, into, target.local())
    for name in _RUNTIME_CLIENT:
        _copy_distribution(name, into)
    _compile(into)
    return into


def _copy_distribution(name: str, into: Path) -> None:
    for file in distribution(name).files or ():
        if file.suffix == ".pyc" or ".." in file.parts:
            continue
        to = into.joinpath(*file.parts)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(file.locate()), to)


def _compile(folder: Path) -> None:
    mode = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(folder, quiet=2, workers=2, invalidation_mode=mode):
        raise BenchError(f"{folder} cannot be compiled.")
