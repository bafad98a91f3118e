"""The signing keys of a stack, for operators: what there is, and every way to change it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import ClientError

from chalicelib.keys import versions as labels
from chalicelib.keys.material import KeyReader
from chalicelib.keys.versions import STATES, Versions, value_of
from chalicelib.stores.store import StoreDown
from roomgate.operator.applications import ApplicationStore, allowing
from roomgate.operator.errors import OperatorError, code_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.keys.versions import Version
    from chalicelib.tickets import SigningKey
    from roomgate.commands.session import Session

_LOOK_EVERY: Final = 0.25  # seconds
_UNUSABLE: Final = "-"


class StoredKey(NamedTuple):
    """One labelled version of an application's secret.

    Attributes:
        state: current, previous, candidate or pending.
        version: the version.
        key: that it holds, or None.
        fault: why there is none, or empty.
    """

    state: str
    version: Version
    key: SigningKey | None
    fault: str = ""

    @property
    def key_id(self) -> str:
        """The key's id, or a dash."""
        return self.key.key_id if self.key else _UNUSABLE

    @property
    def named(self) -> str:
        """Its state and key id, or that it can't be used."""
        return f"{self.state} {self.key_id if self.key else '(which can not be used)'}"


class ApplicationKeys(NamedTuple):
    """The keys of an application, as they were just read.

    Attributes:
        sdk_app_id: the application.
        versions: of its secret.
        keys: one for each label, in the order of STATES.
    """

    sdk_app_id: int
    versions: Versions
    keys: tuple[StoredKey, ...]

    def of(self, state: str) -> StoredKey | None:
        """The key in a state, or None."""
        return next((stored for stored in self.keys if stored.state == state), None)

    def key_id(self, state: str) -> str | None:
        """The id of the key in a state; None where there is none."""
        stored = self.of(state)
        return stored.key_id if stored else None

    @property
    def way_back(self) -> str:
        """The command that helps where the current key can't be used: cold functions have none."""
        previous = self.of("previous")
        if previous and previous.key:
            return f"roomgate keys rollback {self.sdk_app_id}"
        return f"roomgate keys import {self.sdk_app_id} FILE"


