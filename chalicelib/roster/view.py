"""A view: what one member's report says about who is in the room."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HASH_DIGITS: Final = 16


class View(NamedTuple):
    """The set that one report states: the reporter and the others it names.

    Attributes:
        reporter: the userid of the member that reported; it is in the room, too.
        others: userid of each other member -> its playurl as this reporter sees it, or None.
        hash: `set_hash` of all of them: the same, whoever of them reports.
        left_out: names that the report holds and that are no userids which could be signed; a few.
    """

    reporter: str
    others: Mapping[str, str | None]
    hash: str
    left_out: tuple[str, ...] = ()

    @property
    def members(self) -> int:
        """How many users the view says are in the room, the reporter among them."""
        return len(self.others) + 1


def view_of(
    reporter: str, others: Mapping[str, str | None], left_out: tuple[str, ...] = ()
) -> View:
    """The view of a reporter that names ``others`` (of which it is none)."""
    return View(reporter, others, set_hash([reporter, *others]), left_out)


def set_hash(users: Iterable[str]) -> str:
    """Name a set of userids: 16 hex digits of the SHA-256 of the sorted ids, joined by line feeds.

    Playurls differ from one reporter to the next, so they stay out of it.
    """
    return sha256("\n".join(sorted(users)).encode()).hexdigest()[:HASH_DIGITS]
