"""A caller: a backend with an API key, and what it may do.

An API key is ``rg_<caller id>_<random>``; only its SHA-256 is stored. Its 32 random bytes need no
slow hash.
"""

from __future__ import annotations

import hashlib
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.errors import ApiError, FieldError
from chalicelib.schema import (
    Array,
    Collection,
    Field,
    Integer,
    Nullable,
    Number,
    OneOf,
    Record,
    Text,
)
from chalicelib.stores.stored import Stored
from chalicelib.trtc.identifiers import SDK_APP_ID_MAX

if TYPE_CHECKING:
    from chalicelib.trtc import Room

ACTIONS: Final = {
    "issue": "tickets, entries and room URLs",
    "inspect": "inspections and public keys",
    "read": "rosters and their history",
}
CALLER_ID_PATTERN: Final = r"[a-z0-9][a-z0-9-]{0,31}"
API_KEY = re.compile(rf"rg_({CALLER_ID_PATTERN})_[A-Za-z0-9_-]{{43}}")
LEAST_RATE: Final = 0.001
MOST_RATE: Final = 1e9
"""Requests a second that a caller may be allowed."""
MOST_KEYS: Final = 2  # The old one and the new one, while a backend changes over.


class Caller(NamedTuple):
    """The SSM parameter ``/<stack>/callers/<id>``.

    Attributes:
        id: names the caller in keys and logs.
        hashes: SHA-256 (hex) of each valid API key, at most two; none of a caller that is revoked.
        applications: sdkAppIds, or empty for every application of the stack.
        actions: keys of ACTIONS.
        most_ttl: longest ttl it may ask for, in seconds, or None for the application's own bound.
        users: shell-style pattern (``*``, ``?``) of the userids it may name.
        rooms: such a pattern of the rooms: a numeric room is its digits, a string room ``s:`` and
            its name, since 123 and "123" are different rooms.
        ends: unix time in seconds at which its keys stop, or None; of a caller that is revoked,
            when that was done.
        rate: requests a second that one warm environment serves it, on average.
        burst: requests that may come at once.
    """

    id: str
    hashes: tuple[str, ...]
    applications: frozenset[int] = frozenset()
    actions: frozenset[str] = frozenset({"issue"})
    most_ttl: int | None = None
    users: str = "*"
    rooms: str = "*"
    ends: int | None = None
    rate: float = 50.0
    burst: int = 100

    def to_json(self) -> str:
        """The parameter's value."""
        return _STORED.write(self)

    @classmethod
    def from_json(cls, text: str) -> Caller:
        """Read the parameter's value.

        Raises:
            BadStoredValue: it is not what to_json writes.
        """
        return _STORED.read(text)

    def revoked(self, now: int) -> Caller:
        """What is stored of it once it is revoked, at ``now`` (unix time in seconds).

        It is not deleted: the extension's answer to a parameter that is gone could as well be that
        of a throttled service (stores.store.PerhapsNotInStore), which takes nobody's rights away.
        """
        return self._replace(hashes=(), ends=now)

    @property
    def is_revoked(self) -> bool:
        """Whether all its API keys were taken away."""
        return not self.hashes

    def facts(self) -> dict[str, str]:
        """What a log line says of the caller."""
        return {"caller": self.id}

    def may(
        self,
        action: str,
        sdk_app_id: int,
        *,
        user_id: str | None = None,
        room: Room | None = None,
        in_path: bool = False,
        user_in: str = "user",
    ) -> None:
        """Check what the caller asks for against what it may do.

        Args:
            action: a key of ACTIONS.
            sdk_app_id: the application it names.
            user_id: the user it names, if any.
            room: the room it names, if any.
            in_path: whether they stand in the path (``app``, ``user``, ``room``) and not in the
                body.
            user_in: the parameter that names the user, if not the one of the path.

        Raises:
            ApiError: ``action-``, ``application-``, ``user-`` or ``room-not-allowed``.
        """
        if action not in self.actions:
            detail = f"This caller lacks the action {action!r}."
            raise ApiError("action-not-allowed", detail)
        if self.applications and sdk_app_id not in self.applications:
            place = "app" if in_path else "#/sdkAppId"
            raise _not_allowed("application", place, f"application {sdk_app_id}")
        if user_id is not None and self.users != "*" and not fnmatchcase(user_id, self.users):
            place = user_in if in_path else "#/userId"
            raise _not_allowed("user", place, f"users but those like {self.users!r}")
        if room is not None and not self.covers(room):
            place = "room" if in_path else f"#/{room.field}"
            raise _not_allowed("room", place, f"rooms but those like {self.rooms!r}")

    def covers(self, room: Room) -> bool:
        """Whether a room is among those that the caller may use."""
        return self.rooms == "*" or fnmatchcase(room.pattern_name, self.rooms)

    def may_last(self, ttl: int, member: str) -> None:
        """Check a ttl (seconds) that a member asks for; raises ApiError ``ttl-not-allowed``."""
        if self.most_ttl is not None and ttl > self.most_ttl:
            raise _not_allowed("ttl", f"#/{member}", f"a ttl over {self.most_ttl} seconds")


def _not_allowed(what: str, place: str, detail: str) -> ApiError:
    detail = f"This caller may not use {detail}."
    return ApiError(f"{what}-not-allowed", detail, errors=(FieldError(place, detail),))


def hash_of(api_key: str) -> str:
    """The SHA-256 (hex) that is stored of an API key."""
    return hashlib.sha256(api_key.encode()).hexdigest()


_PATTERN = Text(256, least=1)
_STORED = Stored(
    "a caller",
    Record(
        Caller,
        Field("id", Text(32, least=1, pattern=CALLER_ID_PATTERN), "id"),
        Field(
            "hashes",
            Collection(Array(Text(64, least=64, pattern="[0-9a-f]*"), MOST_KEYS), tuple),
            "hashes",
        ),
        Field(
            "applications",
            Collection(Array(Integer(1, SDK_APP_ID_MAX), 1000, unique=True), frozenset, sorted),
            "applications",
        ),
        Field(
            "actions",
            Collection(
                Array(OneOf({action: action for action in ACTIONS}), len(ACTIONS), unique=True),
                frozenset,
                sorted,
            ),
            "actions",
        ),
        Field("most_ttl", Nullable(Integer(1, 2**31 - 1)), "most_ttl"),
        Field("users", _PATTERN, "users"),
        Field("rooms", _PATTERN, "rooms"),
        Field("ends", Nullable(Integer(0, 2**53 - 1)), "ends"),
        Field("rate", Number(LEAST_RATE, MOST_RATE), "rate"),
        Field("burst", Integer(1, int(MOST_RATE)), "burst"),
    ),
    secret=False,
)
