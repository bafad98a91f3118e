"""INIT and the first call of the packaged issuer, under AWS's own runtime client.

INIT lasts from the start of the process to its first poll for an event. /var/task is read-only in
Lambda: a zip without bytecode is compiled at every cold start, so no run here writes any either.
The empty app has bytecode just where the issuer's zip has; both are measured the other way too. The
runtime's own modules and the standard library come compiled, as AWS ships them. The interpreter
sees the unpacked zip and the runtime's folder only, not our virtual environment. Minima of
alternating runs: whatever else the machine does can only make a start longer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench import bundles
from bench.emulators.runtime_api import RuntimeApi
from bench.emulators.stores import AwsStores, Extension
from bench.figures import BenchError, Figure
from bench.material import REGION, SESSION_TOKEN, STACK, WEBHOOK_URL, empty_event, entry_event
from infra.emulators.loopback import HOST
from infra.package import target
from infra.package.template import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.emulators.runtime_api import Life
    from bench.material import Material

RUNS: Final = 15
BOUND: Final = 2.0
MILLISECONDS: Final = 1e3
EMPTY: Final = "empty Chalice app"
ISSUER: Final = "issuer, extension"
BOTO3: Final = "issuer, runtime's boto3"
OTHER_EMPTY: Final = f"{EMPTY}, other bytecode"
OTHER_ISSUER: Final = f"{ISSUER}, other bytecode"
_TIMEOUT: Final = 20.0


class Start(NamedTuple):
    """How one kind of process is started, and the event that it gets first."""

    folder: Path
    runtime: Path
    environment: Mapping[str, str]
    event: Mapping[str, Any]


class Taken(NamedTuple):
    """What one process took, in seconds."""

    init: float
    first_call: float


def cold_figures(material: Material) -> list[Figure]:
    """INIT and first call of each kind of start."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        Extension(material.stored, SESSION_TOKEN) as extension,
        AwsStores(material.stored) as aws,
        RuntimeApi(on_invoke=extension.invoke) as api,
    ):
        starts = _starts(material, Path(scratch), extension.port, aws.port)
        least = _least(starts, extension, api)
        compiled = bundles.has_bytecode(starts[ISSUER].folder)
    return [
        _figure("INIT", ISSUER, EMPTY, least, BOUND),
        _figure("first call", ISSUER, EMPTY, least),
        _figure("INIT", BOTO3, EMPTY, least),
        _figure("first call", BOTO3, EMPTY, least),
        *_other_way(least, compiled=compiled),
    ]


def _other_way(least: Mapping[str, Taken], *, compiled: bool) -> list[Figure]:
    """INIT with bytecode in the zips if they have none, and the other way round."""
    suffix = "no bytecode" if compiled else "bytecode in zip"
    against_empty = _figure("INIT", OTHER_ISSUER, OTHER_EMPTY, least)
    against_itself = _figure("INIT", OTHER_ISSUER, ISSUER, least)
    what = f"INIT: {ISSUER}, {suffix}"
    return [
        against_empty._replace(what=what, peer=f"{EMPTY}, {suffix}"),
        against_itself._replace(what=what),
    ]


def _figure(
    phase: str, what: str, peer: str, least: Mapping[str, Taken], bound: float | None = None
) -> Figure:
    place = Taken._fields.index("init" if phase == "INIT" else "first_call")
    ours, its = least[what][place], least[peer][place]
    measured, against = ours * MILLISECONDS, its * MILLISECONDS
    return Figure(f"{phase}: {what}", measured, peer, against, "ms", ours / its, bound)


def _starts(
    material: Material, scratch: Path, extension_port: int, aws_port: int
) -> dict[str, Start]:
    issuer = next(b for b in bundles.bundles(target.local()) if b.function.name == "issuer")
    folder = bundles.unpack(issuer.zip, scratch / "issuer")
    empty = bundles.unpack(bundles.package_empty(scratch / "packaging"), scratch / "empty")
    compiled = bundles.has_bytecode(folder)
    if compiled:
        empty = bundles.with_bytecode(empty, scratch / "empty-compiled")
    plain = bundles.runtime(scratch / "runtime", boto3=False)
    full = bundles.runtime(scratch / "runtime-boto3", boto3=True)
    template = json.loads(issuer.template.read_text())
    ours = {"ROOMGATE_STACK": STACK, "ROOMGATE_WEBHOOK_URL": WEBHOOK_URL}
    port = {"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(extension_port)}
    extension = environment(template, {"HasExtension": True}) | ours | port
    endpoint = {"AWS_ENDPOINT_URL": f"http://{HOST}:{aws_port}"}
    boto3 = environment(template, {"HasExtension": False}) | ours | endpoint
    entry, nothing = entry_event(material.api_key), empty_event()
    turn = bundles.without_bytecode if compiled else bundles.with_bytecode
    return {
        EMPTY: Start(empty, plain, {}, nothing),
        ISSUER: Start(folder, plain, extension, entry),
        BOTO3: Start(folder, full, boto3, entry),
        OTHER_EMPTY: Start(turn(empty, scratch / "empty-other"), plain, {}, nothing),
        OTHER_ISSUER: Start(turn(folder, scratch / "issuer-other"), plain, extension, entry),
    }


def _least(starts: Mapping[str, Start], extension: Extension, api: RuntimeApi) -> dict[str, Taken]:
    """The least of each phase over alternating runs; the first round only warms the page cache."""
    taken: dict[str, list[Taken]] = {name: [] for name in starts}
    for _ in range(1 + RUNS):
        for name, start in starts.items():
            extension.init()
            taken[name].append(_run(start, api))
    return {name: Taken(*map(min, zip(*each[1:], strict=True))) for name, each in taken.items()}


def _run(start: Start, api: RuntimeApi) -> Taken:
    command = [sys.executable, "-S", "-B", "-m", "awslambdaric", "app.app"]
    api.begin(json.dumps(start.event).encode())
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=start.folder,
            env=_lambda_environment(start, api),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
        try:
            life = api.follow(_TIMEOUT)
        except BenchError as error:
            said.seek(0)
            raise BenchError(f"{error}\n{said.read().decode()[-4000:]}") from None
        finally:
            process.kill()
            process.wait()
            api.end()
    _check(life)
    return Taken(life.polled_at - started, life.first_call)


def _lambda_environment(start: Start, api: RuntimeApi) -> dict[str, str]:
    """What Lambda sets (AWS Lambda docs, "Defined runtime environment variables")."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {
        "PATH": os.environ.get("PATH", ""),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": f"{start.folder}:{start.runtime}",
        "LAMBDA_TASK_ROOT": str(start.folder),
        "LAMBDA_RUNTIME_DIR": str(start.runtime),
        "_HANDLER": "app.app",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nobody",
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        **start.environment,
    }


def _check(life: Life) -> None:
    """Refuse to measure how fast a failure is."""
    answer = json.loads(life.answer)
    if answer.get("statusCode") != 200:
        raise BenchError(f"The first call was answered {life.answer.decode()[:2000]}")
