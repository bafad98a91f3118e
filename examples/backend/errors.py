"""What goes wrong, as the backend's clients see it."""

from __future__ import annotations


class Problem(Exception):
    """An answer that is no success: the status, and ``{"code": …, "detail": …}`` as JSON.

    Attributes:
        status: of HTTP.
        code: what a client switches on; Roomgate's own codes are passed on as they came.
        detail: one sentence for a person.
        retry_after: seconds after which another try is welcome, or None.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, retry_after: str | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
