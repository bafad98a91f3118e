"""keeper: folds what was left unfolded, writes sessions, and settles rooms that nobody reports."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from chalice.app import Chalice

from chalicelib.api.log import log, store_failures
from chalicelib.stores.names import Names
from chalicelib.stores.room_limits import RoomLimits
from chalicelib.stores.store import AwsStore, StoreError
from chalicelib.stream import quarantine
from chalicelib.stream.keeper import Keeper
from chalicelib.stream.quarantine import Quarantine
from chalicelib.stream.sweeper import Sweeper
from chalicelib.table.client import connect
from chalicelib.table.items import Items
from chalicelib.table.stays import Sessions
from chalicelib.table.table import EventTable, Retention
from chalicelib.table.writer import RoomWriter

if TYPE_CHECKING:
    from chalice.app import CloudWatchEvent

app = Chalice(app_name="keeper")

SWEEP_SECONDS: Final = 45
"""How long one run sweeps: the next one starts a minute after it."""


def tell(event: str, facts: dict[str, Any], metrics: dict[str, int]) -> None:
    """Write a log line, with the metrics in it."""
    log(now_ms(), event, {"function": app.app_name, **facts}, metrics)


def now_ms() -> int:
    """The time."""
    return int(time.time() * 1000)


names = Names(os.environ["ROOMGATE_STACK"])
store = AwsStore()
client = connect()
kept = Retention.of(os.environ)
items = Items(client, os.environ["ROOMGATE_TABLE"])
folder = RoomWriter(
    EventTable(client, os.environ["ROOMGATE_TABLE"], kept),
    most=RoomLimits(store, names, store_failures(app.app_name)).of,
)
keeper = Keeper(
    folder,
    Sessions(items, kept.history),
    Quarantine(
        lru_cache(quarantine.connect),
        os.environ["ROOMGATE_QUARANTINE_BUCKET"],
        "keeper/",
        lambda key, reason: tell("quarantine", {"key": key, "reason": reason}, {}),
    ),
)
sweeper = Sweeper(items, folder)


@app.lambda_function(name="keeper")
def keep(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """One batch of the stream; the answer names what has to come again."""
    records = event["Records"]
    done = keeper.keep(records, now_ms())
    metrics = {
        "SignalsRefolded": done.counts["refolded"],
        "SignalsHealed": done.counts["healed"],
        "SessionsWritten": done.counts["sessions"],
        "SessionsMissing": done.counts["missing"],
        "RecordsQuarantined": len(done.poison),
        "KeysFailed": done.failed,
    }
    tell("keep", {"records": len(records), "reasons": done.reasons}, metrics)
    return done.answer


@app.schedule("rate(1 minute)", name="sweeper")
def sweep(_event: CloudWatchEvent) -> None:
    """Settle what is due."""
    try:
        applications = names.applications_among(store.parameter_names(names.applications))
    except StoreError as error:
        tell("sweep", {"reasons": {error.reason: 1}}, {"SweepFailures": 1})
        return
    end = time.monotonic() + SWEEP_SECONDS
    done = sweeper.sweep(applications, now_ms(), lambda: time.monotonic() > end)
    metrics = {
        "RoomsSettled": done.settled,
        "SweepLeft": done.left,
        "SweepLag": done.lag // 1000,
        "SweepFailures": done.reasons.total(),
    }
    tell("sweep", {"reasons": done.reasons}, metrics)
