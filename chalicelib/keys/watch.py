"""Rotation's own schedule: where a candidate waits, and may count now, have it rotated to.

Tencent hands keys out, and a person decides from when on a new one counts; so no calendar starts
these rotations. RotateSecret is called only where there is a candidate, and where the application's
probe, if it has one, says that Tencent takes it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.keys.versions import (
    RotationPending,
    Versions,
    rotation_function_arn,
    start_rotation,
    tidy,
    value_of,
)
from chalicelib.stores.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from chalicelib.keys.material import KeyReader
    from chalicelib.keys.probe import Verdict
    from chalicelib.stores.names import Names
    from chalicelib.stores.settings import Probe
    from chalicelib.stores.store import Store
    from chalicelib.tickets import SigningKey

    Ask = Callable[[Probe, SigningKey, int, int], Verdict]

STUCK_SECONDS: Final = 900
"""A rotation takes seconds; Secrets Manager's own retries end well before this."""


class Found(StrEnum):
    """What one look at an application found, or did."""

    NOTHING = "nothing"
    STARTED = "started"
    WAITING = "waiting"
    STUCK = "stuck"


class Sight(NamedTuple):
    """One look at an application.

    Attributes:
        found: what it found, or did.
        reason: why a candidate waits, or a rotation is stuck; empty otherwise.
    """

    found: Found
    reason: str = ""


class Watch:
    """Looks after the candidates of one stack.

    Args:
        client: of Secrets Manager.
        store: of settings.
        names: of the stack.
        reader: of keys.
        ask: the probe.
        clock: unix time in seconds.
    """

    def __init__(
        self,
        client: SecretsManagerClient,
        store: Store,
        names: Names,
        *,
        reader: KeyReader,
        ask: Ask,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._store = store
        self._names = names
        self._reader = reader
        self._ask = ask
        self._clock = clock

    def applications(self) -> list[int]:
        """The applications that are set up; raises StoreError."""
        listed = self._store.parameter_names(self._names.applications)
        return self._names.applications_among(listed)

    def look(self, sdk_app_id: int) -> Sight:
        """Look at one application, and start its rotation where all says yes.

        Args:
            sdk_app_id: the application.

        Raises:
            StoreError: the settings can't be read, or the candidate is none that can sign.
            ClientError: AWS refused.
            BotoCoreError: AWS can't be reached.
        """
        try:
            versions = Versions.read(self._client, self._names.key(sdk_app_id))
        except self._client.exceptions.ResourceNotFoundException:
            return Sight(Found.NOTHING)  # Set up, and its first key not imported yet.
        if versions.pending:
            return self._pending(versions)
        if not versions.candidate or self._is_current(versions):
            return Sight(Found.NOTHING)
        refused = self._refused(versions, sdk_app_id)
        if refused:
            return Sight(Found.WAITING, refused)
        try:
            start_rotation(
                self._client, versions, rotation_function_arn(versions.arn, self._names.stack)
            )
        except RotationPending:
            return Sight(Found.WAITING, "another rotation has just begun")
        return Sight(Found.STARTED)

    def _pending(self, versions: Versions) -> Sight:
        made = versions.pending.created if versions.pending else None
        age = 0 if made is None else int(self._clock()) - made
        if age > STUCK_SECONDS:
            return Sight(Found.STUCK, f"pending for {age} s: see the rotation function's log")
        return Sight(Found.WAITING, "a rotation is under way")

    def _is_current(self, versions: Versions) -> bool:
        """Whether a rotation to this candidate died between making it current and its tidying."""
        current = versions.current
        return current is not None and tidy(self._client, versions, current)

    def _refused(self, versions: Versions, sdk_app_id: int) -> str:
        """Why the probe says no; empty where it says yes, or there is none."""
        name = self._names.settings(sdk_app_id)
        probe = Settings.from_json(self._store.parameter(name)).probe
        if probe is None or versions.candidate is None:
            return ""
        value = value_of(self._client, versions.arn, versions.candidate)
        if value is None:
            return "the candidate has no value"
        key = self._reader.read(value, versions.name)
        verdict = self._ask(probe, key, sdk_app_id, int(self._clock()))
        return "" if verdict.accepted else f"the probe says: {verdict.said}"
