"""Cursors: opaque tokens that say where the next page of a list begins.

A cursor is base64url of a digest and the position. The digest covers the list's name too, so a
cursor that is garbled, cut or of another list is refused. A cursor is no secret and grants no
right: a caller that forges one gets a page that it may read anyway.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from chalicelib.errors import FieldError, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

MOST_CURSOR: Final = 256
"""Characters. The longest cursor is that of a session in a string room of 64 bytes."""

CURSOR_PATTERN: Final = r"[A-Za-z0-9_-]+={0,2}"
CURSOR_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MOST_CURSOR,
    "pattern": f"^{CURSOR_PATTERN}$",
}

_DIGEST: Final = 9  # Bytes: 12 characters of base64.


class Cursors(Generic[T]):
    """The cursors of one list.

    Args:
        listing: names the list, its application, and its room or user.
        write: a position as ASCII text.
        read: the position of such a text; raises ValueError.
    """

    def __init__(self, listing: str, write: Callable[[T], str], read: Callable[[str], T]) -> None:
        self._listing, self._write, self._read = listing, write, read

    def after(self, position: T | None) -> str | None:
        """The cursor of the page after a position; None if there is no such page."""
        return None if position is None else self._cursor(self._write(position))

    def position(self, query: Mapping[str, str]) -> T | None:
        """The position in a query; None for the first page.

        Raises:
            InvalidRequest: the parameter ``cursor`` is no cursor of this list.
        """
        if "cursor" not in query:
            return None
        try:
            return self._read(self._position(query["cursor"]))
        except ValueError:
            raise InvalidRequest(
                (FieldError("cursor", "must be a nextCursor of this list, as it came"),)
            ) from None

    def _position(self, cursor: str) -> str:
        if len(cursor) > MOST_CURSOR:
            raise ValueError("too long")
        position = urlsafe_b64decode(cursor.encode("ascii"))[_DIGEST:].decode("ascii")
        if self._cursor(position) != cursor:
            raise ValueError("of another list, or garbled")
        return position

    def _cursor(self, position: str) -> str:
        digest = sha256(f"{self._listing}\n{position}".encode()).digest()[:_DIGEST]
        return urlsafe_b64encode(digest + position.encode()).decode()
