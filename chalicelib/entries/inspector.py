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

    def inspect(self, caller: Caller, wanted: InspectionRequest, now: int) -> dict[str, Any]:
        """The ticket's fields, a verdict in Tencent's codes, and all that was looked at.

        Args:
            caller: who asks; needs the action ``inspect``.
            wanted: the ticket, and what it should be.
            now: unix time in seconds.

        Raises:
            Refusal: what the caller may not do, or the application's keys can't be had.
        """
        caller.may("inspect", wanted.sdk_app_id)
        found = self._explain(wanted, now)
        if _of_no_known_key(found) and self._applications.renew(wanted.sdk_app_id):
            found = self._explain(wanted, now)
        return {
            "kind": found.kind,
            "fields": found.fields,
            "verdict": {"code": found.code, "name": found.name, "cause": found.cause},
            "keyId": found.key_id,
            "checks": [check._asdict() for check in found.checks],
        }

    def keys(self, caller: Caller, sdk_app_id: int) -> dict[str, Any]:
        """The keys there are: id, state, since when, algorithm, public part; raises Refusal."""
        caller.may("inspect", sdk_app_id, in_path=True)
        application_of(self._applications, sdk_app_id)
        try:
            stated = self._applications.stated_keys(sdk_app_id)
        except StoreDown as error:
            raise refuse_store_down(error) from None
        return {"sdkAppId": sdk_app_id, "keys": [_key(each) for each in stated]}

    def _explain(self, wanted: InspectionRequest, now: int) -> Explanation:
        application_of(self._applications, wanted.sdk_app_id)
        try:
            keys = self._applications.verifying_keys(wanted.sdk_app_id)
        except StoreDown as error:
            raise refuse_store_down(error) from None
        return explain(wanted.ticket, keys, now=now, **_expected(wanted))


def _expected(wanted: InspectionRequest) -> dict[str, Any]:
    expected = wanted._asdict()
    del expected["ticket"]
    return expected


def _of_no_known_key(found: Explanation) -> bool:
    """Whether a signature fits none of the keys: there may be a newer one than we know."""
    return any(check.name == "signature" and check.passed is False for check in found.checks)


def _key(stated: StatedKey) -> dict[str, Any]:
    key = stated.key
    shown: dict[str, Any] = {
        "keyId": key.key_id,
        "state": stated.state,
        "algorithm": key.algorithm,
    }
    if stated.since is not None:
        shown["since"] = stated.since
    public_pem = getattr(key, "public_pem", None)
    return {**shown, "publicKey": public_pem} if public_pem else shown