class KeyStore:
    """The signing keys of one stack.

    Args:
        session: whose stack and account are used.
    """

    def __init__(self, session: Session) -> None:
        self._client = session.secretsmanager
        self._names = session.names
        self._applications = ApplicationStore(session)
        self._reader = KeyReader()

    def find(self, sdk_app_id: int) -> ApplicationKeys | None:
        """An application's keys, or None where it has had none."""
        name = self._names.key(sdk_app_id)
        try:
            versions = Versions.read(self._client, name)
            found = {state: getattr(versions, state) for state in STATES}
            keys = [self._read(state, each, name) for state, each in found.items() if each]
        except self._client.exceptions.ResourceNotFoundException:
            return None
        except ClientError as error:
            raise _not_there_for_now(error, name) from error
        return ApplicationKeys(sdk_app_id, versions, tuple(keys))

    def get(self, sdk_app_id: int) -> ApplicationKeys:
        """An application's keys; raises OperatorError where it has none."""
        found = self.find(sdk_app_id)
        if found is None:
            self._applications.settings_of(sdk_app_id)  # Says so if there is no application.
            raise OperatorError(
                f"Application {sdk_app_id} has no key yet. Import its first one: "
                f"roomgate keys import {sdk_app_id} FILE"
            )
        return found

    def add(
        self, sdk_app_id: int, key: SigningKey, value: dict[str, str], *, replace: bool
    ) -> ApplicationKeys:
        """Store a key: an application's first one signs at once, a later one is the candidate.

        Args:
            sdk_app_id: the application, set up before.
            key: what the value holds, read.
            value: of the secret.
            replace: whether the candidate that waits may be replaced.

        Returns:
            The keys as they are now.

        Raises:
            OperatorError: it may not sign, is there already, or another one waits.
        """
        self._refuse_forbidden(sdk_app_id, key)
        found = self.find(sdk_app_id)
        text = json.dumps(value)
        if found is None:
            self._client.create_secret(
                Name=self._names.key(sdk_app_id),
                Description=f"Signing key of TRTC application {sdk_app_id}",
                SecretString=text,
                KmsKeyId=f"alias/{self._names.stack}",
            )
        elif found.of("current") is None:
            self._client.put_secret_value(SecretId=found.versions.name, SecretString=text)
        else:
            _refuse_known(found, key)
            self._put_candidate(found, text, replace=replace)
        return self.get(sdk_app_id)

    def start(self, sdk_app_id: int) -> tuple[ApplicationKeys, str]:
        """Start the rotation to the candidate.

        Returns:
            The keys before it, and the id of the version that is current once it has succeeded.

        Raises:
            OperatorError: there is no candidate, one is pending, or nothing could rotate.
        """
        before = self.get(sdk_app_id)
        candidate = before.of("candidate")
        if candidate and candidate.fault:
            raise OperatorError(
                f"The candidate of application {sdk_app_id} can't be used: {candidate.fault}. "
                f"Drop it: roomgate keys abort {sdk_app_id}; then import the right one."
            )
        if candidate and candidate.key:
            self._refuse_forbidden(sdk_app_id, candidate.key)
        arn = labels.rotation_function_arn(before.versions.arn, self._names.stack)
        try:
            return before, labels.start_rotation(self._client, before.versions, arn)
        except labels.NoCandidate:
            raise OperatorError(
                f"Application {sdk_app_id} has no candidate to rotate to. Import one first: "
                f"roomgate keys import {sdk_app_id} FILE"
            ) from None
        except labels.RotationPending:
            raise _pending(sdk_app_id, "import the key again") from None
        except ClientError as error:
            raise _rotation_refused(error, arn) from error

    def rotated(
        self, sdk_app_id: int, version_id: str, *, tidied: bool = True
    ) -> ApplicationKeys | None:
        """The keys, once the version of a started rotation is current; until then None.

        Args:
            sdk_app_id: the application.
            version_id: of the rotation.
            tidied: whether its last step must have taken the candidate's label off, too.
        """
        versions = Versions.labels(self._client, self._names.key(sdk_app_id))
        done = versions.current is not None and versions.current.id == version_id
        if not done or (tidied and versions.candidate):
            return None
        return self.get(sdk_app_id)

    def roll_back(self, sdk_app_id: int) -> tuple[ApplicationKeys, ApplicationKeys]:
        """Let the previous key sign again; the keys before and after; raises OperatorError."""
        before = self.get(sdk_app_id)
        previous = before.of("previous")
        if previous and previous.fault:
            raise OperatorError(
                f"The previous key of application {sdk_app_id} can't be used: {previous.fault}. "
                f"Import the key that should sign: roomgate keys import {sdk_app_id} FILE"
            )
        if previous and previous.key:
            # The functions would refuse to sign with it.
            self._refuse_forbidden(sdk_app_id, previous.key)
        try:
            labels.roll_back(self._client, before.versions)
        except labels.NothingPrevious:
            raise OperatorError(
                f"Application {sdk_app_id} has no previous key to roll back to: it has signed with "
                "one key only so far. A new key is a rotation: "
                f"roomgate keys import {sdk_app_id} FILE"
            ) from None
        except labels.RotationPending:
            raise _pending(sdk_app_id, "roll back again") from None
        return before, self.get(sdk_app_id)

    def abort(self, sdk_app_id: int) -> tuple[ApplicationKeys, ApplicationKeys]:
        """Drop candidate and pending version; the keys before and after; raises OperatorError."""
        before = self.get(sdk_app_id)
        try:
            labels.abort(self._client, before.versions)
        except labels.NothingToAbort:
            raise OperatorError(
                f"Application {sdk_app_id} has neither a candidate nor a rotation under way: there "
                f"is nothing to abort. To go back to the key before: roomgate keys rollback "
                f"{sdk_app_id}"
            ) from None
        return before, self.get(sdk_app_id)

    def _refuse_forbidden(self, sdk_app_id: int, key: SigningKey) -> None:
        """Raise OperatorError if the application's settings forbid a key's algorithm."""
        allowed = self._applications.settings_of(sdk_app_id).algorithms
        if key.algorithm not in allowed:
            raise OperatorError(
                f"Application {sdk_app_id} signs with {' or '.join(allowed)} only, and key "
                f"{key.key_id} is of {key.algorithm}. To allow that too: "
                f"{allowing(sdk_app_id, allowed, key.algorithm)}"
            )

    def _put_candidate(self, found: ApplicationKeys, value: str, *, replace: bool) -> None:
        try:
            labels.put_candidate(self._client, found.versions, value, replace=replace)
        except labels.CandidateThere:
            app, candidate = found.sdk_app_id, found.of("candidate")
            usable = candidate is not None and candidate.key is not None
            raise OperatorError(
                f"Another key waits already: {candidate.named if candidate else 'a candidate'}. "
                + (f"Rotate to it first (roomgate keys rotate {app}), drop" if usable else "Drop")
                + f" it (roomgate keys abort {app}), or import with --replace."
            ) from None
        except labels.RotationPending:
            raise _pending(found.sdk_app_id, "import the key again") from None

    def _read(self, state: str, version: Version, name: str) -> StoredKey:
        value = value_of(self._client, name, version)
        if value is None:
            return StoredKey(state, version, None, "a version without a value")
        try:
            return StoredKey(state, version, self._reader.read(value, name))
        except StoreDown as error:
            # Whoever shows it says that the key can't be used.
            reason = error.reason.removeprefix("a key that can't be used: ")
            return StoredKey(state, version, None, reason.rstrip("."))


