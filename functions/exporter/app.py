"""exporter: what comes into the event table goes on into the lake."""

from __future__ import annotations

import os
import random
import time
from functools import lru_cache
from typing import Any

from chalice.app import Chalice

from chalicelib.api.log import log
from chalicelib.stream import firehose, quarantine
from chalicelib.stream.exporter import Exporter
from chalicelib.stream.firehose import Delivery
from chalicelib.stream.quarantine import Quarantine

app = Chalice(app_name="exporter")


def tell(event: str, facts: dict[str, Any], metrics: dict[str, int]) -> None:
    """Write a log line, with the metrics in it."""
    log(now_ms(), event, {"function": app.app_name, **facts}, metrics)


def now_ms() -> int:
    """The time."""
    return int(time.time() * 1000)


delivery = Delivery(
    firehose.connect(), os.environ["ROOMGATE_LAKE_STREAM"], time.sleep, random.random
)
exporter = Exporter(
    delivery,
    Quarantine(
        lru_cache(quarantine.connect),
        os.environ["ROOMGATE_QUARANTINE_BUCKET"],
        "exporter/",
        lambda key, reason: tell("quarantine", {"key": key, "reason": reason}, {}),
    ),
    reports=os.environ["ROOMGATE_EXPORT_REPORTS"] == "true",
)


@app.lambda_function(name="exporter")
def export(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """One batch of the stream; the answer names what has to come again."""
    done = exporter.export(event["Records"])
    metrics = {"RowsExported": done.rows}
    if done.recorded is not None:
        metrics["ExportLag"] = now_ms() - done.recorded
    if done.failed_rows:
        metrics["RowsFailed"] = done.failed_rows
    if done.poison:
        metrics["RowsQuarantined"] = done.poison
    facts = {"records": len(event["Records"]), "reasons": done.reasons}
    tell("export", facts, metrics)
    return done.answer
