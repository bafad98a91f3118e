"""Report tokens: what lets a member, and nobody else, report the list of one room.

A JWT (RFC 7519), HS256. It is no media credential. The issuer makes it here, with hmac, since
importing PyJWT would cost
its cold start; webhook checks it with PyJWT (report_grants).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.schema import (
    Array,
    Collection,
    Field,
    Integer,
    Nullable,
    Record,
    Text,
    Type,
    fault,
)
from chalicelib.stores.cache import RefreshingCache
from chalicelib.stores.store import StoreDown, StoreError
from chalicelib.stores.stored import BadStoredValue, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chalicelib.stores.names import Names
    from chalicelib.stores.store import Store
    from chalicelib.trtc import Room

AUDIENCE: Final = "roomgate/reports"

_encode = json.JSONEncoder(separators=(",", ":")).encode


class TokenKey:
    """A key of report tokens; its repr does not show the key.

    Attributes:
        kid: its name in the token's header.
        not_after: unix time in seconds from which its tokens are refused, or None.
    """

    __slots__ = ("_key", "_signer", "header", "kid", "not_after")

    def __init__(self, kid: str, key: bytes, not_after: int | None) -> None:
        self.kid = kid
        self.not_after = not_after
        self._key = key
        self._signer = hmac.new(key, digestmod=hashlib.sha256)
        self.header = _encoded({"alg": "HS256", "typ": "JWT", "kid": kid})

    def __repr__(self) -> str:
        return f"TokenKey(kid={self.kid!r}, not_after={self.not_after!r})"

    @property
    def key(self) -> bytes:
        """The raw key, for the library that checks."""
        return self._key

    def mac(self, signed: bytes) -> bytes:
        """HMAC-SHA256 of what is signed."""
        signer = self._signer.copy()
        signer.update(signed)
        return signer.digest()


class TokenKeyList(NamedTuple):
    """The value of the secret ``<stack>/report-token``: the newest key first."""

    keys: tuple[TokenKey, ...]


class ReportTokenKeys:
    """The keys of report tokens, newest first; read on first use and kept fresh."""

    def __init__(
        self,
        store: Store,
        names: Names,
        on_failure: Callable[[StoreError], None] = lambda _error: None,
    ) -> None:
        self._store = store
        self._name = names.report_token
        self._on_failure = on_failure
        self._keys = RefreshingCache(self._load, on_failure=on_failure)

    def get(self) -> tuple[TokenKey, ...]:
        """The keys, newest first; raises StoreError."""
        return self._keys.get(self._name)

    def renew(self) -> bool:
        """Have the next get read them anew, at most every cache.RENEW_SECONDS; whether it will."""
        return self._keys.renew(self._name)

    def preload(self) -> None:
        """Read them now, so that INIT pays; a failure is told, and left to the first call."""
        try:
            self.get()
        except StoreError as error:
            self._on_failure(error)

    def loaded(self) -> bool:
        """Whether they are in memory; asks no store."""
        return self._keys.loaded(self._name)

    def _load(self, name: str) -> tuple[TokenKey, ...]:
        value = self._store.secret(name).value
        try:
            return parse_keys(value)
        except BadStoredValue as error:
            raise StoreDown(name, str(error)) from None


class Claims(NamedTuple):
    """What a report token says.

    Attributes:
        sdk_app_id: the application.
        user_id: the member who may report.
        room: the room it may report.
        epoch: unix time in ms at which it was issued; orders a member's tokens. seq starts anew
            with each.
        ends: unix time in seconds; that of the privateMapKey.
        role: ``anchor`` or ``audience``, by the entry's privileges.
        scene: ``videocall`` or ``live``, as the entry says.
    """

    sdk_app_id: int
    user_id: str
    room: Room
    epoch: int
    ends: int
    role: str = "anchor"
    scene: str = "videocall"


class _Key(Type[bytes]):
    """A key of at least 32 bytes (RFC 7518 section 3.2), as base64url without padding."""

    def decode(self, value: Any) -> bytes:
        """Its bytes."""
        if type(value) is not str or not _BASE64URL(value):
            raise fault("must be base64url without padding")
        key = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        if len(key) < hashlib.sha256().digest_size:
            raise fault("must have at least 32 bytes")
        return key

    def encode(self, value: bytes) -> str:
        """Its text."""
        return _base64url(value).decode()


_BASE64URL = re.compile("(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?").fullmatch
_STORED: Stored[TokenKeyList] = Stored(
    "a list of report-token keys",
    Record(
        TokenKeyList,
        Field(
            "keys",
            Collection(
                Array(
                    Record(
                        TokenKey,
                        Field("kid", Text(64, least=1), "kid"),
                        Field("key", _Key(), "key"),
                        Field("notAfter", Nullable(Integer(0, 2**53 - 1)), "not_after"),
                    ),
                    100,
                    least=1,
                ),
                tuple,
            ),
            "keys",
        ),
    ),
    secret=True,
)


def parse_keys(text: str) -> tuple[TokenKey, ...]:
    """Read the secret's value, ``{"keys": [{"kid", "key": base64url, "notAfter"}]}``.

    Raises:
        BadStoredValue: it is not that, holds no key, or one of under 32 bytes.
    """
    return _STORED.read(text).keys


def write_keys(keys: Iterable[TokenKey]) -> str:
    """The secret's value of some keys, the newest first."""
    return _STORED.write(TokenKeyList(tuple(keys)))


def mint(key: TokenKey, claims: Claims) -> str:
    """Make a report token.

    Args:
        key: the newest key.
        claims: whose token it is, for which room, until when.
    """
    payload = {
        "aud": AUDIENCE,
        "app": claims.sdk_app_id,
        "sub": claims.user_id,
        "room": claims.room.key,
        "epoch": claims.epoch,
        "exp": claims.ends,
        "role": claims.role,
        "scene": claims.scene,
    }
    signed = key.header + b"." + _encoded(payload)
    return (signed + b"." + _base64url(key.mac(signed))).decode()


def _encoded(part: dict[str, Any]) -> bytes:
    return _base64url(_encode(part).encode())


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
