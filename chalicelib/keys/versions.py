"""The versions of an application's secret, and moving their labels: what operators and rotation do.

A version is current (AWSCURRENT: it signs), previous (AWSPREVIOUS: it still verifies), candidate
(NEXT, our own label: an operator imported it) or pending (AWSPENDING: a rotation is under way, or
stuck). Secrets Manager has no compare-and-set, but it refuses to move a label from a version that
does not carry it: so every move here names both versions.

VersionsError          what was asked for does not fit the labels as they are
├── NoCandidate        there is nothing to rotate to
├── CandidateThere     another candidate waits already
├── RotationPending    a rotation is under way, or stuck
├── NothingPrevious    there is nothing to roll back to
└── NothingToAbort     there is neither a candidate nor a pending version
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"
CANDIDATE: Final = "NEXT"
PENDING: Final = "AWSPENDING"
STATES: Final = {
    "current": CURRENT,
    "previous": PREVIOUS,
    "candidate": CANDIDATE,
    "pending": PENDING,
}
"""State as it is shown: the label that it stands for."""

# RotateSecret wants a schedule, and there is none for keys that a person hands out: the longest
# that it takes. A rotation that it starts without a candidate fails and leaves all as it was.
_RULES: Final[Any] = {"AutomaticallyAfterDays": 1000}


class VersionsError(Exception):
    """What was asked for does not fit the secret's labels as they are.

    Attributes:
        name: of the secret.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name


class NoCandidate(VersionsError):
    """There is nothing to rotate to."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "there is no candidate to rotate to")


class CandidateThere(VersionsError):
    """Another candidate waits already."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "another candidate waits already")


class RotationPending(VersionsError):
    """A rotation is under way, or one that failed left its version behind."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "a rotation is under way, or stuck")


class NothingPrevious(VersionsError):
    """There is nothing to roll back to."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "there is no previous key to roll back to")


