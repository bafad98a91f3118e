"""Measure, print one table, and say by the exit status whether every bound is met."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from bench.calls import call_figures
from bench.cold import cold_figures
from bench.figures import BenchError, all_met, table
from bench.handler import handler_figures
from bench.handling import handling_figures
from bench.keeping import keeping_figures
from bench.lake import lake_figures
from bench.lake_queries import query_figures
from bench.machine import machine
from bench.material import make_material
from bench.openssl import openssl_figures
from bench.reports import report_figures
from bench.signing import signing_figures
from bench.sizes import size_figures
from infra.layout import InfraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.figures import Figure
    from bench.material import Material

_NOTES: Final = """\
us: medians of interleaved rounds (openssl: the fastest of three turns of each). ms: minima of 15
alternating runs, after one to warm up. s: CPU of all threads, of one run (the scan: the median of
eleven, between them). Times alone say little; a ratio is taken within one run.
Units and round trips of DynamoDB: by item sizes and AWS's rules, of rooms whose members report in
simulated time, on a stand-in. A report is a request, whether it is new, tried again or doubled.
keeper: on a stand-in whose answers take as long as DynamoDB's; a shard's time is that in which AWS
lets a partition of the table be written."""


MEASUREMENTS: Final[dict[str, Callable[[Material], list[Figure]]]] = {
    "tickets": signing_figures,
    "openssl": openssl_figures,
    "handler": handler_figures,
    "handling": handling_figures,
    "reports": report_figures,
    "calls": call_figures,
    "keeper": keeping_figures,
    "init": cold_figures,
    "lake": lake_figures,
    "zips": lambda _material: size_figures(),
    "queries": lambda _material: query_figures(),
}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="What Roomgate costs.")
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="may be repeated")
    chosen = parser.parse_args().only or list(MEASUREMENTS)
    print(machine())
    material = make_material()
    figures = []
    try:
        for name in chosen:
            print(f"== {name}", flush=True)
            figures += MEASUREMENTS[name](material)
    except (BenchError, InfraError) as error:
        print(f"measuring failed: {error}", file=sys.stderr)
        return 1
    print(f"\n{table(figures)}\n\n{_NOTES}")
    return 0 if all_met(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
