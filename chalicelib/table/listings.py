"""Lists the open rooms of an application and the sessions of a user, page by page."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from chalicelib.roster.timeouts import settled_size
from chalicelib.table.item_keys import (
    SHARDS,
    RoomKey,
    head_key,
    session_sk,
    session_sk_range,
    shard_pk,
    user_pk,
)
from chalicelib.table.items import Items
from chalicelib.table.rooms import RoomState, state_of
from chalicelib.table.sessions import decode_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.table.history import TimeRange
    from chalicelib.table.sessions import Session
    from chalicelib.trtc.identifiers import Room

SessionPosition: TypeAlias = tuple[int, RoomKey]
"""A session's position among those of its user: its beginning in unix ms, and the room."""


class OpenRoom(NamedTuple):
    """A room with members.

    Attributes:
        room: its stored state.
        size: how many members it has after all due leaves, written or not.
    """

    room: RoomState
    size: int


class Listings:
    """Reads lists.

    Args:
        client: DynamoDB's.
        name: the event table's name.

    Every method may raise StoreUnavailable.
    """

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        self._items = Items(client, name)

    def open_rooms(
        self,
        sdk_app_id: int,
        now: int,
        *,
        after: RoomKey | None,
        limit: int,
        covers: Callable[[Room], bool],
    ) -> tuple[list[OpenRoom], RoomKey | None]:
        """Rooms with members, as of a moment ago.

        A room that stays open is on exactly one page, since rooms are ordered by the shard of the
        index and by key, which never change. The order of the index itself changes all the time.

        Args:
            sdk_app_id: the application.
            now: unix ms; rooms that are empty at this time are left out.
            after: the last room of the previous page.
            limit: most rooms, up to 100. A page may hold fewer, even none, though more follow.
            covers: whether a room may be shown.

        Returns:
            the rooms, and the last one that was looked at, or None at the end.
        """
        refs = self._open_refs(sdk_app_id, after)
        candidates = list(islice((ref for ref in refs if covers(ref.room)), limit + 1))
        page = candidates[:limit]
        items = self._items.batch([head_key(ref) for ref in page]) if page else []
        states = {state.ref: state for state in map(state_of, items)}
        states_in_order = [states[ref] for ref in page if ref in states]
        rooms = [OpenRoom(state, settled_size(state.head, now)) for state in states_in_order]
        more = len(candidates) > limit
        return [room for room in rooms if room.size], page[-1] if more else None

    def _open_refs(self, sdk_app_id: int, after: RoomKey | None) -> Iterator[RoomKey]:
        shards = [shard_pk(sdk_app_id, shard) for shard in range(SHARDS)]
        for shard in shards[shards.index(after.shard) if after else 0 :]:
            keys = {item["pk"]["S"] for item in self._items.open_rooms(shard)}
            passed = after.pk if after and after.shard == shard else ""
            yield from (RoomKey.of(key) for key in sorted(keys) if key > passed)

    def sessions(
        self,
        sdk_app_id: int,
        user_id: str,
        time_range: TimeRange,
        *,
        before: SessionPosition | None,
        limit: int,
        covers: Callable[[Room], bool],
    ) -> tuple[list[Session], SessionPosition | None]:
        """A user's sessions, the newest first.

        Args:
            sdk_app_id: the application.
            user_id: the user.
            time_range: the time in which they began.
            before: the position of the last session of the previous page.
            limit: most sessions.
            covers: whether sessions in a room may be shown.

        Returns:
            the sessions, and the position of the last one, or None at the end.
        """
        first, last = session_sk_range(time_range.first, time_range.last)
        passed = session_sk(*before) if before else "~"
        last = min(last, passed)
        if first > last:
            return [], None
        items = self._items.range(
            user_pk(sdk_app_id, user_id),
            {"S": first},
            {"S": last},
            newest_first=True,
            page=limit + 2,
        )
        sessions = (decode_session(item) for item in items if item["sk"]["S"] != passed)
        covered = list(islice((it for it in sessions if covers(it.ref.room)), limit + 1))
        page = covered[:limit]
        more = len(covered) > limit
        return page, (page[-1].joined, page[-1].ref) if more else None
