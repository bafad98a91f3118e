"""Items of Tencent's callbacks: each callback is stored once, as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.roster.callback import Callback, parse_callback, signal_of
from chalicelib.table.item_codec import COMPACT_TEXT, NUMBER, ItemCodec
from chalicelib.table.item_keys import Item, RoomKey, callback_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.roster.signal import Signal

_CALLBACK: Final = ItemCodec(received=NUMBER, body=COMPACT_TEXT, ttl=NUMBER)


class StoredCallback(NamedTuple):
    """A callback as it is stored.

    Attributes:
        sdk_app_id: the application that it was sent for.
        received: unix ms at which it first came in.
        callback: its content.
    """

    sdk_app_id: int
    received: int
    callback: Callback

    @property
    def room_signal(self) -> tuple[RoomKey, Signal] | None:
        """The room that it is about and its signal; None: it says nothing about members."""
        signal = signal_of(self.callback, self.received)
        room = self.callback.room
        if signal is None or room is None:
            return None
        return RoomKey(self.sdk_app_id, room), signal


def encode_callback(stored: StoredCallback, ttl: int) -> Item:
    """The item of a callback.

    Args:
        stored: the callback.
        ttl: unix seconds after which DynamoDB may delete it.
    """
    callback = stored.callback
    room = None if callback.room is None else callback.room.key
    key = callback_key(stored.sdk_app_id, room, callback.identity)
    return _CALLBACK.encode(key, received=stored.received, body=callback.raw, ttl=ttl)


def decode_callback(item: Mapping[str, Mapping[str, Any]]) -> StoredCallback:
    """The callback in an item that `encode_callback` made."""
    values = _CALLBACK.decode(item)
    sdk_app_id = int(item["pk"]["S"].split("#")[1])
    return StoredCallback(sdk_app_id, values["received"], parse_callback(values["body"].encode()))
