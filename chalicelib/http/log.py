"""Log lines: one JSON object a line on standard output, which Lambda sends to CloudWatch Logs.

A count is an EMF block in the same line (CloudWatch "Embedded metric format specification"), so
that it costs no call
and no library: powertools' metrics alone take 49 ms to import.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.keys.store import StoreError

NAMESPACE = "Roomgate"

_encode = json.JSONEncoder(separators=(",", ":")).encode


def log(now_ms: int, event: str, fields: dict[str, Any], counts: dict[str, int]) -> None:
    """Write one line.

    Args:
        now_ms: unix time in ms.
        event: what happened: ``ticket``, ``report``, …
        fields: facts about it; never a ticket, key or token.
        counts: metric name -> value; each becomes a CloudWatch metric under the dimension
            ``function``, which must then
            be among the fields.
    """
    line: dict[str, Any] = {"timestamp": now_ms, "event": event, **fields}
    if counts:
        metrics = [{"Name": name, "Unit": "Count"} for name in counts]
        block = {"Namespace": NAMESPACE, "Dimensions": [["function"]], "Metrics": metrics}
        line["_aws"] = {"Timestamp": now_ms, "CloudWatchMetrics": [block]}
        line.update(counts)
    sys.stdout.write(_encode(line) + "\n")
    sys.stdout.flush()


def store_failures(function: str) -> Callable[[StoreError], None]:
    """What tells the log, and the metric ``StoreFailures``, that a store could not be read.

    Args:
        function: the function's name.
    """

    def tell(error: StoreError) -> None:
        facts = {"function": function, "name": error.name, "reason": error.reason}
        log(int(time.time() * 1000), "store-failure", facts, {"StoreFailures": 1})

    return tell
