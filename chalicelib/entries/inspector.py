"""Inspections: a ticket's fields and faults, and an application's public keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.entries.applications import application_of, refuse_store_down
from chalicelib.stores.store import StoreDown
from chalicelib.tickets import explain

if TYPE_CHECKING:
    from chalicelib.auth.caller import Caller
    from chalicelib.keys.applications import Applications, StatedKey
    from chalicelib.tickets import Explanation
    from chalicelib.trtc import Room


class InspectionRequest(NamedTuple):
    """Ask about a ticket.

    Attributes:
        ticket: any text; the repr does not show it.
        sdk_app_id: the application that the ticket should be for; its keys check the signature.
        user_id: the user that the ticket should be for; None accepts any.
        room: the room that the ticket should be for; None accepts any.
        kind: ``userSig`` or ``privateMapKey``; None accepts both.
    """

    ticket: str
    sdk_app_id: int
    user_id: str | None = None
    room: Room | None = None
    kind: str | None = None

    def __repr__(self) -> str:
        return f"InspectionRequest(…, {self.sdk_app_id}, {self.user_id!r}, {self.room!r})"


class Inspector:
    """Explains tickets and shows public keys.

    Args:
        applications: settings and keys; the keys check the signatures.
    """

    def __init__(self, applications: Applications) -> None:
        self._applications = applications

    def inspect(self, caller: Caller, request: InspectionRequest, now: int) -> Explanation:
        """What a ticket says, and a verdict in Tencent's codes.

        Args:
            caller: who asks; needs the action ``inspect``.
            request: the ticket, and what it should be for.
            now: unix time in seconds.

        Raises:
            ApiError: the caller lacks a right, or the application's keys can't be read.
        """
        caller.may("inspect", request.sdk_app_id)
        explanation = self._explain(request, now)
        if _fits_no_cached_key(explanation) and self._applications.renew(request.sdk_app_id):
            explanation = self._explain(request, now)
        return explanation

    def keys(self, caller: Caller, sdk_app_id: int) -> list[StatedKey]:
        """An application's keys, and the state of each; raises ApiError."""
        caller.may("inspect", sdk_app_id, in_path=True)
        application_of(self._applications, sdk_app_id)
        try:
            return self._applications.stated_keys(sdk_app_id)
        except StoreDown as error:
            raise refuse_store_down(error) from None

    def _explain(self, request: InspectionRequest, now: int) -> Explanation:
        application_of(self._applications, request.sdk_app_id)
        try:
            keys = self._applications.verifying_keys(request.sdk_app_id)
        except StoreDown as error:
            raise refuse_store_down(error) from None
        return explain(request.ticket, keys, now=now, **_expected(request))


def _expected(request: InspectionRequest) -> dict[str, Any]:
    expected = request._asdict()
    del expected["ticket"]
    return expected


def _fits_no_cached_key(explanation: Explanation) -> bool:
    """Whether the signature fits no cached key; a newer key may have signed."""
    return any(check.name == "signature" and check.passed is False for check in explanation.checks)
