"""What is stored as JSON text: one declaration writes it and reads it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Generic, TypeVar

from chalicelib.json_text import parse_json
from chalicelib.schema import UNKNOWN_MEMBER, DecodeErrors

if TYPE_CHECKING:
    from chalicelib.errors import FieldError
    from chalicelib.schema import Type

T = TypeVar("T")


class BadStoredValue(ValueError):
    """A stored text that is not as Roomgate writes it.

    Its text names the place and the rule, and nothing of what is stored.
    """


class Stored(Generic[T]):
    """A kind of stored text.

    Args:
        what: it is, for errors: ``a caller``.
        type_: declares it.
        secret: its text is in Secrets Manager, so not even the name of an unknown member is told.
    """

    def __init__(self, what: str, type_: Type[T], *, secret: bool) -> None:
        self._what, self._type, self._secret = what, type_, secret

    def write(self, value: T) -> str:
        """The text that is stored."""
        return json.dumps(self._type.encode(value))

    def read(self, text: str) -> T:
        """The value of a stored text.

        Raises:
            BadStoredValue: it is not as `write` writes it.
        """
        try:
            return self._type.decode(parse_json(text))
        except DecodeErrors as errors:
            details = "; ".join(map(self._shown, errors.errors))
            raise BadStoredValue(f"not {self._what}: {details}") from None
        except (ValueError, RecursionError):
            raise BadStoredValue(f"not {self._what}: not JSON") from None

    def _shown(self, wrong: FieldError) -> str:
        if self._secret and wrong.detail == UNKNOWN_MEMBER:
            return "a member is not one that Roomgate knows"
        return f"{wrong.place} {wrong.detail}".strip()
