"""A user who is to be forgotten: what is its own goes, and elsewhere another name stands for it.

What stays, since it names nobody: hashes of whole sets, and the few characters by which a head
remembers for minutes who came or went.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.roster.codec import (
    head_form,
    head_of,
    members_form,
    members_of,
    transitions_form,
    transitions_of,
)
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.list_codec import names_form, names_of, read, written
from chalicelib.trtc.identifiers import parse_room_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chalicelib.roster.head import Pending
    from chalicelib.roster.members import Member, Transition
    from chalicelib.table.item_keys import Item

PREFIX: Final = "gone-"
_DIGITS: Final = 22  # 128 bits, and a userid all the same.


def is_pseudonym(user: str) -> bool:
    """Whether a userid looks like a forgotten user's; one that somebody chose may, too."""
    return user.startswith(PREFIX) and len(user) == len(PREFIX) + _DIGITS


class Fate(NamedTuple):
    """What becomes of an item.

    Attributes:
        item: as it is to be; None: it is to be deleted.
        present: it tells of a room that the user is in, and names it, so it is as it was.
    """

    item: Item | None
    present: bool = False


class Forgetting:
    """One user of one application, and the name that takes its place.

    Args:
        sdk_app_id: the application.
        user: the userid.
        salt: of the stack; so the same user always gets the same name, and nobody else can tell
            whose it was.
    """

    def __init__(self, sdk_app_id: int, user: str, salt: bytes) -> None:
        named = hmac.digest(salt, f"{sdk_app_id}#{user}".encode(), "sha256")
        self.pseudonym = PREFIX + urlsafe_b64encode(named).decode()[:_DIGITS]
        self._app = str(sdk_app_id)
        self._user = user

    def kept(self, item: Item, holds: Callable[[RoomKey], bool]) -> Fate:
        """What becomes of an item; one that does not name the user stays the very same.

        Neither may a member's name be changed under it, nor its coming in a history that is to tell
        of its leave. So all that others have said of such a room waits.

        Args:
            item: any item of the table.
            holds: whether the user is in a room of its application now; asked only of rooms with an
                item that names it.
        """
        kind, app, *place, last = item["pk"]["S"].split("#")
        if app != self._app:
            return Fate(item)
        if kind in {"P", "U"} and last == self._user:
            return Fate(None)
        if kind == "C":
            return Fate(None if item["sk"]["S"].split("#")[-1] == self._user else item)
        if kind == "R" and item["sk"]["S"] == "HEAD":
            after = self._head(item)
        else:
            after = self._renamed(kind, item)
        if after is not item and kind in {"P", "R"}:
            ref = RoomKey(int(app), parse_room_key(place[0] if place else last))
            if holds(ref):
                return Fate(item, present=True)
        return Fate(after)

    def _renamed(self, kind: str, item: Item) -> Item:
        changed = {name: value for name, value in self._changed(kind, item) if value != item[name]}
        return item | changed if changed else item

    def _changed(self, kind: str, item: Item) -> Iterable[tuple[str, dict[str, Any]]]:
        """The attributes that may name the user, as they are to be."""
        if kind == "P" and "list" in item:
            change = self._difference if "base" in item else self._groups
            yield "list", self._rewritten(item["list"], change)
        if kind == "R" and "transitions" in item:
            yield "transitions", self._rewritten(item["transitions"], self._transitions)
        if kind == "R" and "members" in item:
            yield "members", self._rewritten(item["members"], self._members)
        if kind == "U":
            ends = item.keys() & {"joinedBy", "leftBy"}
            yield from ((name, self._evidence(item[name])) for name in ends)

    def _head(self, item: Item) -> Item:
        """A head is not changed without moving it."""
        head = head_of(json.loads(read(item["state"])))
        after = head._replace(pending=tuple(map(self._pending, head.pending)))
        renamed = self._renamed("R", item)
        if after == head and renamed is item:
            return item
        after = after._replace(revision=head.revision + 1)
        state = {"state": written(head_form(after)), "revision": {"N": str(after.revision)}}
        return renamed | state

    def _rewritten(self, value: dict[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
        form = json.loads(read(value))
        after = change(form)
        return value if after == form else written(after)

    def _name(self, user: str) -> str:
        return self.pseudonym if user == self._user else user

    def _names(self, form: str) -> str:
        users = names_of(form)
        return names_form(map(self._name, users)) if self._user in users else form

    def _groups(self, form: list[Any]) -> list[Any]:
        return [[pattern, self._names(users)] for pattern, users in form]

    def _difference(self, form: list[Any]) -> list[Any]:
        plus, minus, groups = form
        return [self._names(plus), self._names(minus), self._groups(groups)]

    def _transitions(self, form: list[Any]) -> list[Any]:
        return transitions_form(map(self._transition, transitions_of(form)))

    def _transition(self, it: Transition) -> Transition:
        return it._replace(user=self._name(it.user), by=self._name(it.by))

    def _members(self, form: list[Any]) -> list[Any]:
        return members_form({self._name(u): self._member(it) for u, it in members_of(form).items()})

    def _member(self, it: Member) -> Member:
        return it._replace(by=self._name(it.by))

    def _pending(self, group: Pending) -> Pending:
        names = frozenset(map(self._name, group.names))
        return group._replace(names=names, witnesses=tuple(map(self._name, group.witnesses)))

    def _evidence(self, value: dict[str, Any]) -> dict[str, Any]:
        by, *rest = value["L"]
        return {"L": [{"S": self._name(by["S"])}, *rest]}
