"""User lists: strategies that make valid ones, and plain ones of a given size."""

from __future__ import annotations

import json
import random
from string import ascii_letters, digits
from typing import Any

from hypothesis import strategies as st

from chalicelib.roster.view import View, view_of

PREFIX = "room://183.3.225.15:1935/webrtc/1400037025_107688_"

user_ids = st.text(ascii_letters + digits + "_-", min_size=1, max_size=32)
playurls = st.none() | st.builds(
    lambda parts: "".join(parts)[:512] or None,
    st.lists(
        st.sampled_from([PREFIX, "a", "_", "\\", '"', ","])
        | st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20),
        max_size=8,
    ),
)


@st.composite
def views(draw: st.DrawFn) -> View:
    """A valid view: most playurls hold the userid somewhere, as Tencent's do."""
    reporter, *others = draw(st.lists(user_ids, min_size=1, max_size=12, unique=True))
    named = {}
    for user in others:
        playurl = draw(playurls)
        around = draw(st.sampled_from(["", user, user + user]))
        named[user] = None if playurl is None else (playurl[:400] + around) or None
    return view_of(reporter, named)


def userlist(view: View) -> list[dict[str, str]]:
    """The decoded list that a client sends for a view."""
    return [
        {"userid": user, "playurl": playurl} if playurl else {"userid": user}
        for user, playurl in view.others.items()
    ]


def push_event(view: View) -> dict[str, Any]:
    """Event 1020 as live-pusher gives it for a view."""
    return {"code": 1020, "message": json.dumps({"userlist": userlist(view)})}


def plain_view(members: int, *, length: int = 28, seed: int = 1) -> View:
    """A view of random ids, as long as openids by default, with playurls as Tencent makes them."""
    chance = random.Random(seed)  # noqa: S311 (made-up names, no secret)
    ids: set[str] = set()
    while len(ids) < members:
        ids.add("".join(chance.choices(ascii_letters + digits + "_-", k=length)))
    reporter, *others = sorted(ids)
    return view_of(reporter, {user: PREFIX + user for user in others})
