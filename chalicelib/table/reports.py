"""Reports as items: the whole list while that is small, else what differs from the roster.

A list of many users would cost a write unit for each KB. But it says nearly what the room's roster
says that is read beside it, so the difference is written: whom the list names and that roster does
not hold, and the other way round. Playurls go by patterns. What such an item says can be read as
long as that version of the roster can, and that is kept longer.

Whole:       list ``[[pattern, "user,user,…"], …]``
Difference:  base <version>,
             list ``["plus,…", "minus,…", [[pattern, "user,user,…"], …, [pattern, "*"]]]``
"""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.roster.signal import LAST_SEQ, Kind, Order, PastReport, Signal, Source
from chalicelib.roster.userlist import ListTooLarge
from chalicelib.roster.view import View
from chalicelib.table.item_keys import Item, ReporterKey, item_bytes, report_key
from chalicelib.table.list_codec import (
    Groups,
    digest_of,
    groups_of,
    names_form,
    names_of,
    pack,
    playurl_of,
    read,
    unpack,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

UNIT_BYTES: Final = 1024
"""DynamoDB bills a write by 1 KB begun: up to here a whole list costs no more than a difference."""

SHORT: Final = 4 * UNIT_BYTES
"""Characters of a list that squeezing may bring down to one unit."""

MOST_ITEM_BYTES: Final = 400 * 1024

_REST: Final = "*"  # No userid.


class Report(NamedTuple):
    """One report: a list, or the word that its reporter left.

    Attributes:
        place: the application, the room and the reporter.
        epoch: when the reporter's token was made, in unix ms; the token says it.
        seq: the reporter's count of its reports under this token.
        received: unix time in ms at which the report came in.
        age: ms that it was old when the client sent it, by the client's own clock.
        source: who vouches for it.
        view: what it says; None: "I left".
        resent: the list answers a ``resend``.
    """

    place: ReporterKey
    epoch: int
    seq: int
    received: int
    age: int
    source: Source
    view: View | None
    resent: bool = False

    @property
    def t(self) -> int:
        """Unix time in ms at which it was true."""
        return self.received - self.age

    @property
    def order(self) -> Order:
        """Its place among its reporter's reports; nothing follows an "I left" under its token."""
        return Order(self.epoch, LAST_SEQ if self.view is None else self.seq)

    @property
    def signal(self) -> Signal:
        """What it says to the fold."""
        common = (self.source, self.place.user_id, self.t, self.received, self.order)
        if self.view is None:
            return Signal(Kind.LEFT, *common)
        listed = self.view.others.keys()
        return Signal(Kind.LIST, *common, self.view.hash, listed, self.resent)


class DeltaBase(NamedTuple):
    """The roster that a list is written beside.

    Attributes:
        version: its version.
        hash: of those in it that are not about to leave.
        leaving: who is about to; None: only known with the members.
        members: reads who is in it, those about to leave among them.
    """

    version: int
    hash: str
    leaving: Collection[str] | None
    members: Callable[[], Collection[str]]


def report_item(report: Report, ttl: int, beside: DeltaBase) -> Item:
    """The item of a report.

    Args:
        report: the report.
        ttl: unix time in seconds after which the item is garbage.
        beside: the roster of its room.

    Raises:
        ListTooLarge: the list does not fit into 400 KB, however it is written.
    """
    item: Item = {
        **report_key(report.place, *report.order),
        "received": {"N": str(report.received)},
        "age": {"N": str(report.age)},
        "source": {"S": report.source},
        "ttl": {"N": str(ttl)},
    }
    if report.view is None:
        return item | {"left": {"BOOL": True}, "seq": {"N": str(report.seq)}}
    if report.resent:
        item["resent"] = {"BOOL": True}
    groups = groups_of(report.view.others)
    packed = pack(groups)
    item["hash"] = {"S": report.view.hash}
    item["members"] = {"N": str(report.view.members)}
    item["digest"] = {"S": digest_of(packed)}
    item |= _smallest(item, _forms(report.view, beside, groups, packed))
    if item_bytes(item) > MOST_ITEM_BYTES:
        raise ListTooLarge("The list's playurls differ too much to be stored; shorten them.")
    return item


def report_of(item: Mapping[str, Mapping[str, Any]], roster: Callable[[int], Any]) -> Report:
    """Read what `report_item` wrote.

    Args:
        item: the item.
        roster: reads the members of the room by a version (an iterable of userids); called only for
            a list that is written as a difference.
    """
    place = ReporterKey.of(item["pk"]["S"])
    _, epoch, seq = item["sk"]["S"].split("#")
    return Report(
        place=place,
        epoch=int(epoch),
        seq=int(item["seq"]["N"] if "seq" in item else seq),
        received=int(item["received"]["N"]),
        age=int(item["age"]["N"]),
        source=Source(item["source"]["S"]),
        view=None if "left" in item else _view(item, place.user_id, roster),
        resent="resent" in item,
    )


def signal_of(item: Mapping[str, Mapping[str, Any]], roster: Callable[[int], Any]) -> Signal:
    """What a stored report says to the fold; the list is read only if the fold looks into it."""
    epoch, seq = map(int, item["sk"]["S"].split("#")[1:])
    received = int(item["received"]["N"])
    common = (
        Source(item["source"]["S"]),
        ReporterKey.of(item["pk"]["S"]).user_id,
        received - int(item["age"]["N"]),
        received,
        Order(epoch, seq),
    )
    if "left" in item:
        return Signal(Kind.LEFT, *common)
    listed = _Listed(item, roster)
    return Signal(Kind.LIST, *common, item["hash"]["S"], listed, "resent" in item)


def said_of(item: Mapping[str, Mapping[str, Any]]) -> PastReport:
    """What a stored report says of its reporter's past, read without any other item."""
    place = ReporterKey.of(item["pk"]["S"])
    epoch, seq = map(int, item["sk"]["S"].split("#")[1:])
    received = int(item["received"]["N"])
    t = received - int(item["age"]["N"])
    if "left" in item:
        return PastReport(Order(epoch, seq), t, received, "", 0)
    members = int(item["members"]["N"])
    said = PastReport(Order(epoch, seq), t, received, item["hash"]["S"], members)
    said = said._replace(asked="resent" in item)
    if "base" not in item:
        return said._replace(plus={place.user_id, *unpack(read(item["list"]))})
    plus, minus, _ = json.loads(read(item["list"]))
    return said._replace(
        base=int(item["base"]["N"]), plus=set(names_of(plus)), minus=set(names_of(minus))
    )


def same_as_stored(report: Report, item: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a report says what a stored one says, playurls and all."""
    if report.view is None or "left" in item:
        return report.view is None and "left" in item
    digest: str = item["digest"]["S"]
    return digest_of(pack(groups_of(report.view.others))) == digest


class _Listed(AbstractSet[str]):
    """Whom a stored list names, its reporter among them; read when it is first looked at."""

    def __init__(self, item: Mapping[str, Mapping[str, Any]], roster: Callable[[int], Any]) -> None:
        self._item, self._roster = item, roster
        self._users: frozenset[str] | None = None

    def _read(self) -> frozenset[str]:
        if self._users is None:
            report = report_of(self._item, self._roster)
            assert report.view is not None
            self._users = frozenset((report.place.user_id, *report.view.others))
        return self._users

    def __contains__(self, user: object) -> bool:
        return user in self._read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def _smallest(item: Item, forms: Iterator[Item]) -> Item:
    """The first form of a list that costs one write unit, or else the smallest."""
    made: list[Item] = []
    for form in forms:
        if item_bytes(item | form) <= UNIT_BYTES:
            return form
        made.append(form)
    return min(made, key=item_bytes)


def _forms(view: View, beside: DeltaBase, groups: Groups, packed: str) -> Iterator[Item]:
    """How a list may be written, whole first, which needs no roster to be read.

    To squeeze a long list takes longer than all the rest, so that comes last.
    """
    if len(packed) <= UNIT_BYTES:
        yield {"list": {"S": packed}}
    if len(packed) <= SHORT:
        yield {"list": written(packed)}
    if beside.version:
        yield _difference(view, beside, groups)
    if len(packed) > SHORT:
        yield {"list": written(packed)}


def _difference(view: View, beside: DeltaBase, groups: Groups) -> Item:
    if view.hash == beside.hash and beside.leaving is not None:
        plus, minus = "", names_form(beside.leaving)
    else:
        stated = view.others.keys() | {view.reporter}
        members = set(beside.members())
        plus, minus = names_form(stated - members), names_form(members - stated)
    (pattern, _), *exceptions = groups
    forms = [[each, ",".join(users)] for each, users in exceptions] + [[pattern, _REST]]
    return {"base": {"N": str(beside.version)}, "list": written([plus, minus, forms])}


def _view(
    item: Mapping[str, Mapping[str, Any]], reporter: str, roster: Callable[[int], Any]
) -> View:
    text = read(item["list"])
    if "base" not in item:
        return View(reporter, unpack(text), item["hash"]["S"])
    plus, minus, forms = json.loads(text)
    users = {*roster(int(item["base"]["N"])), *names_of(plus)}.difference(names_of(minus))
    users.discard(reporter)
    *exceptions, (rest, _) = forms
    playurls = {
        user: playurl_of(pattern, user) for pattern, names in exceptions for user in names_of(names)
    }
    others = {
        user: playurls[user] if user in playurls else playurl_of(rest, user)
        for user in sorted(users)
    }
    return View(reporter, others, item["hash"]["S"])
