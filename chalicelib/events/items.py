"""The items of the event table, as DynamoDB's low-level API writes them.

    report   P#<app>#<room key>#<user>   E#<epoch>#<seq>   one report of one member
    newest   R#<app>#<room key>          V#<user>          which report of that member is its newest

All numbers in keys are decimal and padded, so that they sort as numbers do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.events.packing import pack, squeeze, unpack, unsqueeze
from chalicelib.rooms.identifiers import Room, parse_room_key, room_key
from chalicelib.roster.parse import ListTooLarge
from chalicelib.roster.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping

Item = dict[str, dict[str, Any]]

WHOLE_ITEM_BYTES: Final = 1024
"""DynamoDB bills a write by 1 KB begun: up to here compression gains nothing."""

MOST_ITEM_BYTES: Final = 400 * 1024

_WHOLE_LIST, _SQUEEZED_LIST = "S", "B"


class Place(NamedTuple):
    """Whose reports, and where: one member of one room of one application."""

    sdk_app_id: int
    room: Room
    user_id: str


class Report(NamedTuple):
    """One stored report.

    Attributes:
        place: the application, the room and the reporter.
        epoch: when the reporter's token was made, in unix ms; the token says it.
        seq: the reporter's count of its reports under this token.
        received: unix time in ms at which the report came in.
        age: ms that the list was old when the client sent it, by the client's own clock.
        source: who vouches for it: ``client``.
        view: what it says.
    """

    place: Place
    epoch: int
    seq: int
    received: int
    age: int
    source: str
    view: View

    @property
    def t(self) -> int:
        """Unix time in ms at which the list was true."""
        return self.received - self.age


def report_item(report: Report, ttl: int) -> Item:
    """The item of a report, its list whole while the item stays within 1 KB, else compressed.

    There is no delta yet: each report holds its whole list.

    Args:
        report: the report.
        ttl: unix time in seconds after which the item is garbage.

    Raises:
        ListTooLarge: the list does not fit into 400 KB, even compressed.
    """
    text = pack(report.view.others)
    item: Item = {
        **report_key(report.place, report.epoch, report.seq),
        "hash": {"S": report.view.hash},
        "members": {"N": str(report.view.members)},
        "received": {"N": str(report.received)},
        "age": {"N": str(report.age)},
        "source": {"S": report.source},
        "ttl": {"N": str(ttl)},
        "list": {_WHOLE_LIST: text},
    }
    if item_bytes(item) > WHOLE_ITEM_BYTES:
        item["list"] = {_SQUEEZED_LIST: squeeze(text)}
    if item_bytes(item) > MOST_ITEM_BYTES:
        raise ListTooLarge("The list's playurls differ too much to be stored; shorten them.")
    return item


def report_of(item: Mapping[str, Mapping[str, Any]]) -> Report:
    """Read what `report_item` wrote."""
    _, sdk_app_id, key, user = item["pk"]["S"].split("#")
    _, epoch, seq = item["sk"]["S"].split("#")
    stored = item["list"]
    text = stored[_WHOLE_LIST] if _WHOLE_LIST in stored else unsqueeze(stored[_SQUEEZED_LIST])
    return Report(
        place=Place(int(sdk_app_id), parse_room_key(key), user),
        epoch=int(epoch),
        seq=int(seq),
        received=int(item["received"]["N"]),
        age=int(item["age"]["N"]),
        source=item["source"]["S"],
        view=View(user, unpack(text), item["hash"]["S"]),
    )


def report_key(place: Place, epoch: int, seq: int) -> Item:
    """The key of a report."""
    return {"pk": {"S": report_pk(place)}, "sk": {"S": f"E#{epoch:013}#{seq:010}"}}


def report_pk(place: Place) -> str:
    """The partition that holds one member's reports of one room."""
    return f"P#{place.sdk_app_id}#{room_key(place.room)}#{place.user_id}"


def newest_key(place: Place) -> Item:
    """The key of the item that points to a member's newest report."""
    return {
        "pk": {"S": room_pk(place.sdk_app_id, place.room)},
        "sk": {"S": newest_sk(place.user_id)},
    }


def room_pk(sdk_app_id: int, room: Room) -> str:
    """The partition of one room."""
    return f"R#{sdk_app_id}#{room_key(room)}"


def newest_sk(user_id: str) -> str:
    """The place of a member in its room's partition."""
    return f"V#{user_id}"


def item_bytes(item: Item) -> int:
    """An item's size as DynamoDB counts it: names and values, a number as (digits / 2) + 1."""
    return sum(len(name) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "N":
        return (len(content) + 1) // 2 + 1
    return len(content.encode() if kind == "S" else content)
