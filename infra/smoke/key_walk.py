"""The walk on keys: a candidate is imported and rotated to, and the rotation is taken back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import requests

from infra.layout import InfraError
from infra.smoke.show import say, step
from infra.smoke.tenant import new_key

if TYPE_CHECKING:
    from infra.smoke.tenant import Operator, Tenant

_SECONDS: Final = 30.0
_LOOK_EVERY: Final = 0.1  # seconds


class KeyWalk:
    """The steps.

    Args:
        issuer: its base URL.
        tenant: who calls.
        operator: the command line.
    """

    def __init__(self, issuer: str, tenant: Tenant, operator: Operator) -> None:
        self._issuer = issuer
        self._tenant = tenant
        self._operator = operator

    def walk(self) -> None:
        """Walk all of it; raises InfraError where a step fails."""
        app = str(self._tenant.sdk_app_id)
        step("A new key: the operator imports it as a candidate, and tickets go on as before")
        old, ticket = self._ticket()
        say(f"   a ticket, signed with {old}")
        # One that waits from a walk that was broken off is replaced.
        imported = self._operator.run("keys", "import", app, "-", "--replace", given=new_key())
        new = imported["keyId"]
        say(f"   {imported['keyId']} is the {imported['state']}")
        self._await(old)

        step("The rotation: Secrets Manager has the candidate tried, and makes it current")
        self._show(self._operator.run("keys", "rotate", app))
        self._await(new)
        self._check(ticket, old, "the ticket from before")

        step("The rollback: the key from before signs again, at once")
        self._show(self._operator.run("keys", "rollback", app))
        _, ticket = self._await(old)
        self._check(ticket, old, "the newest ticket")

    def _ticket(self) -> tuple[str, str]:
        """The key that signs a new ticket, and the ticket."""
        asked = {"sdkAppId": self._tenant.sdk_app_id, "userId": "carol"}
        answer = self._post("/v1/user-sigs", asked)
        return answer["keyId"], answer["userSig"]

    def _await(self, key_id: str) -> tuple[str, str]:
        """Ask for tickets until one is signed with a key; the issuer follows within its refresh."""
        started = time.monotonic()
        while time.monotonic() - started < _SECONDS:
            signed, ticket = self._ticket()
            if signed == key_id:
                after = time.monotonic() - started
                say(f"   a ticket, signed with {key_id} (asked for {after:.1f} s)")
                return signed, ticket
            time.sleep(_LOOK_EVERY)
        raise InfraError(f"After {_SECONDS:.0f} s tickets are still signed with {signed}.")

    def _check(self, ticket: str, key_id: str, what: str) -> None:
        asked = {"sdkAppId": self._tenant.sdk_app_id, "ticket": ticket}
        found = self._post("/v1/inspections", asked)
        if found["verdict"]["code"] != 0 or found["keyId"] != key_id:
            raise InfraError(f"{what} does not verify with {key_id}: {found['verdict']}")
        say(f"   {what} verifies with {key_id}")

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self._tenant.api_key}"}
        answer = requests.post(self._issuer + path, headers=headers, json=body, timeout=_SECONDS)
        if not answer.ok:
            raise InfraError(f"{path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json()

    @staticmethod
    def _show(changed: dict[str, Any]) -> None:
        before, after = changed["before"], changed["after"]
        say(f"   current {before['current']} -> {after['current']}, previous {after['previous']}")
