"""Forgets a user: deletes its own items, and replaces its name in others' items by a pseudonym.

What names nobody stays: hashes of sets, and the few characters by which a head remembers for
minutes who came or went.
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
_DIGITS: Final = 22  # 128 bits; the pseudonym is a valid userid.


def is_pseudonym(user: str) -> bool:
    """Whether a userid looks like a pseudonym; a chosen userid may, too."""
    return user.startswith(PREFIX) and len(user) == len(PREFIX) + _DIGITS


class Replacement(NamedTuple):
    """What takes the place of an item.

    Attributes:
        item: the new item, or the very same one; None: it is to be deleted.
        present: the item names the user and belongs to a room that the user is in, so it is left.
    """

    item: Item | None
    present: bool = False


class Forgetting:
    """Forgets one user of one application.

    Args:
        sdk_app_id: the application.
        user: the userid.
        salt: of the stack; a user always gets the same pseudonym, and only the salt links the two.

    Attributes:
        pseudonym: the userid that takes the user's place.
    """

    def __init__(self, sdk_app_id: int, user: str, salt: bytes) -> None:
        digest = hmac.digest(salt, f"{sdk_app_id}#{user}".encode(), "sha256")
        self.pseudonym = PREFIX + urlsafe_b64encode(digest).decode()[:_DIGITS]
        self._app = str(sdk_app_id)
        self._user = user

    def replacement(self, item: Item, holds: Callable[[RoomKey], bool]) -> Replacement:
        """What takes the place of an item; one that does not name the user stays the very same.

        While the user is in a room, its name must not change there: its later leave could not be
        matched to its join. Items of such rooms are left for a later run.

        Args:
            item: any item of the table.
            holds: whether the user is in a room of its application now; called only for rooms with
                an item that names the user.
        """
        kind, app, *place, last = item["pk"]["S"].split("#")
        if app != self._app:
            return Replacement(item)
        if kind in {"P", "U"} and last == self._user:
            return Replacement(None)
        if kind == "C":
            return Replacement(None if item["sk"]["S"].split("#")[-1] == self._user else item)
        if kind == "R" and item["sk"]["S"] == "HEAD":
            after = self._head(item)
        else:
            after = self._renamed(kind, item)
        if after is not item and kind in {"P", "R"}:
            ref = RoomKey(int(app), parse_room_key(place[0] if place else last))
            if holds(ref):
                return Replacement(item, present=True)
        return Replacement(after)

    def _renamed(self, kind: str, item: Item) -> Item:
        changed = {name: value for name, value in self._changed(kind, item) if value != item[name]}
        return item | changed if changed else item

    def _changed(self, kind: str, item: Item) -> Iterable[tuple[str, dict[str, Any]]]:
        """The attributes that may name the user, with their new values."""
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
        """The replacement of a head; a changed head gets the next revision."""
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
