"""Run the simulation over many seeds and print its table: python -m simulation --seeds 200.

It ends with 1, and says which, if a bound does not hold.
"""

from __future__ import annotations

import argparse
import sys

from simulation import call_table
from simulation.rules import Refolded
from simulation.table import KEPT, RULES, SETTINGS, heading, tabulate

LARGE = 100
FEWER = 20
"""Of a room of 1,000, one run for so many of the others."""


def main() -> int:
    """Print; return 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="runs of each room")
    parser.add_argument("--calls", action="store_true", help="calls whose clients react, instead")
    arguments = parser.parse_args()
    seeds = arguments.seeds
    if arguments.calls:
        return _calls(seeds)
    faults = []
    _say(heading())
    for setting in SETTINGS:
        runs = seeds if setting.size < 1000 else -(-seeds // FEWER)
        rules = (*RULES, Refolded) if setting.size in KEPT else RULES
        for line in tabulate(setting, range(runs), rules):
            _say(str(line))
            faults += line.faults()
    for fault in faults:
        _say(f"BOUND BROKEN: {fault}")
    return bool(faults)


def _calls(seeds: int) -> int:
    """Print the table of calls; of a room of 100, one run for so many of the others."""
    faults = []
    _say(call_table.heading())
    for call in call_table.calls():
        runs = seeds if call.size < LARGE else -(-seeds // FEWER)
        line = call_table.line_of(call, range(runs))
        _say(str(line))
        faults += line.faults()
    for fault in faults:
        _say(f"BOUND BROKEN: {fault}")
    return bool(faults)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