class NothingToAbort(VersionsError):
    """There is neither a candidate nor a pending version."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "there is neither a candidate nor a rotation to abort")


class Version(NamedTuple):
    """One version of a secret, without its value.

    Attributes:
        id: its id in Secrets Manager.
        stages: the labels that it carries.
        created: unix time in seconds, or None where Secrets Manager does not say.
    """

    id: str
    stages: frozenset[str]
    created: int | None = None


class Versions(NamedTuple):
    """The labelled versions of a secret, as they were when they were read.

    Attributes:
        name: of the secret, as it was asked for.
        arn: of the secret.
        rotation_enabled: whether Secrets Manager would rotate it.
        all: each version that carries a label.
    """

    name: str
    arn: str
    rotation_enabled: bool
    all: tuple[Version, ...]

    @classmethod
    def read(cls, client: SecretsManagerClient, name: str) -> Versions:
        """Read them, with the times of their making; raises what the client raises.

        Args:
            client: of Secrets Manager.
            name: or ARN of the secret.
        """
        without = cls.labels(client, name)
        made = _created(client, name)
        dated = (version._replace(created=made.get(version.id)) for version in without.all)
        return without._replace(all=tuple(dated))

    @classmethod
    def labels(cls, client: SecretsManagerClient, name: str) -> Versions:
        """Read them in one call, without times; raises what the client raises."""
        described = client.describe_secret(SecretId=name)
        stages = described.get("VersionIdsToStages", {})
        versions = (
            Version(version_id, frozenset(labels))
            for version_id, labels in stages.items()
            if labels
        )
        enabled = described.get("RotationEnabled", False)
        return cls(name, described["ARN"], enabled, tuple(versions))

    @property
    def current(self) -> Version | None:
        """The version that signs."""
        return self.labelled(CURRENT)

    @property
    def previous(self) -> Version | None:
        """The version that still verifies."""
        return self.labelled(PREVIOUS)

    @property
    def candidate(self) -> Version | None:
        """The version that waits for its rotation."""
        return self.labelled(CANDIDATE)

    @property
    def pending(self) -> Version | None:
        """The version that a rotation is about to make current, or failed to; it may be empty.

        AWSPENDING on the current version is the trace of a rotation that is done: not pending.
        """
        found = self.labelled(PENDING)
        return None if found is None or CURRENT in found.stages else found

    def labelled(self, stage: str) -> Version | None:
        """The version that carries a label."""
        return next((version for version in self.all if stage in version.stages), None)

    def of(self, version_id: str) -> Version | None:
        """The version of an id, if it carries any label."""
        return next((version for version in self.all if version.id == version_id), None)


def value_of(client: SecretsManagerClient, name: str, version: Version) -> str | None:
    """A version's value, or None where it has a label but no value (or is gone).

    Args:
        client: of Secrets Manager.
        name: or ARN of the secret.
        version: which; it is asked for by its id, never by a label that may have moved.
    """
    try:
        found = client.get_secret_value(SecretId=name, VersionId=version.id)
    except client.exceptions.ResourceNotFoundException:
        return None
    # An empty string is what some stand-ins give a version without a value.
    return found.get("SecretString") or None


def put_candidate(
    client: SecretsManagerClient, versions: Versions, value: str, *, replace: bool = False
) -> str:
    """Store a candidate under NEXT; nothing signs with it until it is rotated to.

    Args:
        client: of Secrets Manager.
        versions: of the secret, just read.
        value: the secret's value, JSON.
        replace: whether the candidate that waits may be replaced.

    Returns:
        The id of its version.

    Raises:
        CandidateThere: unless ``replace``.
        RotationPending: a rotation is copying, or failed to copy, the candidate that waits.
    """
    if versions.pending:
        raise RotationPending(versions.name)
    if versions.candidate and not replace:
        raise CandidateThere(versions.name)
    put = client.put_secret_value(
        SecretId=versions.name, SecretString=value, VersionStages=[CANDIDATE]
    )
    return put["VersionId"]


def start_rotation(client: SecretsManagerClient, versions: Versions, function_arn: str) -> str:
    """Have Secrets Manager rotate to the candidate; it goes on by itself.

    Args:
        client: of Secrets Manager.
        versions: of the secret, just read.
        function_arn: of the rotation function: see `rotation_function_arn`.

    Returns:
        The id of the version that is AWSCURRENT once the rotation has succeeded.

    Raises:
        NoCandidate: RotateSecret without one would leave an empty AWSPENDING behind.
        RotationPending: one is under way, or stuck.
    """
    if versions.pending:
        raise RotationPending(versions.name)
    if not versions.candidate:
        raise NoCandidate(versions.name)
    try:
        started = client.rotate_secret(
            SecretId=versions.name,
            RotationLambdaARN=function_arn,
            RotationRules=_RULES,
            RotateImmediately=True,
        )
    except client.exceptions.InvalidRequestException as error:
        if "previous rotation" in error.response["Error"]["Message"]:
            raise RotationPending(versions.name) from None  # Another caller was quicker.
        raise
    return started["VersionId"]


def rotation_function_arn(secret_arn: str, stack: str) -> str:
    """The ARN of a stack's rotation function, which is where the stack's secrets are.

    Args:
        secret_arn: of any secret of the stack.
        stack: the name of the installation.
    """
    _, partition, _, region, account, *_ = secret_arn.split(":")
    return f"arn:{partition}:lambda:{region}:{account}:function:{stack}-rotation"


def roll_back(client: SecretsManagerClient, versions: Versions) -> None:
    """Let the previous version sign again; the current one becomes the previous one.

    Args:
        client: of Secrets Manager.
        versions: of the secret, just read.

    Raises:
        NothingPrevious: there is none.
        RotationPending: it would make its version current afterwards; abort it first.
    """
    if versions.pending:
        raise RotationPending(versions.name)
    if not versions.previous or not versions.current:
        raise NothingPrevious(versions.name)
    # A rotation may have died after it made this version current. Its last step comes again, and
    # its candidate is taken up again: either would undo the rollback.
    tidy(client, versions, versions.current)
    promote(client, versions, versions.previous)


def tidy(client: SecretsManagerClient, versions: Versions, version: Version) -> bool:
    """Take off what the rotation to a version leaves: AWSPENDING, and NEXT off its candidate.

    Args:
        client: of Secrets Manager.
        versions: of the secret, just read.
        version: the one that it made current.

    Returns:
        Whether its candidate waited still.
    """
    if PENDING in version.stages:
        drop(client, versions.name, PENDING, version)
    candidate = versions.candidate
    value = candidate and value_of(client, versions.name, candidate)
    if not candidate or value is None or value != value_of(client, versions.name, version):
        return False
    drop(client, versions.name, CANDIDATE, candidate)
    return True


def promote(client: SecretsManagerClient, versions: Versions, version: Version) -> None:
    """Move AWSCURRENT to a version; Secrets Manager moves AWSPREVIOUS to the one it leaves.

    Args:
        client: of Secrets Manager.
        versions: of the secret, just read.
        version: the new current one.
    """
    moved: dict[str, str] = {"MoveToVersionId": version.id}
    if versions.current:
        moved["RemoveFromVersionId"] = versions.current.id
    client.update_secret_version_stage(SecretId=versions.name, VersionStage=CURRENT, **moved)


def abort(client: SecretsManagerClient, versions: Versions) -> tuple[Version, ...]:
    """Drop the candidate and a pending version; what signs stays as it is.

    Args:
        client: of Secrets Manager.
        versions: of the secret, just read.

    Returns:
        The versions that lost their label.

    Raises:
        NothingToAbort: there is neither.
    """
    # The candidate first: else the schedule could start a rotation to it in between.
    found = [(CANDIDATE, versions.candidate), (PENDING, versions.pending)]
    dropped = [(stage, version) for stage, version in found if version]
    if not dropped:
        raise NothingToAbort(versions.name)
    for stage, version in dropped:
        drop(client, versions.name, stage, version)
    return tuple(dict.fromkeys(version for _, version in dropped))


def drop(client: SecretsManagerClient, name: str, stage: str, version: Version) -> None:
    """Take a label off a version; fine where another call has just done so.

    Args:
        client: of Secrets Manager.
        name: or ARN of the secret.
        stage: the label.
        version: the one that carries it.
    """
    try:
        client.update_secret_version_stage(
            SecretId=name, VersionStage=stage, RemoveFromVersionId=version.id
        )
    except client.exceptions.InvalidParameterException:
        now = Versions.labels(client, name).of(version.id)
        if now is not None and stage in now.stages:
            raise


def _created(client: SecretsManagerClient, name: str) -> dict[str, int]:
    """When each version was made, in unix seconds, by its id."""
    made: dict[str, int] = {}
    asked: dict[str, Any] = {"SecretId": name}
    while True:
        page = client.list_secret_version_ids(**asked)
        for version in page["Versions"]:
            made[version["VersionId"]] = int(version["CreatedDate"].timestamp())
        if not page.get("NextToken"):
            return made
        asked["NextToken"] = page["NextToken"]
