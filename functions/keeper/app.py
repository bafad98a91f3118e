"""keeper: folds stored signals once more and writes sessions; its sweeper settles due rooms."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from chalice.app import Chalice

from chalicelib.api.log import function_log, store_failures
from chalicelib.clock import now_ms
from chalicelib.stores.names import Names
from chalicelib.stores.room_limits import RoomLimits
from chalicelib.stores.store import AwsStore, StoreError
from chalicelib.stream import quarantine
from chalicelib.stream.keeper import Keeper
from chalicelib.stream.quarantine import Quarantine
from chalicelib.stream.sweeper import Sweeper
from chalicelib.table.client import connect
from chalicelib.table.items import Items
from chalicelib.table.sessions import SessionWriter
from chalicelib.table.table import EventTable, Retention
from chalicelib.table.writer import RoomWriter

if TYPE_CHECKING:
    from chalice.app import CloudWatchEvent

app = Chalice(app_name="keeper")
log = function_log(app.app_name)

SWEEP_SECONDS: Final = 45
"""Time of one run; the next one starts a minute after it began."""


names = Names(os.environ["ROOMGATE_STACK"])
store = AwsStore()
client = connect()
retention = Retention.of(os.environ)
items = Items(client, os.environ["ROOMGATE_TABLE"])
writer = RoomWriter(
    EventTable(client, os.environ["ROOMGATE_TABLE"], retention),
    most=RoomLimits(store, names, store_failures(app.app_name)).of,
)
keeper = Keeper(
    writer,
    SessionWriter(items, retention.history),
    Quarantine(
        lru_cache(quarantine.connect),
        os.environ["ROOMGATE_QUARANTINE_BUCKET"],
        "keeper/",
        lambda key, reason: log("quarantine", {"key": key, "reason": reason}, {}),
    ),
)
sweeper = Sweeper(items, writer)


@app.lambda_function(name="keeper")
def keep(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Process one batch of the stream. Returns Lambda's partial batch response."""
    records = event["Records"]
    batch = keeper.keep(records, now_ms())
    metrics = {
        "SignalsRefolded": batch.counts["refolded"],
        "SignalsHealed": batch.counts["healed"],
        "SessionsWritten": batch.counts["sessions"],
        "SessionsMissing": batch.counts["missing"],
        "RecordsQuarantined": len(batch.poison),
        "KeysFailed": batch.failed_keys,
    }
    log("keep", {"records": len(records), "reasons": batch.reasons}, metrics)
    return batch.response


@app.schedule("rate(1 minute)", name="sweeper")
def sweep(_event: CloudWatchEvent) -> None:
    """Settle what is due."""
    try:
        applications = names.applications_among(store.parameter_names(names.applications))
    except StoreError as error:
        log("sweep", {"reasons": {error.reason: 1}}, {"SweepFailures": 1})
        return
    end = time.monotonic() + SWEEP_SECONDS
    result = sweeper.sweep(applications, now_ms(), lambda: time.monotonic() > end)
    metrics = {
        "RoomsSettled": result.settled,
        "SweepLeft": result.left,
        "SweepLag": result.lag // 1000,
        "SweepFailures": result.reasons.total(),
    }
    log("sweep", {"reasons": result.reasons}, metrics)
