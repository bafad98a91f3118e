"""Tencent's callbacks as items: each is kept as it came, whatever it is about, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.roster.callback import Callback, parse_callback, signal_of
from chalicelib.table.item_keys import Item, RoomKey, callback_key
from chalicelib.table.list_codec import read, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.roster.signal import Signal


class StoredCallback(NamedTuple):
    """A callback as it is stored.

    Attributes:
        sdk_app_id: the application that it came for.
        received: unix ms at which it came in first.
        callback: what it says.
    """

    sdk_app_id: int
    received: int
    callback: Callback

    @property
    def heard(self) -> tuple[RoomKey, Signal] | None:
        """What it says to the fold, and of which room; None: nothing."""
        signal = signal_of(self.callback, self.received)
        room = self.callback.room
        if signal is None or room is None:
            return None
        return RoomKey(self.sdk_app_id, room), signal


def callback_item(stored: StoredCallback, ttl: int) -> Item:
    """The item of a callback.

    Args:
        stored: the callback.
        ttl: unix seconds after which it is garbage.
    """
    callback = stored.callback
    room = None if callback.room is None else callback.room.key
    return {
        **callback_key(stored.sdk_app_id, room, callback.identity),
        "received": {"N": str(stored.received)},
        "body": written(callback.raw),
        "ttl": {"N": str(ttl)},
    }


def callback_of(item: Mapping[str, Mapping[str, Any]]) -> StoredCallback:
    """Read what `callback_item` wrote."""
    sdk_app_id = int(item["pk"]["S"].split("#")[1])
    return StoredCallback(
        sdk_app_id, int(item["received"]["N"]), parse_callback(read(item["body"]).encode())
    )
