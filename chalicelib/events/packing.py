r"""The list of a report as text, small: playurls repeat, so they are stored as patterns.

The text is JSON: ``[[pattern, "user,user,…"], …]``. A pattern is a playurl with a line feed where
it has the userid (``room://183.3.225.15:1935/webrtc/1400037025_107688_\n``), or null for users
without a playurl. A playurl that does not hold the userid is a pattern as it is. Neither a line
feed in a playurl nor a comma in a userid is possible.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def pack(others: Mapping[str, str | None]) -> str:
    """Write userid -> playurl or None, as a roster's View has it."""
    groups = [[pattern, ",".join(users)] for pattern, users in _by_pattern(others).items()]
    return json.dumps(groups, ensure_ascii=False, separators=(",", ":"))


def unpack(text: str) -> dict[str, str | None]:
    """Read what `pack` wrote."""
    return dict(_pairs(text))


def squeeze(text: str) -> bytes:
    """Compress (raw deflate); compressors differ, so compare texts or lists, never these bytes."""
    return zlib.compress(text.encode(), wbits=-zlib.MAX_WBITS)


def unsqueeze(squeezed: bytes) -> str:
    """Undo `squeeze`."""
    return zlib.decompress(squeezed, wbits=-zlib.MAX_WBITS).decode()


def _by_pattern(others: Mapping[str, str | None]) -> dict[str | None, list[str]]:
    groups: dict[str | None, list[str]] = {}
    for user, playurl in others.items():
        pattern = None if playurl is None else "\n".join(playurl.rsplit(user, 1))
        groups.setdefault(pattern, []).append(user)
    return groups


def _pairs(text: str) -> Iterator[tuple[str, str | None]]:
    for pattern, users in json.loads(text):
        for user in users.split(","):
            yield user, pattern and pattern.replace("\n", user)
