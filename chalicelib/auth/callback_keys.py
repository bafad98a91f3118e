"""The keys with which Tencent signs the callbacks of an application.

Tencent knows one key an application, which a person puts into its console: at most 32 letters and
digits. Two are valid here at once, while the console's changes.
"""

from __future__ import annotations

import re
import secrets
import string
from typing import Final, NamedTuple

from chalicelib.schema import Array, Collection, Field, Record, Text
from chalicelib.stores.stored import Stored

KEY_PATTERN: Final = "[A-Za-z0-9]{1,32}"
KEY_CHARACTERS: Final = 32
MOST_KEYS: Final = 2

_KEY: Final = re.compile(KEY_PATTERN)
_ALPHABET: Final = string.ascii_letters + string.digits


class CallbackKeys(NamedTuple):
    """The value of the secret ``<stack>/callback/<sdkAppId>``; its repr does not show the keys.

    Attributes:
        keys: with which Tencent may sign, newest first; one or two.
    """

    keys: tuple[str, ...]

    def __repr__(self) -> str:
        return f"CallbackKeys(<{len(self.keys)} keys>)"

    def to_json(self) -> str:
        """The secret's value."""
        return _STORED.write(self)

    @classmethod
    def from_json(cls, text: str) -> CallbackKeys:
        """Read the secret's value.

        Raises:
            BadStoredValue: it is not what to_json writes; the text of the error holds none of it.
        """
        return _STORED.read(text)

    def rotated(self, key: str) -> CallbackKeys:
        """With a new key first and the last one second."""
        return CallbackKeys((key, *self.keys[: MOST_KEYS - 1]))

    def without_older(self) -> CallbackKeys:
        """With the newest key only."""
        return CallbackKeys(self.keys[:1])


def new_key() -> str:
    """A new key, as long as Tencent takes one: about 190 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(KEY_CHARACTERS))


def is_key(text: str) -> bool:
    """Whether Tencent's console would take it."""
    return _KEY.fullmatch(text) is not None


_STORED = Stored(
    "callback keys",
    Record(
        CallbackKeys,
        Field(
            "keys",
            Collection(
                Array(Text(KEY_CHARACTERS, pattern=KEY_PATTERN), MOST_KEYS, least=1, unique=True),
                tuple,
            ),
            "keys",
        ),
    ),
    secret=True,
)
