"""Log lines: one JSON object a line on standard output, which Lambda sends to CloudWatch Logs.

A metric is an EMF block in the same line (CloudWatch "Embedded metric format specification"), so
that it costs no call and no library: powertools' metrics alone take 49 ms to import. Each has the
dimensions ``stack`` (so that two installations in one account stay apart) and ``function``.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from chalicelib import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.keys.applications import Application
    from chalicelib.stores.store import StoreError

NAMESPACE: Final = "Roomgate"
DIMENSIONS: Final = ("stack", "function")
UNITS: Final = {
    "KeyAge": "Seconds",
    "CacheAge": "Seconds",
    "SweepLag": "Seconds",
    "ExportLag": "Milliseconds",
}
"""Of those metrics that are no counts."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


def log(
    now_ms: int,
    event: str,
    fields: dict[str, Any],
    metrics: dict[str, int] | dict[str, float],
    *,
    by: str | None = None,
) -> None:
    """Write one line.

    Args:
        now_ms: unix time in ms.
        event: what happened: ``ticket``, ``report``, …
        fields: facts about it; never a ticket, key or token. With metrics, ``function`` must be
            among them.
        metrics: name -> value.
        by: a field that is a dimension of its own as well; of few values, since CloudWatch bills
            each.
    """
    text = _encode({"timestamp": now_ms, "event": event, **fields, **metrics})
    if metrics:
        stack = os.environ.get("ROOMGATE_STACK", "roomgate")
        text = f"{text[:-1]}{_described(stack, tuple(metrics), by)}{now_ms}}}}}"
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


_known: dict[tuple[str, tuple[str, ...], str | None], str] = {}


def _described(stack: str, names: tuple[str, ...], by: str | None) -> str:
    """What EMF says of metrics, as text up to the time.

    Encoded once for each set of metrics, of which there are few: it is longer than the line.
    """
    known = _known.get((stack, names, by))
    if known is None:
        dimensions = [DIMENSIONS, (*DIMENSIONS, by)] if by else [DIMENSIONS]
        units = [{"Name": name, "Unit": UNITS.get(name, "Count")} for name in names]
        block = {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": units}
        rest = _encode({"stack": stack, "_aws": {"CloudWatchMetrics": [block], "Timestamp": 0}})
        known = _known[stack, names, by] = "," + rest[1 : -len("0}}")]
    return known


def function_log(function: str) -> Callable[[str, dict[str, Any], dict[str, int]], None]:
    """Make the log of a function that serves no HTTP: called with event, fields and metrics.

    Args:
        function: the function's name, which stands in every line.
    """

    def write(event: str, fields: dict[str, Any], metrics: dict[str, int]) -> None:
        log(clock.now_ms(), event, {"function": function, **fields}, metrics)

    return write


def store_failures(function: str) -> Callable[[StoreError], None]:
    """What tells the log and the metrics that a store could not be read.

    ``StoreFailures`` counts it; ``CacheAge`` says how old the value is that goes on serving.

    Args:
        function: the function's name.
    """

    def tell(error: StoreError) -> None:
        facts = {"function": function, "name": error.name, "reason": error.reason}
        metrics: dict[str, float] = {"StoreFailures": 1}
        if error.age is not None:
            metrics["CacheAge"] = round(error.age, 1)
        log(clock.now_ms(), "store-failure", facts, metrics)

    return tell


def key_ages(function: str) -> Callable[[int, Application], None]:
    """What tells the log which key signs for an application, and the metric ``KeyAge`` how old.

    Args:
        function: the function's name.
    """

    def tell(sdk_app_id: int, application: Application) -> None:
        now_ms, since = clock.now_ms(), application.since
        facts = {
            "function": function,
            "sdkAppId": sdk_app_id,
            "keyId": application.key.key_id,
            "algorithm": application.key.algorithm,
        }
        log(now_ms, "key", facts, {} if since is None else {"KeyAge": now_ms // 1000 - since})

    return tell
