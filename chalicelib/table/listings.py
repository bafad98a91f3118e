"""Lists that lead to rooms: the open ones of an application, and those that a user was in."""

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

    from chalicelib.table.history import Window
    from chalicelib.table.sessions import Session
    from chalicelib.trtc.identifiers import Room

Spot: TypeAlias = tuple[int, RoomKey]
"""A session's place among its user's: when it began, in unix ms, and the room."""


class OpenRoom(NamedTuple):
    """A room with members.

    Attributes:
        room: as it is written.
        size: how many they are; some may have left by the passing of time since it was.
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
        """Rooms with members, as they stood a moment ago.

        A room that is open all the while stands on one page exactly: the order is that of the parts
        of the index and of the rooms' keys, which never change; that of the index itself does.

        Args:
            sdk_app_id: the application.
            now: unix ms; rooms that are empty by then are left out.
            after: the last room of the page before.
            limit: most rooms, up to 100; there may be fewer, or none at all, though more follow.
            covers: which rooms may be shown.

        Returns:
            the rooms, and the last one that was looked at; None: there are no more.
        """
        refs = self._open_refs(sdk_app_id, after)
        found = list(islice((ref for ref in refs if covers(ref.room)), limit + 1))
        wanted = found[:limit]
        items = self._items.batch([head_key(ref) for ref in wanted]) if wanted else []
        states = {state.ref: state for state in map(state_of, items)}
        rooms = [states[ref] for ref in wanted if ref in states]
        shown = [OpenRoom(room, settled_size(room.head, now)) for room in rooms]
        return [each for each in shown if each.size], wanted[-1] if len(found) > limit else None

    def _open_refs(self, sdk_app_id: int, after: RoomKey | None) -> Iterator[RoomKey]:
        shards = [shard_pk(sdk_app_id, each) for each in range(SHARDS)]
        for shard in shards[shards.index(after.shard) if after else 0 :]:
            keys = {item["pk"]["S"] for item in self._items.open_rooms(shard)}
            passed = after.pk if after and after.shard == shard else ""
            yield from (RoomKey.of(key) for key in sorted(keys) if key > passed)

    def sessions(
        self,
        sdk_app_id: int,
        user_id: str,
        window: Window,
        *,
        before: Spot | None,
        limit: int,
        covers: Callable[[Room], bool],
    ) -> tuple[list[Session], Spot | None]:
        """A user's sessions, the newest first.

        Args:
            sdk_app_id: the application.
            user_id: whose.
            window: when they began.
            before: the last one of the page before.
            limit: most sessions.
            covers: of which rooms they may be shown.

        Returns:
            the sessions, and the last one if there are more.
        """
        first, last = session_sk_range(window.first, window.last)
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
        found = list(islice((each for each in sessions if covers(each.ref.room)), limit + 1))
        shown = found[:limit]
        more = len(found) > limit
        return shown, (shown[-1].joined, shown[-1].ref) if more else None
