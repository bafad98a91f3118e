"""Which tests one xdist worker runs together."""

from __future__ import annotations

from typing import Final

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # It has none.

SYSTEM: Final = "tests/system/"


class OneLocalAws(LoadScopeScheduling):  # type: ignore[misc]  # A base without types.
    """The system tests share one local AWS, so one worker runs them all; other files go anywhere.

    Not by marks (xdist's loadgroup): xdist 3.8 writes them into a member that pytest 9 has no more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return SYSTEM if nodeid.startswith(SYSTEM) else nodeid.partition("::")[0]
