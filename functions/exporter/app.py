"""exporter: sends changes and reports from the event table's stream to the lake."""

from __future__ import annotations

import os
import random
import time
from functools import lru_cache
from typing import Any

from chalice.app import Chalice

from chalicelib.api.log import function_log
from chalicelib.clock import now_ms
from chalicelib.stream import firehose, quarantine
from chalicelib.stream.exporter import Exporter
from chalicelib.stream.firehose import Delivery
from chalicelib.stream.quarantine import Quarantine

app = Chalice(app_name="exporter")
log = function_log(app.app_name)

delivery = Delivery(
    firehose.connect(), os.environ["ROOMGATE_LAKE_STREAM"], time.sleep, random.random
)
exporter = Exporter(
    delivery,
    Quarantine(
        lru_cache(quarantine.connect),
        os.environ["ROOMGATE_QUARANTINE_BUCKET"],
        "exporter/",
        lambda key, reason: log("quarantine", {"key": key, "reason": reason}, {}),
    ),
    reports=os.environ["ROOMGATE_EXPORT_REPORTS"] == "true",
)


@app.lambda_function(name="exporter")
def export(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Export one batch of the stream. Returns Lambda's partial batch response."""
    batch = exporter.export(event["Records"])
    metrics = {"RowsExported": batch.rows}
    if batch.recorded is not None:
        metrics["ExportLag"] = now_ms() - batch.recorded
    if batch.failed_rows:
        metrics["RowsFailed"] = batch.failed_rows
    if batch.poison:
        metrics["RowsQuarantined"] = len(batch.poison)
    facts = {"records": len(event["Records"]), "reasons": batch.reasons}
    log("export", facts, metrics)
    return batch.response
