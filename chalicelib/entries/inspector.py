"""What is wrong with a ticket, for the backend that has to find out."""

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
        ticket: anything; its repr is not shown.
        sdk_app_id: the application that it should be for, whose keys check it.
        user_id: the user that it should be for, or None to take any.
        room: the room that it should be for, or None to take any.
        kind: ``userSig`` or ``privateMapKey`` if the caller knows what it should be.
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
        applications: whose keys check the signatures.
    """

    def __init__(self, applications: Applications) -> None:
        self._applications = applications

    def inspect(self, caller: Caller, request: InspectionRequest, now: int) -> Explanation:
        """What a ticket says, and what is wrong with it in Tencent's codes.

        Args:
            caller: who asks; needs the action ``inspect``.
            request: the ticket, and what it should be.
            now: unix time in seconds.

        Raises:
            ApiError: what the caller may not do, or the application's keys can't be had.
        """
        caller.may("inspect", request.sdk_app_id)
        explanation = self._explain(request, now)
        if _fits_no_known_key(explanation) and self._applications.renew(request.sdk_app_id):
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


def _fits_no_known_key(explanation: Explanation) -> bool:
    """Whether a signature fits none of the keys: there may be a newer one than we know."""
    return any(check.name == "signature" and check.passed is False for check in explanation.checks)
