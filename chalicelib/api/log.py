"""Log lines: one JSON object a line on standard output, which Lambda sends to CloudWatch Logs.

A metric is an EMF block in the same line (CloudWatch "Embedded metric format specification"). That
needs no call and no library; powertools' metrics alone take over 20 ms to import. Each metric has
the dimensions ``stack``, which keeps two installations in one account apart, and ``function``.
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
"""The units of metrics that are not counts."""

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
        fields: the line's other members; never a ticket, key or token. A line with metrics needs
            ``function`` among them.
        metrics: name -> value.
        by: a field that is a further dimension of the metrics. It must have few values, since
            CloudWatch bills each.
    """
    text = _encode({"timestamp": now_ms, "event": event, **fields, **metrics})
    if metrics:
        stack = os.environ.get("ROOMGATE_STACK", "roomgate")
        text = f"{text[:-1]}{_emf_of(stack, tuple(metrics), by)}{now_ms}}}}}"
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


_emf_texts: dict[tuple[str, tuple[str, ...], str | None], str] = {}


def _emf_of(stack: str, names: tuple[str, ...], by: str | None) -> str:
    """The EMF block of some metrics, as text up to the timestamp.

    The block is longer than the rest of the line and there are few different ones, so each is
    encoded once.
    """
    text = _emf_texts.get((stack, names, by))
    if text is None:
        dimensions = [DIMENSIONS, (*DIMENSIONS, by)] if by else [DIMENSIONS]
        units = [{"Name": name, "Unit": UNITS.get(name, "Count")} for name in names]
        block = {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": units}
        rest = _encode({"stack": stack, "_aws": {"CloudWatchMetrics": [block], "Timestamp": 0}})
        text = _emf_texts[stack, names, by] = "," + rest[1 : -len("0}}")]
    return text


def function_log(function: str) -> Callable[[str, dict[str, Any], dict[str, int]], None]:
    """Make the log of a function that serves no HTTP: called with event, fields and metrics.

    Args:
        function: the function's name, which stands in every line.
    """

    def write(event: str, fields: dict[str, Any], metrics: dict[str, int]) -> None:
        log(clock.now_ms(), event, {"function": function, **fields}, metrics)

    return write


def store_failures(function: str) -> Callable[[StoreError], None]:
    """A callback that logs that a store could not be read.

    The metric ``StoreFailures`` counts it; ``CacheAge`` is the age in seconds of the cached value
    that is used instead.

    Args:
        function: the function's name.
    """

    def log_failure(error: StoreError) -> None:
        facts = {"function": function, "name": error.name, "reason": error.reason}
        metrics: dict[str, float] = {"StoreFailures": 1}
        if error.age is not None:
            metrics["CacheAge"] = round(error.age, 1)
        log(clock.now_ms(), "store-failure", facts, metrics)

    return log_failure


def key_ages(function: str) -> Callable[[int, Application], None]:
    """A callback that logs which key signs for an application; ``KeyAge`` is the key's age.

    Args:
        function: the function's name.
    """

    def log_key(sdk_app_id: int, application: Application) -> None:
        now_ms, since = clock.now_ms(), application.since
        facts = {
            "function": function,
            "sdkAppId": sdk_app_id,
            "keyId": application.key.key_id,
            "algorithm": application.key.algorithm,
        }
        log(now_ms, "key", facts, {} if since is None else {"KeyAge": now_ms // 1000 - since})

    return log_key
