"""Parameters and answers of the function ``rooms``, each declared once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.api.conditional import answer_if_changed, tag_of
from chalicelib.api.cursors import CURSOR_SCHEMA, Cursors
from chalicelib.api.parameters import integer
from chalicelib.api.vocabulary import APPLICATION_FIELD, ROOM_FIELDS, USER_FIELD, USER_ID
from chalicelib.api.webhook import HASH, VERSION
from chalicelib.errors import FieldError, InvalidRequest
from chalicelib.roster.members import Reason, Transition, vouched_for
from chalicelib.roster.signal import Source
from chalicelib.roster.userlist import MOST_PLAYURL, MOST_USERS
from chalicelib.schema import Array, Field, Flag, Integer, OneOf, Record, Text
from chalicelib.table.history import MOST_SHOWN, TimeRange
from chalicelib.table.item_keys import ReporterKey, RoomKey
from chalicelib.table.rooms import Change
from chalicelib.table.sessions import Evidence, Session
from chalicelib.trtc import parse_room_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from chalice.app import Response

    from chalicelib.api.gate import Call
    from chalicelib.table.confirmations import Confirmations
    from chalicelib.table.history import History, Roster, SettledRoom
    from chalicelib.table.listings import OpenRoom, SessionPosition
    from chalicelib.trtc import Room

LAST_MS: Final = 10**13 - 1
"""The largest unix ms of 13 digits, which is what the event table's keys hold: the year 2286."""

MOMENT = Integer(0, LAST_MS, "unix time in ms")
# A page may end with one change that brings as many transitions again as the page has.
TRANSITIONS_MOST: Final = 2 * MOST_SHOWN

MOST_ROOMS: Final = 100
MOST_ENTRIES: Final = 1_000
MOST_SESSIONS: Final = 1_000
ROOMS_LIMIT = Integer(1, MOST_ROOMS, "most rooms in the answer")
ENTRIES_LIMIT = Integer(1, MOST_ENTRIES, "most entries in the answer")
SESSIONS_LIMIT = Integer(1, MOST_SESSIONS, "most sessions in the answer")
DEFAULT_LIMIT: Final = 100


