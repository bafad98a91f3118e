"""Play many rooms through stores that fail: python -m simulation.soak --seeds 200.

It ends with 1, and says which, if anything does not hold in one of them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from simulation.soak.rooms import Played, play


def main() -> int:
    """Print; return 1 if anything does not hold."""
    parser = argparse.ArgumentParser(prog="python -m simulation.soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="rooms, each under every fault")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    start, total, wrong = time.monotonic(), Counter[str](), 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, rooms in enumerate(pool.map(play, seeds), 1):
            for room in rooms:
                total.update(plays=1, reports=room.reports, failures=room.failures)
                wrong += bool(room.faults)
                _tell(room)
            if not number % 20:
                _say(f"{number} of {len(seeds)} rooms, {time.monotonic() - start:.0f} s")
    _say(
        f"{total['plays']} plays of {len(seeds)} rooms: {total['reports']} reports acknowledged,"
        f" {total['failures']} requests failed; {wrong} plays went wrong"
    )
    return bool(wrong)


def _tell(room: Played) -> None:
    for fault in room.faults:
        _say(f"WRONG: seed {room.seed}, {room.fault}: {fault}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
