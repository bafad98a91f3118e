"""The four steps with which Secrets Manager rotates a secret (User Guide, "Rotation by Lambda").

Secrets Manager makes an empty version under AWSPENDING, whose id is the token, and calls the steps
one after the other: createSecret stores the new value, setSecret tells whoever must know it (here a
person does, in Tencent's console), testSecret tries it, finishSecret makes it current. It may call
any of them again, at any time, and a function may die at any line: so each step first looks at what
is there, and does what is still missing.

RotationRefused        the step cannot go on; the current value stays, what is pending is kept
├── UnknownStep        Secrets Manager has four steps
├── NotRotatable       rotation is not enabled, or the token is not of this rotation
├── NotCreated         the pending version has no value
├── NothingToRotateTo  no candidate waits
└── BadCandidate       the new value is none that may become current
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from chalicelib.keys.versions import CURRENT, PENDING, Versions, drop, promote, tidy, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from chalicelib.keys.versions import Version

STEPS: Final = ("createSecret", "setSecret", "testSecret", "finishSecret")


class RotationRefused(Exception):
    """The step cannot go on.

    Attributes:
        name: of the secret.
        reason: a sentence for the operator; never holds a value.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class UnknownStep(RotationRefused):
    """Secrets Manager has four steps, and this is none of them."""


class NotRotatable(RotationRefused):
    """Rotation is not enabled for the secret, or the token is not of this rotation."""


class NotCreated(RotationRefused):
    """The pending version has its label, but no value: createSecret has to come first."""


class NothingToRotateTo(RotationRefused):
    """No candidate waits."""


class BadCandidate(RotationRefused):
    """The new value is none that may become current; it is kept for inspection."""


class SecretKind(Protocol):
    """What sort of secret is rotated: where new values come from, and which ones are good."""

    def create(self, current: str | None, candidate: str | None) -> str:
        """The new value.

        Args:
            current: the value that counts now.
            candidate: the value under NEXT, or None where there is none.

        Raises:
            NothingToRotateTo: a new value has to be imported first.
            BadCandidate: the candidate may not become current.
        """

    def test(self, value: str) -> None:
        """Try a new value, without any side effect; raises BadCandidate."""


class RotationOutcome(NamedTuple):
    """What a step did.

    Attributes:
        name: of the secret, without the random end of its ARN.
        step: which.
        token: the id of the pending version.
        promoted: whether this very call made it current.
    """

    name: str
    step: str
    token: str
    promoted: bool = False


class Rotation:
    """The steps, for every secret of a stack.

    Args:
        client: of Secrets Manager.
        kind_of: the kind of a secret, by its name; raises NotRotatable for others.
    """

    def __init__(self, client: SecretsManagerClient, kind_of: Callable[[str], SecretKind]) -> None:
        self._client = client
        self._kind_of = kind_of

    def step(self, event: Mapping[str, Any]) -> RotationOutcome:
        """Do one step.

        Args:
            event: ``{"Step", "SecretId", "ClientRequestToken"}``, as Secrets Manager sends it.

        Raises:
            RotationRefused: it cannot go on.
        """
        asked, secret_id, token = event["Step"], event["SecretId"], event["ClientRequestToken"]
        name = secret_name(secret_id)
        if asked not in STEPS:
            raise UnknownStep(name, "Secrets Manager has no such rotation step")
        kind = self._kind_of(name)
        versions = Versions.labels(self._client, secret_id)
        version = _of_this_rotation(versions, name, token)
        done = CURRENT in version.stages
        if asked == "createSecret" and not done:
            self._create(versions, name, version, kind)
        elif asked == "testSecret" and not done:
            self._test(versions, name, version, kind)
        elif asked == "finishSecret":
            promoted = not done and self._promote(versions, name, version, kind)
            self._tidy(secret_id, token)
            return RotationOutcome(name, asked, token, promoted)
        return RotationOutcome(name, asked, token)

    def _create(self, versions: Versions, name: str, version: Version, kind: SecretKind) -> None:
        if value_of(self._client, versions.arn, version) is not None:
            return
        current = versions.current and value_of(self._client, versions.arn, versions.current)
        candidate = versions.candidate and value_of(self._client, versions.arn, versions.candidate)
        if versions.candidate and candidate is None:
            raise BadCandidate(name, "the candidate has no value; import it again")
        try:
            value = kind.create(current, candidate)
        except NothingToRotateTo:
            # An empty AWSPENDING that stayed behind would block every later rotation.
            drop(self._client, versions.arn, PENDING, version)
            raise
        try:
            self._client.put_secret_value(
                SecretId=versions.arn,
                ClientRequestToken=version.id,
                SecretString=value,
                VersionStages=[PENDING],
            )
        except self._client.exceptions.ResourceExistsException:
            return  # The same step, called twice at once: the other one was quicker.

    def _test(self, versions: Versions, name: str, version: Version, kind: SecretKind) -> None:
        value = value_of(self._client, versions.arn, version)
        if value is None:
            raise NotCreated(name, "the pending version has no value")
        kind.test(value)

    def _promote(self, versions: Versions, name: str, version: Version, kind: SecretKind) -> bool:
        # Tried once more: what is not good must not become current, whatever was called before.
        self._test(versions, name, version, kind)
        try:
            promote(self._client, versions, version)
        except self._client.exceptions.InvalidParameterException:
            now = Versions.labels(self._client, versions.arn).of(version.id)
            if now is None or CURRENT not in now.stages:
                raise
            # An earlier try did it, whose answer was lost, or the same step called at once.
        return True

    def _tidy(self, secret_id: str, token: str) -> None:
        versions = Versions.labels(self._client, secret_id)
        version = versions.of(token)
        if version:
            tidy(self._client, versions, version)


def secret_name(secret_id: str) -> str:
    """A secret's name from its ARN, whose last six characters are random; a name stays as it is."""
    if not secret_id.startswith("arn:"):
        return secret_id
    return secret_id.split(":", 6)[6].rpartition("-")[0]


def _of_this_rotation(versions: Versions, name: str, token: str) -> Version:
    if not versions.rotation_enabled:
        raise NotRotatable(name, "rotation is not enabled for this secret")
    version = versions.of(token)
    if version is None:
        raise NotRotatable(name, "the token names no version of this secret that has a label")
    if not version.stages & {CURRENT, PENDING}:
        raise NotRotatable(name, "the token's version is neither pending nor current")
    return version