def _in_query(name: str, schema: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": dict(schema)}


def _limit(bounds: Integer) -> dict[str, Any]:
    schema = {**bounds.json_schema(), "default": DEFAULT_LIMIT}
    return _in_query("limit", schema, "there may be fewer, or none at all, though more follow")


USER_PARAMETER: Final[dict[str, Any]] = {
    "name": "user",
    "in": "path",
    "required": True,
    "schema": USER_ID.json_schema(),
}
CURSOR_PARAMETER = _in_query("cursor", CURSOR_SCHEMA, "nextCursor of the answer before")
ROOMS_PARAMETERS = (_limit(ROOMS_LIMIT), CURSOR_PARAMETER)
ROSTER_PARAMETERS = (
    _in_query("for", USER_ID.json_schema(), "who asks: add the playUrls that its newest list has"),
    _in_query("at", MOMENT.json_schema(), "who was there then, as far as is known now"),
)


def _window(what: str) -> tuple[dict[str, Any], ...]:
    schema = MOMENT.json_schema()
    return tuple(_in_query(name, schema, f"the {name} of {what}") for name in ("from", "to"))


TIMELINE_PARAMETERS = (
    *_window("the times at which transitions happened"),
    _limit(ENTRIES_LIMIT),
    CURSOR_PARAMETER,
)
SESSIONS_PARAMETERS = (
    *_window("the times at which sessions began"),
    _limit(SESSIONS_LIMIT),
    CURSOR_PARAMETER,
)

SOURCE = OneOf({source: source for source in Source}, "who vouches for it")
BY_FIELD = Field("by", USER_ID, "by", required=False, default="")
CURSOR_FIELD = Field("nextCursor", Text(CURSOR_SCHEMA["maxLength"]), "next_cursor", required=False)
HASH_FIELD = Field("hash", HASH, "hash")
HEARD_FIELD = Field("heardAt", MOMENT, "heard")


class RoomSummary(NamedTuple):
    """An open room in a list; version, hash and heard (unix ms) are those of its head."""

    room: Room
    size: int
    version: int
    hash: str
    heard: int


ROOM = Record(
    RoomSummary,
    *ROOM_FIELDS,
    Field("size", Integer(1, MOST_USERS + 1, "members"), "size"),
    Field("version", VERSION, "version"),
    HASH_FIELD,
    HEARD_FIELD,
)


class RoomsPage(NamedTuple):
    """Open rooms of an application, and the cursor of the next page, or None."""

    sdk_app_id: int
    rooms: list[RoomSummary]
    next_cursor: str | None


ROOMS_ANSWER = Record(
    RoomsPage, APPLICATION_FIELD, Field("rooms", Array(ROOM, MOST_ROOMS), "rooms"), CURSOR_FIELD
)


class RosterMember(NamedTuple):
    """A member as a roster shows it.

    Attributes:
        since: unix ms of its join.
        by: the user whose word brought it in; empty where it was Tencent's alone.
        source: who vouches for that word.
        confirmed: it is in the room by its own word or Tencent's, not by others' alone.
        reconnects: how often it seemed gone and was seen again in this stay, or None for never.
        reconnected: unix ms of the last reconnect, or None.
        leaving_since: unix ms since which lists have stopped naming it, or None.
        play_url: as the viewer's newest list gave it, or None.
    """

    user_id: str
    since: int
    by: str
    source: Source
    confirmed: bool
    reconnects: int | None
    reconnected: int | None
    leaving_since: int | None
    play_url: str | None


MEMBER = Record(
    RosterMember,
    USER_FIELD,
    Field("since", MOMENT, "since"),
    # Left out where only Tencent's word brought the member in.
    BY_FIELD,
    Field("source", SOURCE, "source"),
    Field(
        "confirmed",
        Flag("in the room by its own word or Tencent's, not by others' alone"),
        "confirmed",
        required=False,
        default=False,
    ),
    # One stay goes on through flaps and network switches.
    Field(
        "reconnects",
        Integer(1, 10**9, "times that it was seen again"),
        "reconnects",
        required=False,
    ),
    Field("reconnectedAt", MOMENT, "reconnected", required=False),
    # Lists have stopped naming it then; it leaves unless one names it again.
    Field("leavingSince", MOMENT, "leaving_since", required=False),
    Field("playUrl", Text(MOST_PLAYURL), "play_url", required=False),
)


class RosterAnswer(NamedTuple):
    """Who is, or was, in a room.

    Attributes:
        at: the past moment that the roster shows, in unix ms; None for the present.
        heard: unix ms of the room's last signal; None for a past roster or an unknown room.
        lease_ends: unix ms at which the room counts as empty if no signal comes before, or None.
    """

    sdk_app_id: int
    room: Room
    at: int | None
    version: int
    hash: str
    size: int
    heard: int | None
    lease_ends: int | None
    members: list[RosterMember]


ROSTER_ANSWER = Record(
    RosterAnswer,
    APPLICATION_FIELD,
    *ROOM_FIELDS,
    Field("at", MOMENT, "at", required=False),
    Field("version", VERSION, "version"),
    HASH_FIELD,
    Field("size", Integer(0, MOST_USERS + 1, "members"), "size"),
    Field("heardAt", MOMENT, "heard", required=False),
    # The room counts as empty from then on, if no signal comes before.
    Field("leaseEndsAt", MOMENT, "lease_ends", required=False),
    Field("members", Array(MEMBER, MOST_USERS + 1), "members"),
)

TRANSITION = Record(
    Transition,
    USER_FIELD._replace(into="user"),
    Field("change", OneOf({"joined": True, "left": False}), "joined"),
    Field("t", MOMENT, "t"),
    BY_FIELD,
    Field("source", SOURCE, "source"),
    Field("reason", OneOf({reason: reason for reason in Reason}, "why it counts"), "reason"),
)
ENTRY = Record(
    Change,
    Field("version", VERSION, "version"),
    Field("recordedAt", MOMENT, "at"),
    Field("transitions", Array(TRANSITION, TRANSITIONS_MOST), "transitions"),
)


class TimelinePage(NamedTuple):
    """Changes of a room, and the cursor of the next page, or None."""

    sdk_app_id: int
    room: Room
    entries: list[Change]
    next_cursor: str | None


TIMELINE_ANSWER = Record(
    TimelinePage,
    APPLICATION_FIELD,
    *ROOM_FIELDS,
    Field("entries", Array(ENTRY, MOST_ENTRIES), "entries"),
    CURSOR_FIELD,
)

EVIDENCE = Record(
    Evidence,
    BY_FIELD,
    Field("source", SOURCE, "source"),
    Field("reason", OneOf({reason: reason for reason in Reason}), "reason"),
)
SESSION = Record(
    Session,
    *ROOM_FIELDS,
    Field("joined", MOMENT, "joined"),
    Field("joinedBy", EVIDENCE, "joined_by"),
    # The next three are left out while the session goes on.
    Field("left", MOMENT, "left", required=False),
    Field("leftBy", EVIDENCE, "left_by", required=False),
    Field("durationMs", MOMENT, "duration", required=False),
    Field(
        "confirmed",
        Flag("the user itself, or Tencent, has said so; not others alone"),
        "confirmed",
        required=False,
        default=False,
    ),
)


class SessionsPage(NamedTuple):
    """A user's sessions, and the cursor of the next page, or None."""

    sdk_app_id: int
    user_id: str
    sessions: list[Session]
    next_cursor: str | None


SESSIONS_ANSWER = Record(
    SessionsPage,
    APPLICATION_FIELD,
    USER_FIELD,
    Field("sessions", Array(SESSION, MOST_SESSIONS), "sessions"),
    CURSOR_FIELD,
)


def summary_of(listed: OpenRoom) -> RoomSummary:
    """An open room as the list shows it."""
    head = listed.room.head
    return RoomSummary(listed.room.ref.room, listed.size, head.version, head.hash, head.heard)


def roster_of(
    settled: SettledRoom,
    roster: Roster,
    playurls: Mapping[str, str | None],
    confirmed: AbstractSet[str],
    at: int | None,
) -> RosterAnswer:
    """A roster as it is answered.

    Args:
        settled: the room.
        roster: who is in the room, or was at ``at``.
        playurls: the play URLs that the viewer knows, by userid.
        confirmed: members that others named first and that have reported since.
        at: the past moment that the roster shows, in unix ms; None for the present.
    """
    ref, version = settled.room.ref, settled.room.head.version
    members = sorted(roster.members.items(), key=lambda pair: (pair[1].since, pair[0]))
    reconnects = {entry.user: entry for entry in settled.head.reconnects} if at is None else {}
    return RosterAnswer(
        sdk_app_id=ref.sdk_app_id,
        room=ref.room,
        at=at,
        version=version,
        hash=roster.hash,
        size=len(members),
        heard=settled.head.heard if at is None and version else None,
        lease_ends=settled.head.lease_ends if at is None and members else None,
        members=[
            RosterMember(
                user_id=user,
                since=member.since,
                by=member.by,
                source=member.source,
                confirmed=user in confirmed or vouched_for(user, member),
                reconnects=reconnects[user].times if user in reconnects else None,
                reconnected=reconnects[user].t if user in reconnects else None,
                leaving_since=roster.leaving.get(user),
                play_url=playurls.get(user),
            )
            for user, member in members
        ],
    )


def answer_roster(
    call: Call[Any, None],
    history: History,
    confirmations: Confirmations,
    ref: RoomKey,
    viewer: str | None,
) -> Response:
    """Answer with the present roster, or with a 304 if the caller has it.

    Args:
        call: the request.
        history: reads the room.
        confirmations: reads which members have reported.
        ref: the room.
        viewer: the member whose newest list gives the others their play URLs, or None.
    """
    # Read before the room, so that the roster which the list refers to is not newer than it.
    playurls = history.playurls(ReporterKey(*ref, viewer)) if viewer else {}
    settled = history.settled_room(ref, call.now_ms)
    roster = cache(lambda: history.roster(settled))
    confirmed = confirmations.of(settled, lambda: roster().members)

    def body() -> dict[str, Any]:
        return ROSTER_ANSWER.encode(roster_of(settled, roster(), playurls, confirmed, None))

    tag = tag_of(tag_parts(settled), sorted(playurls.items()), sorted(confirmed))
    return answer_if_changed(call, tag, body)


def tag_parts(settled: SettledRoom) -> list[Any]:
    """What the present roster depends on: the room as stored, and who has left since."""
    stored, head = settled.room.head, settled.head
    pending = [[group.t, group.size] for group in head.pending]
    return [stored.version, stored.revision, stored.lease.heard, head.size, head.hash, pending]


def limit_of(query: Mapping[str, str], bounds: Integer) -> int:
    """How many items a page may hold; raises InvalidRequest."""
    return integer("limit", query.get("limit", str(DEFAULT_LIMIT)), bounds)


def moment_of(query: Mapping[str, str], name: str, default: int) -> int:
    """A time in a query, in unix ms; raises InvalidRequest."""
    return integer(name, query[name], MOMENT) if name in query else default


def time_range_of(query: Mapping[str, str]) -> TimeRange:
    """The parameters ``from`` and ``to`` of a query; raises InvalidRequest."""
    time_range = TimeRange(moment_of(query, "from", 0), moment_of(query, "to", LAST_MS))
    if time_range.first > time_range.last:
        raise InvalidRequest((FieldError("from", "must not be after to"),))
    return time_range


def past_of(query: Mapping[str, str], now: int) -> int | None:
    """The past moment in a query, or None; raises InvalidRequest."""
    if "at" not in query:
        return None
    at = integer("at", query["at"], MOMENT)
    if at > now:
        raise InvalidRequest((FieldError("at", "must not be in the future"),))
    return at


def rooms_cursors(sdk_app_id: int) -> Cursors[RoomKey]:
    """Cursors of an application's open rooms; a position is the last room that was read."""
    return Cursors(
        f"rooms#{sdk_app_id}",
        lambda ref: ref.room.key,
        lambda key: RoomKey(sdk_app_id, parse_room_key(key)),
    )


def timeline_cursors(ref: RoomKey) -> Cursors[int]:
    """Cursors of a room's timeline; a position is the last version that was read."""
    return Cursors(f"timeline#{ref.pk}", str, lambda text: VERSION.decode(int(text)))


def sessions_cursors(sdk_app_id: int, user_id: str) -> Cursors[SessionPosition]:
    """Cursors of a user's sessions; a position is the last session that was shown."""

    def read(text: str) -> SessionPosition:
        joined, key = text.split("#")
        return MOMENT.decode(int(joined)), RoomKey(sdk_app_id, parse_room_key(key))

    return Cursors(
        f"sessions#{sdk_app_id}#{user_id}",
        lambda position: f"{position[0]}#{position[1].room.key}",
        read,
    )
