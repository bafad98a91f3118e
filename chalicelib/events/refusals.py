"""What storing and reading may refuse.

::

    Refusal
    ├── ReportConflict     the same (epoch, seq) was reported with another list
    ├── ListTooLarge       from chalicelib.roster.parse: a list that fits no item, however packed
    └── StoreUnavailable   the table is throttled or out of reach; sending again is safe
"""

from __future__ import annotations

from typing import Final

from chalicelib.refusal import Refusal

RETRY_AFTER: Final = 1
"""Seconds until a throttled table is worth another try."""


class ReportConflict(Refusal):
    """Another list stands under this reporter's (epoch, seq)."""

    def __init__(self) -> None:
        super().__init__(
            "report-conflict",
            "This epoch and seq were reported before with another list, which stays."
            " Count seq up with every change.",
        )


class StoreUnavailable(Refusal):
    """The table does not take or give data now; what was asked may have happened all the same."""

    def __init__(self) -> None:
        super().__init__(
            "store-unavailable",
            "The store does not answer now. Send the same request again; nothing is stored twice.",
            retry_after=RETRY_AFTER,
        )
