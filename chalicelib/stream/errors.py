"""What makes a stream record poison: the reader can never process it.

::

    ValueError
    └── Poison       .reason           goes to the quarantine with its reason
        ├── BadItem                    the item is not as Roomgate writes it
        └── BadRow   .column .reason   the row made of it breaks the lake's schema

For keeper every error is poison that trying again can't cure (`keeper.may_succeed_later`).
"""

from __future__ import annotations


class Poison(ValueError):
    """A record, or a row made of it, that can never be processed.

    Attributes:
        reason: what is wrong; it repeats nothing of the record's content.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadItem(Poison):
    """A change or report that can't be read."""


class BadRow(Poison):
    """A row that breaks the schema.

    Attributes:
        column: the first column that is wrong.
        reason: the column and what is wrong with it.
    """

    def __init__(self, column: str, fault: str) -> None:
        super().__init__(f"{column} {fault}")
        self.column = column
