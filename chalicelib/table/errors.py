"""Errors of the event table.

::

    ApiError
    ├── ReportConflict     another list was reported under this (epoch, seq)
    ├── ListTooLarge       the list fits no item in any form (roster.userlist)
    ├── StoreUnavailable   the table is throttled or unreachable; try again
    └── HistoryGone        the question is about a time before what is kept

    Exception
    └── HeadMoved          a concurrent writer wrote the head first; read again
"""

from __future__ import annotations

from typing import Final

from chalicelib.errors import ApiError

RETRY_AFTER: Final = 1
"""Seconds after which a throttled table is asked again."""


class ReportConflict(ApiError):
    """Another list is stored under this reporter's (epoch, seq)."""

    def __init__(self) -> None:
        super().__init__(
            "report-conflict",
            "This epoch and seq were reported before with another list, which stays."
            " Count seq up with every change.",
        )


class StoreUnavailable(ApiError):
    """The table does not answer now; a write may have happened all the same."""

    def __init__(self) -> None:
        super().__init__(
            "store-unavailable",
            "The store does not answer now. Send the same request again; nothing is stored twice.",
            retry_after=RETRY_AFTER,
        )


class HistoryGone(ApiError):
    """The room's history does not reach back so far."""

    def __init__(self) -> None:
        super().__init__(
            "history-gone",
            "The room's history is no longer kept for that time; ask for a later one.",
        )


class HeadMoved(Exception):
    """A concurrent writer wrote the head since it was read; nothing was written."""