def wait_for(
    look: Callable[[], ApplicationKeys | None],
    draw: Callable[[], None],
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> ApplicationKeys | None:
    """Look until there is something to see, or the time is over.

    Args:
        look: returns what is waited for, or None.
        draw: shows that time passes.
        seconds: to wait at most.
        sleep: waits some seconds.
        clock: in seconds.

    Returns:
        What was seen, or None.
    """
    until = clock() + seconds
    while True:
        seen = look()
        if seen is not None or clock() >= until:
            return seen
        draw()
        sleep(_LOOK_EVERY)


def _refuse_known(found: ApplicationKeys, key: SigningKey) -> None:
    """Refuse a key that the application has already; raises OperatorError."""
    app = found.sdk_app_id
    advice = {
        "current": "it signs now, so there is nothing to do. For a rotation, import a new one.",
        "previous": f"it signed before this one. To go back to it: roomgate keys rollback {app}",
        "candidate": f"it waits already. To have it sign: roomgate keys rotate {app}",
        "pending": f"a rotation to it is under way. See: roomgate keys status {app}",
    }
    for state in ("current", "candidate", "pending", "previous"):
        if found.key_id(state) == key.key_id:
            raise OperatorError(
                f"Key {key.key_id} is application {app}'s {state} key already: {advice[state]}"
            )


def _pending(sdk_app_id: int, then: str) -> OperatorError:
    return OperatorError(
        f"A rotation of application {sdk_app_id} is under way, or one got stuck. See: roomgate "
        f"keys status {sdk_app_id}. If it does not end within minutes, drop it: roomgate keys "
        f"abort {sdk_app_id}; then {then} (docs/runbook.md tells why rotations fail)."
    )


def _rotation_refused(error: ClientError, arn: str) -> Exception:
    code, said = code_of(error), str(error.response["Error"].get("Message", ""))
    if code == "ResourceNotFoundException" or "not found" in said.lower():
        return OperatorError(
            f"There is no rotation function ({arn}). Deploy it: make deploy (and see: roomgate "
            "doctor)"
        )
    if code in {"AccessDeniedException", "InvalidRequestException"} and "ambda" in said:
        return OperatorError(
            f"Secrets Manager may not start the rotation function: {said} Whoever rotates needs "
            f"lambda:InvokeFunction on {arn} (the stack's policy for operators has it)."
        )
    return error


def _not_there_for_now(error: ClientError, name: str) -> Exception:
    if code_of(error) == "InvalidRequestException" and "delet" in str(error):
        return OperatorError(
            f"The secret {name} is marked for deletion. Take that back first: aws secretsmanager "
            f"restore-secret --secret-id {name}"
        )
    return error


def described(stored: StoredKey) -> dict[str, Any]:
    """A stored key for a script; never its secret part."""
    facts: dict[str, Any] = {
        "state": stored.state,
        "keyId": stored.key.key_id if stored.key else None,
        "algorithm": stored.key.algorithm if stored.key else None,
        "since": stored.version.created,
        "versionId": stored.version.id,
    }
    public = getattr(stored.key, "public_pem", None)
    if public:
        facts["publicKey"] = public
    return facts | ({"fault": stored.fault} if stored.fault else {})
