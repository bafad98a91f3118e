from __future__ import annotations

import threading

from chalicelib.stores.preload import preload


def test_each_is_loaded_in_turn() -> None:
    """What comes first is there first."""
    done: list[str] = []
    preload(lambda: done.append("a"), lambda: done.append("b"))
    assert done == ["a", "b"]


def test_a_store_that_stalls_does_not_stall_init() -> None:
    """INIT goes on without it, and what was asked for is still read once the store answers."""
    answers, read = threading.Event(), threading.Event()

    def load() -> None:
        answers.wait()
        read.set()

    preload(load, seconds=0.01)
    assert not read.is_set()
    answers.set()
    assert read.wait(5)
