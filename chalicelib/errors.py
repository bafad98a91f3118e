"""Errors that are told to whoever called the API.

    ApiError             the base of them all
    └── InvalidRequest   members of the request are wrong, each named by its place

The text goes to the caller unchanged. It never holds a key, a ticket, a token or an internal name.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class FieldError(NamedTuple):
    """One wrong member of a request: where it stands, and what is wrong with it.

    ``place`` is a JSON Pointer as a URI fragment (``#/userId``, RFC 6901 section 6) for a member of
    the body, and the name of the parameter for a path, query or header parameter.
    """

    place: str
    detail: str


class ApiError(Exception):
    """A refusal, with a stable code.

    Attributes:
        code: a key of ``api.problems.PROBLEMS``, which gives the HTTP status and title.
        detail: a sentence for the caller: what is wrong, and what to do.
        errors: the wrong members, if members are to blame.
        retry_after: seconds after which another try makes sense, or None.
        facts: further fields of the log line; never a ticket, key or token.
        tencent_code: the code with which Tencent refused, or None.
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
    """A request that does not fit its declaration; ``errors`` names the wrong members."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        places = ", ".join(error.place for error in errors)
        super().__init__("invalid-request", f"Not as the API asks: {places}.", errors=errors)
