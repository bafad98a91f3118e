"""The whole of ``POST /v1/entries``, from API Gateway's event to the answer, warm.

The function's own app.py runs as in Lambda: it reads its stores through the extension's protocol
from a stand-in in memory, and writes its log line out, to /dev/null (waking whoever reads the line
is the platform's cost, and on a virtual machine a large and jumpy one).
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from bench.emulators.stores import Extension
from bench.figures import BenchError
from bench.material import SDK_APP_ID, SESSION_TOKEN, STACK, WEBHOOK_URL, entry_event
from bench.rounds import figure, take_turns
from bench.signing import SIGN, bare_sign
from infra.layout import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.figures import Figure
    from bench.material import Material

ROUNDS: Final = 301
CACHE_ROUNDS: Final = 51
BOUND: Final = 12.0
CACHE_BOUND: Final = 0.02
_WHAT: Final = "POST /v1/entries, event to answer"
_CACHE: Final = "key, caller and report key out of the cache"


def handler_figures(material: Material) -> list[Figure]:
    """The whole call, and what of it the key cache costs."""
    with Extension(material.stored, SESSION_TOKEN) as extension, _environment(extension.port):
        extension.invoke()
        issuer = load_app("issuer")
        handle = issuer.app
        event, context = entry_event(material.api_key), SimpleNamespace(aws_request_id="id")
        with log_to_nobody():
            _check(handle(event, context))
            whole: Callable[[], object] = lambda: handle(event, context)  # noqa: E731 (a subject)
            series = take_turns({SIGN: bare_sign(material), _WHAT: whole}, ROUNDS)
            cached = {_WHAT: whole, _CACHE: lambda: _out_of_the_cache(issuer)}
            cache_series = take_turns(cached, CACHE_ROUNDS)
            _check(handle(event, context))
    cache = figure(cache_series, _CACHE, _WHAT, CACHE_BOUND)
    return [figure(series, _WHAT, SIGN, BOUND), cache]


def _out_of_the_cache(issuer: Any) -> None:
    """What a warm call asks the cache for; the first call has loaded it."""
    issuer.applications.get(SDK_APP_ID)
    issuer.callers._callers.get("bench")  # noqa: SLF001 (authenticate does much more than this)
    issuer.report_keys.get()


@contextlib.contextmanager
def _environment(extension_port: int) -> Iterator[None]:
    before = dict(os.environ)
    os.environ |= {
        "ROOMGATE_STACK": STACK,
        "ROOMGATE_WEBHOOK_URL": WEBHOOK_URL,
        "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(extension_port),
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def load_app(function: str) -> Any:
    """A function's app.py, imported as Lambda does, with the environment as it is now."""
    path = ROOT / "functions" / function / "app.py"
    spec = importlib.util.spec_from_file_location(f"bench_{function}", path)
    if spec is None or spec.loader is None:
        raise BenchError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def log_to_nobody() -> Iterator[None]:
    """Have what is written to standard output read by nobody."""
    with Path(os.devnull).open("w") as nobody, contextlib.redirect_stdout(nobody):
        yield


def _check(answer: dict[str, Any]) -> None:
    """Refuse to measure how fast a refusal is."""
    if answer["statusCode"] != 200:
        raise BenchError(f"POST /v1/entries answered {answer['statusCode']}: {answer['body']}")
    if not {"userSig", "privateMapKey", "report"} <= json.loads(answer["body"]).keys():
        raise BenchError("POST /v1/entries answered less than an entry.")
