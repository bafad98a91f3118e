"""What a caller may be told when Roomgate says no.

    ApiError            the base of every refusal; a room that refuses derives its own
    └── InvalidRequest        a request whose members are wrong, each named by its place

A refusal's text goes to the caller as it is, so it never holds a key, a ticket, a token or an
internal name.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class FieldError(NamedTuple):
    """One wrong member of a request: where it stands, and what is wrong with it.

    ``place`` is a JSON Pointer as a URI fragment (``#/userId``, RFC 6901 section 6) for a member of
    the body, else
    the name of the path, query or header parameter.
    """

    place: str
    detail: str


class ApiError(Exception):
    """A no, with a stable code.

    Attributes:
        code: a key of ``http.problems.PROBLEMS``, which gives the HTTP status and title.
        detail: a sentence for the caller: what is wrong, and what to do.
        errors: the wrong members, where members are to blame.
        retry_after: seconds after which trying again makes sense, or None.
        facts: what the log line is to say of it besides; never a ticket, key or token.
        tencent_code: the code with which Tencent refused, where it did.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after: int | None = None,
        facts: Mapping[str, object] = MappingProxyType({}),
        tencent_code: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after = retry_after
        self.facts = facts
        self.tencent_code = tencent_code


class InvalidRequest(ApiError):
    """A request that breaks its schema; ``errors`` names every wrong member."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        places = ", ".join(error.place for error in errors)
        super().__init__("invalid-request", f"Not as the API asks: {places}.", errors=errors)
