"""What a report costs: units of DynamoDB, round trips, bytes, money; and the time to handle it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.capacity import Bill, Metered
from bench.crowd import consumed, steady
from bench.figures import Figure
from chalicelib.table.item_keys import ReporterKey, report_key
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.stored import PLAYURL, REF, TABLE, openid, openids
from simulation.truth import START, Setting

if TYPE_CHECKING:
    from bench.crowd import Consumed
    from bench.material import Material

LARGE: Final = Setting(1000, changes=22)
SMALL: Final = Setting(50, changes=102)
WARMING: Final = 2
"""Changes after which the environments have met the room."""
MIXED: Final = (Setting(1000, changes=6), Setting(100, changes=40))
FORGETFUL: Final = Setting(1000, changes=4)


class Limits(NamedTuple):
    """Most units and round trips a report; None: only shown."""

    writes: float
    reads: float
    calls: float | None = None


LIMITS: Final = {LARGE: Limits(1.1, 1.1, 2.1), SMALL: Limits(1.8, 1.5)}
LEAST_CALLS: Final = 2
"""The head is read, the report is written."""

# AWS, "Amazon DynamoDB pricing", on demand, standard table class, us-east-1, 2025; in US dollars.
WRITE_PRICE: Final = 0.625  # a million write units
READ_PRICE: Final = 0.125  # a million read units
STORAGE_PRICE: Final = 0.25  # a GB and month
KEPT_MONTHS: Final = 7 / 30


def report_figures(_material: Material) -> list[Figure]:
    """Reports of steady rooms against their limits and the naive design; harder ones shown."""
    figures = []
    for setting, limits in LIMITS.items():
        ours = consumed(setting, steady, setting.changes - WARMING, odd=False)
        naive = naive_cost(setting)
        figures += [
            *_limited(f"{setting.size} members", ours, limits),
            *_beside(f"{setting.size} members", ours, naive),
        ]
        print(_arithmetic(setting.size, ours, naive), flush=True)
    odd = consumed(LARGE, steady, LARGE.changes - WARMING)
    figures += _shown(f"{LARGE.size} members, some clients odd", odd)
    fresh = consumed(FORGETFUL, steady, FORGETFUL.changes, odd=False, remember=False)
    figures += _shown(f"{FORGETFUL.size} members, each in a new environment", fresh)
    for setting in MIXED:
        what = f"{setting.size} members, mass leaves and flaps"
        figures += _shown(what, consumed(setting, openids, setting.changes))
    return figures


class Naive(NamedTuple):
    """What a report costs that is stored whole, as it came, beside an item that tells repeats.

    Attributes:
        writes: write units; nothing is read, and no roster is known.
        stored: bytes, had each reporter's view a history as well.
    """

    writes: float
    stored: float


def naive_cost(setting: Setting) -> Naive:
    """Each report takes the place of its reporter's view, after an item for its seq."""
    users = [openid(f"user{number}") for number in range(setting.size)]
    reporter, *others = users
    userlist = [{"userid": user, "playurl": PLAYURL + user} for user in others]
    key = report_key(ReporterKey(*REF, reporter), START, 1)
    once = {**key, "ttl": {"N": str(START)}}
    view = {**key, "sk": {"S": "VIEW"}, "list": {"S": json.dumps(userlist)}, "seq": {"N": "1"}}
    bill = Bill()
    client = Metered(DynamoDBEmulator(), bill)
    for item in (once, view):
        client.put_item(TableName=TABLE, Item=item)
    return Naive(bill.writes.total(), bill.stored.total())


def _limited(who: str, ours: Consumed, limits: Limits) -> list[Figure]:
    bill = ours.webhook
    measured = {
        "write units": (ours.each(bill.writes.total()), limits.writes),
        "read units": (ours.each(bill.read_units), limits.reads),
        "round trips": (ours.each(bill.calls.total()), limits.calls),
    }
    return [
        Figure(f"{unit} a report, {who}", number, "its limit", limit, "", number / limit, 1)
        if limit
        else _plain(f"{unit} a report, {who}", number, "a read and a write", LEAST_CALLS)
        for unit, (number, limit) in measured.items()
    ]


def _beside(who: str, ours: Consumed, naive: Naive) -> list[Figure]:
    bill, keeper = ours.webhook, ours.keeper
    writes = ours.each(bill.writes.total())
    stored = ours.each(bill.stored.total())
    refolding = ours.each(keeper.read_units)
    reads = ours.each(bill.read_units)
    return [
        _plain(f"write units a report, {who}", writes, "whole lists", naive.writes),
        _plain(f"bytes stored a report, {who}", stored, "whole lists", naive.stored),
        _plain(f"keeper: read units a report, {who}", refolding, "the webhook's", reads),
        _plain(f"sessions: write units, {who}", ours.each(ours.transitions), "webhook's", writes),
        _plain(f"index: write units, {who}", ours.each(bill.index), "the webhook's", writes),
    ]


def _shown(who: str, ours: Consumed) -> list[Figure]:
    bill = ours.webhook
    return [
        _plain(f"write units, {who}", ours.each(bill.writes.total()), "one write", 1),
        _plain(f"read units, {who}", ours.each(bill.read_units), "one read", 1),
        _plain(f"round trips, {who}", ours.each(bill.calls.total()), "one of each", LEAST_CALLS),
    ]


def _plain(what: str, measured: float, peer: str, against: float) -> Figure:
    return Figure(what, measured, peer, against, "", measured / against)


def _arithmetic(members: int, ours: Consumed, naive: Naive) -> str:
    """A million reports in dollars, term by term."""
    bill, keeper = ours.webhook, ours.keeper
    index, sessions = ours.each(bill.index), ours.each(ours.transitions)
    terms = [
        ("written by webhook", ours.each(bill.writes.total()), WRITE_PRICE),
        ("read by webhook", ours.each(bill.read_units), READ_PRICE),
        ("written to the index", index, WRITE_PRICE),
        ("written by keeper, healing", ours.each(keeper.writes.total()), WRITE_PRICE),
        ("read by keeper, one report at a time", ours.each(keeper.read_units), READ_PRICE),
        ("sessions", sessions, WRITE_PRICE),
        ("GB for a week", ours.each(bill.stored.total()) / 1000, KEPT_MONTHS * STORAGE_PRICE),
    ]
    lines = [
        f"  {what:38} {many:9.4f} x ${price:.4f} = ${many * price:9.4f}"
        for what, many, price in terms
    ]
    dollars = sum(many * price for _, many, price in terms)
    week = naive.stored / 1000 * KEPT_MONTHS * STORAGE_PRICE
    whole = naive.writes * WRITE_PRICE + week
    lost = ", ".join(f"{many} writes of {kind} refused" for kind, many in bill.lost.items())
    measured = f"{ours.reports} reports, {ours.environments} environments, {lost}"
    heading = f"A million reports from a room of {members}, in millions of units ({measured}):"
    peer = f"{naive.writes:.0f} x ${WRITE_PRICE} + {naive.stored / 1000:.1f} GB for a week"
    return "\n".join(
        [heading, *lines, f"  together ${dollars:.2f}; whole lists: {peer} = ${whole:.2f}"]
    )
