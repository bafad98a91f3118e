r"""Writes reported lists, and JSON in general, as compact attribute values.

Most playurls of a list differ in the userid alone, so users are grouped by pattern:
``[[pattern, "user,user,…"], …]``. A pattern is a playurl with a line feed in place of the userid
(``room://183.3.225.15:1935/webrtc/1400037025_107688_\n``), or null for users without a playurl. A
playurl without the userid is its own pattern. No playurl holds a line feed, and no userid a comma.
The text of a list does not depend on the order of its users.
"""

from __future__ import annotations

import json
import zlib
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Groups = list[tuple[str | None, list[str]]]
"""Patterns with their users, sorted; the pattern with the most users first."""

WORTH_SQUEEZING: Final = 256  # Bytes; compressing less gains nothing.

_DIGEST_DIGITS: Final = 16

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def groups_of(others: Mapping[str, str | None]) -> Groups:
    """Group users by the patterns of their playurls.

    Args:
        others: userid -> playurl or None, as in `roster.view.View`.
    """
    alike = _one_group(others)
    if alike:
        return [alike]
    groups: dict[str | None, list[str]] = {}
    for user in sorted(others):
        playurl = others[user]
        # Its last occurrence: the text before may hold the userid by chance.
        pattern = None if playurl is None else "\n".join(playurl.rsplit(user, 1))
        groups.setdefault(pattern, []).append(user)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0] or ""))


def _one_group(others: Mapping[str, str | None]) -> tuple[str, list[str]] | None:
    """The only group, if all playurls are one prefix followed by the userid; else None.

    Nearly every list is like that, and grouping user by user takes several times as long.
    """
    user, playurl = next(iter(others.items()), ("", None))
    if playurl is None or not playurl.endswith(user):
        return None
    start = playurl.removesuffix(user)
    if [start + user for user in others] != list(others.values()):
        return None
    return f"{start}\n", sorted(others)


def pack(groups: Groups) -> str:
    """The JSON text of groups."""
    return _encode([[pattern, ",".join(users)] for pattern, users in groups])


def unpack(text: str) -> dict[str, str | None]:
    """The list in a text that `pack` made: userid -> playurl or None."""
    return {
        user: playurl_of(pattern, user)
        for pattern, users in json.loads(text)
        for user in names_of(users)
    }


def playurl_of(pattern: str | None, user: str) -> str | None:
    """The playurl of a user by a pattern."""
    return pattern and pattern.replace("\n", user)


def digest_of(packed: str) -> str:
    """Identify a whole list with its playurls; the report's hash covers the set of users only."""
    return sha256(packed.encode()).hexdigest()[:_DIGEST_DIGITS]


def names_form(users: Iterable[str]) -> str:
    """Join userids, sorted."""
    return ",".join(sorted(users))


def names_of(form: str) -> list[str]:
    """Split what `names_form` joined."""
    return form.split(",") if form else []


def written(form: Any) -> dict[str, Any]:
    """A value as JSON, or a text as it is, as an attribute: text, or raw deflate from 256 bytes on.

    Compressors differ, so compare decoded values, never these bytes.
    """
    text = form if isinstance(form, str) else _encode(form)
    raw = text.encode()
    if len(raw) < WORTH_SQUEEZING:
        return {"S": text}
    return {"B": zlib.compress(raw, wbits=-zlib.MAX_WBITS)}


def read(value: Mapping[str, Any]) -> str:
    """The text in an attribute that `written` made."""
    if "S" in value:
        text: str = value["S"]
        return text
    return zlib.decompress(value["B"], wbits=-zlib.MAX_WBITS).decode()
