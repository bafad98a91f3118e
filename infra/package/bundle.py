"""Package the functions: for each a zip and a template under build/<target>/.

    python -m infra.package.bundle [--local] [--runtime python3.13] [--architecture arm64]

A function's build folder is a Chalice project of its own: app.py, what it needs of chalicelib, its
configuration and locked wheels. Chalice packs it and writes the template, over which the merge file
is laid; the zip is then written anew, with bytecode, so that the same input always gives the same
bytes. What has not changed is not built again.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from infra.layout import (
    BUILD,
    FUNCTIONS,
    MEGABYTE,
    ROOT,
    RUNTIME_LOCK,
    TEMPLATES,
    Function,
    InfraError,
)
from infra.package import bytecode, wheels, zips
from infra.package import target as targets
from infra.package.imports import NOWHERE, import_app
from infra.package.sources import shared_sources
from infra.package.template import environment, merge_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.package.target import Target

_TEMPLATE_MAKERS = [
    ROOT / "infra" / name for name in ("layout.py", "deploy/alarms.py", "deploy/gateway.py")
]
# What the apps look for in their environment when they are imported.
_NEEDED = (
    "ROOMGATE_EXPORT_REPORTS",
    "ROOMGATE_LAKE_STREAM",
    "ROOMGATE_QUARANTINE_BUCKET",
    "ROOMGATE_WEBHOOK_URL",
    "ROOMGATE_STACK",
    "ROOMGATE_TABLE",
)


class Bundle(NamedTuple):
    """One packaged function.

    Attributes:
        function: which.
        zip: its zip.
        sha256: of the zip's bytes, as hex.
        template: the CloudFormation template (SAM), as JSON.
    """

    function: Function
    zip: Path
    sha256: str
    template: Path


def package(
    target: Target,
    *,
    functions: tuple[Function, ...] = FUNCTIONS,
    root: Path = ROOT,
    build: Path = BUILD,
) -> list[Bundle]:
    """Package functions for a target.

    Args:
        target: what they run on.
        functions: which, in the order of the result.
        root: of the repository that holds functions/ and chalicelib/.
        build: where to.

    Raises:
        InfraError: a function cannot be built, or its zip cannot be imported or is too large.
    """
    folder = build / target.name
    folder.mkdir(parents=True, exist_ok=True)
    # Chalice takes a second of one core for each.
    with _alone(build), ThreadPoolExecutor(max_workers=2) as pool:
        boto3 = _runtime_boto3(target, build)
        building = [pool.submit(_build, each, target, root, folder, boto3) for each in functions]
        return [each.result() for each in building]


@contextlib.contextmanager
def _alone(build: Path) -> Iterator[None]:
    """Wait for whoever else packages into this folder: ``make run`` beside ``make test``, say."""
    with (build / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Given back when the file is closed, if only by dying.
        yield


def _build(function: Function, target: Target, root: Path, folder: Path, boto3: Path) -> Bundle:
    zip_path, template = folder / f"{function.name}.zip", folder / f"{function.name}.json"
    stamp = folder / f"{function.name}.inputs"
    inputs = zips.digest(_inputs(function, target, root))
    built = all(path.exists() for path in (zip_path, template, stamp))
    fresh = built and stamp.read_text() == inputs
    if not fresh:
        stamp.unlink(missing_ok=True)
        _say(f"{function.name}: packaging for {target.runtime} on {target.architecture}")
        _chalice_package(function, target, root, folder)
        _check(function, target, zip_path, template, boto3)
        stamp.write_text(inputs)
    size = zip_path.stat().st_size / MEGABYTE
    _say(f"{function.name}: {size:.2f} MB{' (unchanged)' if fresh else ''}")
    return Bundle(function, zip_path, hashlib.sha256(zip_path.read_bytes()).hexdigest(), template)


def _inputs(function: Function, target: Target, root: Path) -> Iterator[tuple[str, bytes]]:
    own = root / "functions" / function.name
    infra = [*sorted(Path(__file__).parent.glob("*.py")), *_TEMPLATE_MAKERS]
    infra += [TEMPLATES / "https.json"] if function.http else []
    infra += [TEMPLATES / f"{function.name}.json", RUNTIME_LOCK]
    for path in [*zips.files_under(own), *shared_sources(own / "app.py", root), *infra]:
        yield path.name if path in infra else path.relative_to(root).as_posix(), path.read_bytes()
    tools = f"{sys.version} chalice {version('chalice')} {bytecode.interpreter(target)}"
    yield "target", f"{target} {tools}".encode()


def _chalice_package(function: Function, target: Target, root: Path, folder: Path) -> None:
    project = folder / function.name
    shutil.rmtree(project, ignore_errors=True)
    own = root / "functions" / function.name
    for source in shared_sources(own / "app.py", root):
        to = project / source.relative_to(root)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, to)
    shutil.copytree(own / ".chalice", project / ".chalice")
    shutil.copy(own / "app.py", project)
    wheels.install(own / "requirements.txt", project / "vendor", target)
    merge = project / "merge.json"
    merge.write_text(json.dumps(merge_document(function, target), indent=1))
    _run_chalice(project, merge)
    unpacked = project / "unpacked"
    with zipfile.ZipFile(project / "out" / "deployment.zip") as archive:
        archive.extractall(unpacked)
    python = bytecode.interpreter(target)
    if python:
        bytecode.compile_folder(unpacked, python)
    else:
        _say(f"{function.name}: without bytecode, for want of {target.runtime}: slower cold starts")
    zips.pack(unpacked, folder / f"{function.name}.zip")
    shutil.copy(project / "out" / "sam.json", folder / f"{function.name}.json")


def _run_chalice(project: Path, merge: Path) -> None:
    chalice = "import sys; from chalice.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", chalice, "--project-dir", str(project), "package"]
    command += ["--stage", "live", "--merge-template", str(merge), str(project / "out")]
    # Chalice imports the app for its routes: nothing of the caller's AWS may come into that.
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= NOWHERE
    env |= dict.fromkeys(_NEEDED, "x")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InfraError(f"chalice could not package {project}:\n{done.stderr.strip()[-2000:]}")


def _check(function: Function, target: Target, zip_path: Path, template: Path, boto3: Path) -> None:
    size = zip_path.stat().st_size
    if function.zip_limit and size > function.zip_limit:
        limit = function.zip_limit // MEGABYTE
        raise InfraError(f"{function.name}'s zip has {size} bytes, over {limit} MB: drop wheels.")
    if not target.runs_here:
        _say(f"{function.name}: wheel tags checked (what is built cannot be imported here)")
        return
    document = json.loads(template.read_text())
    with tempfile.TemporaryDirectory() as unpacked, zipfile.ZipFile(zip_path) as archive:
        archive.extractall(unpacked)
        handler = function.handlers[0]
        without = environment(document, {"HasExtension": False}, handler)
        import_app([Path(unpacked), boto3], without)
        if not function.always_boto3:
            import_app([Path(unpacked)], environment(document, {"HasExtension": True}))


def _runtime_boto3(target: Target, build: Path) -> Path:
    """A folder with the boto3 that the Lambda runtime brings, for the import test."""
    lock = RUNTIME_LOCK
    folder = build / f"runtime-{zips.digest([('lock', lock.read_bytes())])[:16]}"
    if target.runs_here and not folder.exists():
        _say("installing the runtime's boto3 for the import test")
        with tempfile.TemporaryDirectory(dir=build) as half:
            wheels.install(lock, Path(half) / "boto3", targets.local())
            (Path(half) / "boto3").rename(folder)
    return folder


def _say(text: str) -> None:
    # In one write, since two functions are packaged at once.
    sys.stdout.write(f"   {text}\n")
    sys.stdout.flush()


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose what AWS is to run."""
    default = targets.aws()
    parser.add_argument("--runtime", default=default.runtime, help="default: %(default)s")
    parser.add_argument("--architecture", default=default.architecture, help="default: %(default)s")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.package.bundle", description="Package.")
    options(parser)
    parser.add_argument("--local", action="store_true", help="for this host's interpreter instead")
    chosen = parser.parse_args()
    try:
        aws = targets.aws(chosen.runtime, chosen.architecture)
        bundles = package(targets.local() if chosen.local else aws)
    except InfraError as error:
        print(f"packaging failed: {error}", file=sys.stderr)
        return 1
    for bundle in bundles:
        print(f"{bundle.zip.relative_to(ROOT)}  sha256 {bundle.sha256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
