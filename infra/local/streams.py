"""The streams of a local AWS that starts again.

Ministack saves how far each mapping has read a stream, but not the stream, which begins anew: what
is written first after a start would be taken as read. So the places are dropped from its state.
What was in a stream at the stop and not read yet is lost, as on AWS it is not.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_PLACES = "dynamodb_stream_positions"


def read_streams_from_the_start(state: Path) -> None:
    """Have every mapping read its stream from the beginning, which is where the next start is.

    Args:
        state: the folder in which ministack keeps its state (1.5.33: a file for each service).
    """
    path = state / "lambda.json"
    if not path.exists():
        return
    saved: dict[str, Any] = json.loads(path.read_text())
    places = saved.get("payload", {}).get(_PLACES)
    if places and places["data"]:
        places["data"] = {}
        path.write_text(json.dumps(saved))
