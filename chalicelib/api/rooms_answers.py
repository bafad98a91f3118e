"""What the routes of rooms answer, made of what the event table tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.roster.members import vouched_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from chalicelib.roster.members import Member, Transition
    from chalicelib.roster.signal import Source
    from chalicelib.table.history import Roster, Standing
    from chalicelib.table.item_keys import RoomKey
    from chalicelib.table.listings import OpenRoom
    from chalicelib.table.rooms import Change
    from chalicelib.table.sessions import Evidence, Session


def room_form(ref: RoomKey) -> dict[str, Any]:
    """A room by its number, or by its name."""
    return {"roomId" if isinstance(ref.room, int) else "strRoomId": ref.room}


def open_room_form(each: OpenRoom) -> dict[str, Any]:
    """A room of the list of open ones."""
    head = each.room.head
    known = {"version": head.version, "hash": head.hash, "heardAt": head.heard}
    return {**room_form(each.room.ref), "size": each.size, **known}


def roster_form(
    standing: Standing,
    roster: Roster,
    playurls: Mapping[str, str | None],
    spoken: AbstractSet[str],
    at: int | None,
) -> dict[str, Any]:
    """A roster.

    Args:
        standing: the room.
        roster: who is in it, or was.
        playurls: that the asking member knows, by userid.
        spoken: members that others named, and that have reported since.
        at: the past moment that the roster is of, in unix ms; None: it is of now.
    """
    ref = standing.room.ref
    form = {"sdkAppId": ref.sdk_app_id, **room_form(ref)}
    if at is not None:
        form["at"] = at
    form |= {
        "version": standing.room.head.version,
        "hash": roster.hash,
        "size": len(roster.members),
    }
    if at is None and standing.room.head.version:
        form["heardAt"] = standing.head.heard
    if at is None and roster.members:
        form["leaseEndsAt"] = standing.head.lease_ends
    members = sorted(roster.members.items(), key=lambda each: (each[1].since, each[0]))
    return {
        **form,
        "members": [
            _member_form(
                user,
                member,
                confirmed=user in spoken or vouched_for(user, member),
                leaving=roster.leaving.get(user),
                playurl=playurls.get(user),
            )
            for user, member in members
        ],
    }


def what_decides(standing: Standing) -> list[Any]:
    """What a roster of now depends on: as its room is written, and who of it has left since."""
    written, head = standing.room.head, standing.head
    pending = [[group.t, group.size] for group in head.pending]
    began = [written.version, written.revision, written.lease.heard]
    return [*began, head.size, head.hash, pending]


def entry_form(change: Change) -> dict[str, Any]:
    """An entry of a timeline."""
    return {
        "version": change.version,
        "recordedAt": change.at,
        "transitions": [_transition_form(each) for each in change.transitions],
    }


def session_form(session: Session) -> dict[str, Any]:
    """A session."""
    form = {
        **room_form(session.ref),
        "joined": session.joined,
        "joinedBy": _evidence_form(session.joined_by),
    }
    if session.left is None or session.left_by is None:
        return form
    left_by = _evidence_form(session.left_by)
    return {**form, "left": session.left, "leftBy": left_by, "durationMs": session.duration}


def _member_form(
    user: str, member: Member, *, confirmed: bool, leaving: int | None, playurl: str | None
) -> dict[str, Any]:
    form: dict[str, Any] = {"userId": user, "since": member.since}
    form |= _word_form(member.by, member.source)
    if confirmed:
        form["confirmed"] = True
    if leaving is not None:
        form["leavingSince"] = leaving
    if playurl is not None:
        form["playUrl"] = playurl
    return form


def _transition_form(each: Transition) -> dict[str, Any]:
    change = "joined" if each.joined else "left"
    known = {"userId": each.user, "change": change, "t": each.t}
    return {**known, **_word_form(each.by, each.source), "reason": each.reason}


def _evidence_form(evidence: Evidence) -> dict[str, Any]:
    return {**_word_form(evidence.by, evidence.source), "reason": evidence.reason}


def _word_form(by: str, source: Source) -> dict[str, Any]:
    """Whose word it was, if anybody's, and who vouches for it."""
    return {"by": by, "source": source} if by else {"source": source}
