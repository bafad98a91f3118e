"""One Secrets Manager, one application, and the rotation function's logic, for tests to drive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.auth.report_tokens import parse_keys, write_keys
from chalicelib.auth.secret_kinds import SecretKinds
from chalicelib.auth.token_rotation import new_token_key
from chalicelib.keys.material import KeyReader
from chalicelib.keys.rotation import STEPS, Rotation, RotationOutcome
from chalicelib.keys.versions import Versions, put_candidate, value_of
from chalicelib.stores.names import Names
from chalicelib.stores.settings import Settings
from tests.support.keys import pem_of_new_key
from tests.support.stores import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient

APP = 1400000001
NAMES = Names("testing")
NAME = NAMES.key(APP)
NOW = 1_600_000_000
FUNCTION_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:testing-rotation"


def key_value(key: str, algorithm: str = "HMAC-SHA256") -> str:
    """An application secret's value."""
    return json.dumps({"algorithm": algorithm, "key": key})


def ecdsa_value() -> str:
    """A value with a new P-256 key."""
    return key_value(pem_of_new_key(), "ECDSA-SHA256")


class Labels(NamedTuple):
    """The values under each label; None where there is no such label, or no value."""

    current: str | None
    previous: str | None
    candidate: str | None
    pending: str | None


class Rig:
    """One Secrets Manager, one application, and the rotation function's logic.

    Args:
        client: of that Secrets Manager.
        ask: starts a rotation there, as RotateSecret does, and returns the token; the steps are
            left to the test.
    """

    def __init__(
        self, client: SecretsManagerClient, ask: Callable[[SecretsManagerClient, str], str]
    ) -> None:
        self.client = client
        self.ask = ask
        self.store = MemoryStore()
        self.store.parameters[NAMES.settings(APP)] = Settings().to_json()
        self.now = NOW
        self.rotation = self.function()

    def function(self) -> Rotation:
        """The function, as a cold start makes it."""
        kinds = SecretKinds(self.store, NAMES, KeyReader(), lambda: self.now)
        return Rotation(self.client, kinds.of)

    def versions(self, name: str = NAME) -> Versions:
        """The secret's versions now."""
        return Versions.read(self.client, name)

    def labels(self, name: str = NAME) -> Labels:
        """The values under each label."""
        versions = self.versions(name)
        found = (versions.current, versions.previous, versions.candidate, versions.pending)
        return Labels(*(each and value_of(self.client, name, each) for each in found))

    def begin(self, name: str = NAME) -> str:
        """Start a rotation; its token."""
        return self.ask(self.client, name)

    def step(self, step: str, token: str, name: str = NAME, **changes: Any) -> RotationOutcome:
        """Call one step."""
        arn = self.versions(name).arn
        event = {"Step": step, "SecretId": arn, "ClientRequestToken": token}
        return self.rotation.step(event | changes)

    def steps(self, token: str, name: str = NAME) -> list[RotationOutcome]:
        """Call all four."""
        return [self.step(each, token, name) for each in STEPS]

    def settle(self, current: str, candidate: str | None = None) -> None:
        """Make the application's secret, and a candidate."""
        self.client.create_secret(Name=NAME, SecretString=current)
        if candidate is not None:
            put_candidate(self.client, self.versions(), candidate)


class Crash(BaseException):
    """The function died."""


def crashed_steps(rig: Rig, token: str, after: int, name: str = NAME) -> str | None:
    """Call the steps and die after so many calls to AWS; the step it died in, or None."""
    calls = 0

    def die(**_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == after:
            raise Crash

    arn = rig.versions(name).arn
    events = rig.client.meta.events
    events.register("after-call.secrets-manager", die, unique_id="crash")
    try:
        for step in STEPS:
            try:
                rig.rotation.step({"Step": step, "SecretId": arn, "ClientRequestToken": token})
            except Crash:
                return step
    finally:
        events.unregister("after-call.secrets-manager", unique_id="crash")
    return None


def rig_token_keys(rig: Rig) -> list[tuple[str, int | None]]:
    """Make the report-token secret as the deployment does; its keys."""
    value = write_keys([new_token_key()])
    rig.client.create_secret(Name=NAMES.report_token, SecretString=value)
    return token_keys(rig)


def token_keys(rig: Rig) -> list[tuple[str, int | None]]:
    """The kids of the report-token keys, newest first, and their ends."""
    current = rig.labels(NAMES.report_token).current
    assert current
    return [(key.kid, key.not_after) for key in parse_keys(current)]
