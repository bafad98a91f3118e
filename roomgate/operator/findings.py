"""What ``roomgate doctor`` found: one finding for each thing it looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from roomgate.operator.errors import OperatorError, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OK: Final = "ok"
LOOK: Final = "look"
FIX: Final = "fix"


class Finding(NamedTuple):
    """One finding.

    Attributes:
        check: what was looked at.
        state: ``ok``; ``look``: worth knowing; ``fix``: needs doing.
        said: what was found, in a sentence.
        todo: what to do about it, or empty.
    """

    check: str
    state: str
    said: str
    todo: str = ""


def guarded(check: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Look, and make a finding of what AWS or the network says instead of an answer."""
    try:
        return list(look())
    except OperatorError as error:
        return [Finding(check, FIX, "could not be checked", error.message)]
    except Exception as error:
        said = explained(error)
        if said is None:
            raise
        return [Finding(check, FIX, "could not be checked", said)]
