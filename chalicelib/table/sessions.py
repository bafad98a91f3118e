"""Sessions as items: one stay of one user in one room, written by keeper from the changes.

A stay that goes on has no end yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.roster.members import Reason
from chalicelib.roster.signal import Source
from chalicelib.table.item_keys import Item, RoomKey
from chalicelib.trtc.identifiers import parse_room_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.trtc.identifiers import Room


class Evidence(NamedTuple):
    """Why one end of a session is believed.

    Attributes:
        by: the user whose word it was; empty: nobody's.
        source: who vouches for that word.
        reason: of the transition.
    """

    by: str
    source: Source
    reason: Reason


class Session(NamedTuple):
    """One stay.

    Attributes:
        ref: the room.
        user_id: who.
        joined: unix ms of the join.
        joined_by: the evidence of it.
        left: unix ms of the leave; None: it goes on, as far as is known.
        left_by: the evidence of that, or None.
        mark: grows with whatever is written into it.
    """

    ref: RoomKey
    user_id: str
    joined: int
    joined_by: Evidence
    left: int | None = None
    left_by: Evidence | None = None
    mark: int = 0

    @property
    def room(self) -> Room:
        """The room, without its application."""
        return self.ref.room

    @property
    def confirmed(self) -> bool:
        """Whether one end of it is the user's own word, or Tencent's; else only others said so."""
        ends = [self.joined_by, *([self.left_by] if self.left_by else [])]
        return any(
            end.by == self.user_id or (end.source is Source.TENCENT and not end.by) for end in ends
        )

    @property
    def duration(self) -> int | None:
        """How long it lasted, in ms; None: it goes on."""
        return None if self.left is None else self.left - self.joined


def user_pk(sdk_app_id: int, user_id: str) -> str:
    """The partition of a user's sessions."""
    return f"U#{sdk_app_id}#{user_id}"


def session_sk(joined: int, ref: RoomKey) -> str:
    """A session's place among its user's; they sort by their beginnings."""
    return f"S#{joined:013}#{ref.room.key}"


def sessions_between(first: int, last: int) -> tuple[str, str]:
    """The least and the greatest place of sessions that began from first to last, in unix ms."""
    return f"S#{first:013}", f"S#{last:013}~"  # All that follows the time sorts before "~".


def session_item(session: Session, ttl: int | None) -> Item:
    """The item of a session.

    Args:
        session: the session.
        ttl: unix seconds after which it is garbage; None: that is not known before it has ended.
    """
    item: Item = {
        "pk": {"S": user_pk(session.ref.sdk_app_id, session.user_id)},
        "sk": {"S": session_sk(session.joined, session.ref)},
        "joinedBy": _evidence_value(session.joined_by),
        "mark": {"N": str(session.mark)},
    }
    if ttl is not None:
        item["ttl"] = {"N": str(ttl)}
    if session.left is not None and session.left_by is not None:
        item["left"] = {"N": str(session.left)}
        item["leftBy"] = _evidence_value(session.left_by)
    return item


def session_of(item: Mapping[str, Mapping[str, Any]]) -> Session:
    """Read what `session_item` wrote."""
    _, sdk_app_id, user = item["pk"]["S"].split("#")
    _, joined, key = item["sk"]["S"].split("#")
    return Session(
        ref=RoomKey(int(sdk_app_id), parse_room_key(key)),
        user_id=user,
        joined=int(joined),
        joined_by=_evidence_of(item["joinedBy"]),
        left=int(item["left"]["N"]) if "left" in item else None,
        left_by=_evidence_of(item["leftBy"]) if "leftBy" in item else None,
        mark=int(item["mark"]["N"]),
    )


def _evidence_value(evidence: Evidence) -> dict[str, Any]:
    return {"L": [{"S": part} for part in evidence]}


def _evidence_of(value: Mapping[str, Any]) -> Evidence:
    by, source, reason = (part["S"] for part in value["L"])
    return Evidence(by, Source(source), Reason(reason))
