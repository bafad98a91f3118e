r"""Lists and forms as text, small.

Playurls repeat, so a list is written as patterns, ``[[pattern, "user,user,…"], …]``. A pattern is a
playurl with a line feed where it has the userid
(``room://183.3.225.15:1935/webrtc/1400037025_107688_\n``), or null for users without a playurl. A
playurl that does not hold the userid is a pattern as it is. Neither a line feed in a playurl nor a
comma in a userid is possible. One list has one text, in whatever order it named its users.
"""

from __future__ import annotations

import json
import zlib
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Groups = list[tuple[str | None, list[str]]]
"""Patterns with their users, sorted; the pattern of most users first."""

WORTH_SQUEEZING: Final = 256  # Bytes; below that, compression gains nothing.

_DIGEST_DIGITS: Final = 16

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def groups_of(others: Mapping[str, str | None]) -> Groups:
    """Group users by the patterns of their playurls.

    Args:
        others: userid -> playurl or None, as a View has it.
    """
    alike = _one_group(others)
    if alike:
        return [alike]
    groups: dict[str | None, list[str]] = {}
    for user in sorted(others):
        playurl = others[user]
        # The last place at which it stands: a userid may be a part of what comes before it.
        pattern = None if playurl is None else "\n".join(playurl.rsplit(user, 1))
        groups.setdefault(pattern, []).append(user)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0] or ""))


def _one_group(others: Mapping[str, str | None]) -> tuple[str, list[str]] | None:
    """The one group of users whose playurls all are one text with the userid after it, or None.

    Nearly every list is like that, and going user by user takes several times as long.
    """
    user, playurl = next(iter(others.items()), ("", None))
    if playurl is None or not playurl.endswith(user):
        return None
    start = playurl.removesuffix(user)
    if [start + user for user in others] != list(others.values()):
        return None
    return f"{start}\n", sorted(others)


def pack(groups: Groups) -> str:
    """Write groups."""
    return _encode([[pattern, ",".join(users)] for pattern, users in groups])


def unpack(text: str) -> dict[str, str | None]:
    """Read what `pack` wrote, as userid -> playurl or None."""
    return {
        user: playurl_of(pattern, user)
        for pattern, users in json.loads(text)
        for user in names_of(users)
    }


def playurl_of(pattern: str | None, user: str) -> str | None:
    """The playurl that a pattern stands for."""
    return pattern and pattern.replace("\n", user)


def digest_of(packed: str) -> str:
    """Name a whole list, its playurls too; the report's hash names the set of users only."""
    return sha256(packed.encode()).hexdigest()[:_DIGEST_DIGITS]


def names_form(users: Iterable[str]) -> str:
    """Write userids."""
    return ",".join(sorted(users))


def names_of(form: str) -> list[str]:
    """Read what `names_form` wrote."""
    return form.split(",") if form else []


def written(form: Any) -> dict[str, Any]:
    """JSON as an attribute's value: text, or bytes (raw deflate) where that is worth it.

    Compressors differ, so compare what is read, never these bytes.
    """
    text = form if isinstance(form, str) else _encode(form)
    raw = text.encode()
    if len(raw) < WORTH_SQUEEZING:
        return {"S": text}
    return {"B": zlib.compress(raw, wbits=-zlib.MAX_WBITS)}


def read(value: Mapping[str, Any]) -> str:
    """The JSON text that `written` wrote."""
    if "S" in value:
        text: str = value["S"]
        return text
    return zlib.decompress(value["B"], wbits=-zlib.MAX_WBITS).decode()
