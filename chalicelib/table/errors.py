"""What storing and reading may refuse.

::

    ApiError
    ├── ReportConflict     the same (epoch, seq) was reported with another list
    ├── ListTooLarge       the list fits no item, however written (roster.userlist)
    ├── StoreUnavailable   the table is throttled or out of reach; sending again is safe
    └── HistoryGone        what was asked of is older than what is kept

    Exception
    └── HeadMoved          somebody else wrote the room's head first; read it again
"""

from __future__ import annotations

from typing import Final

from chalicelib.errors import ApiError

RETRY_AFTER: Final = 1
"""Seconds until a throttled table is worth another try."""


class ReportConflict(ApiError):
    """Another list stands under this reporter's (epoch, seq)."""

    def __init__(self) -> None:
        super().__init__(
            "report-conflict",
            "This epoch and seq were reported before with another list, which stays."
            " Count seq up with every change.",
        )


class StoreUnavailable(ApiError):
    """The table does not take or give data now; what was asked may have happened all the same."""

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
    """A head was written by somebody else since it was read; nothing was written."""
