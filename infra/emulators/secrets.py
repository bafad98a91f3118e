"""What Secrets Manager keeps, and what it refuses (API Reference and User Guide, "Rotation").

Strict where ministack and moto are not: a label is on one version at most, a version is stored
once, labels move only from where they are said to be, and nothing rotates while AWSPENDING waits.
"""

from __future__ import annotations

import json
import secrets
import string
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"
PENDING: Final = "AWSPENDING"
_SUFFIX_CHARACTERS: Final = string.ascii_letters + string.digits
_MOST_BYTES: Final = 65_536
_MOST_DAYS: Final = 1000
_PAGE: Final = 100

State = dict[str, Any]


class Refused(Exception):
    """A request that Secrets Manager refuses.

    Attributes:
        code: AWS's name of the error.
        message: its text.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class SecretsState:
    """The secrets of one account and region, as JSON that can be kept.

    Args:
        state: what an earlier one kept, by name.
        region: goes into the ARNs.
        account: likewise.
    """

    def __init__(self, state: State, region: str, account: str) -> None:
        self.state = state
        self._prefix = f"arn:aws:secretsmanager:{region}:{account}:secret:"

    def find(self, secret_id: str) -> State | None:
        """A secret by name or ARN, whole or without its random end; None where there is none."""
        for name, secret in self.state.items():
            if secret_id in (name, secret["ARN"], secret["ARN"][:-7]):
                found: State = secret
                return found
        return None

    def named(self, secret_id: str) -> State:
        """A secret that can be used; raises Refused."""
        secret = self.find(secret_id)
        if secret is None:
            raise _nowhere("secret")
        if secret.get("DeletedDate"):
            raise Refused("InvalidRequestException", "The secret is marked for deletion.")
        return secret

    def arn_of(self, secret_id: str) -> str:
        """An ARN for a secret that is not there; six random characters end it."""
        if secret_id.startswith("arn:"):
            return secret_id
        suffix = "".join(secrets.choice(_SUFFIX_CHARACTERS) for _ in range(6))
        return f"{self._prefix}{secret_id}-{suffix}"

    def add(self, name: str, arn: str | None = None, **facts: Any) -> State:
        """Make a secret without a version."""
        secret = {
            "ARN": arn or self.arn_of(name),
            "Name": name,
            "CreatedDate": time.time(),
            "versions": {},
            **{key: value for key, value in facts.items() if value is not None},
        }
        self.state[name] = secret
        return secret

    def create(self, asked: Mapping[str, Any]) -> State:
        """CreateSecret."""
        name = asked["Name"]
        if self.find(name):
            message = f"The operation failed because the secret {name} already exists."
            raise Refused("ResourceExistsException", message)
        kept = {key: asked.get(key) for key in ("Description", "KmsKeyId", "Tags")}
        secret = self.add(name, **kept)
        answer = {"ARN": secret["ARN"], "Name": name}
        if "SecretString" not in asked:
            return answer
        put = self.put({**asked, "SecretId": name, "VersionStages": [CURRENT]})
        return answer | {"VersionId": put["VersionId"]}

    def get(self, asked: Mapping[str, Any]) -> State:
        """GetSecretValue."""
        secret = self.named(asked["SecretId"])
        version_id, stage = asked.get("VersionId"), asked.get("VersionStage")
        if version_id is None:
            stage = stage or CURRENT
            version_id = _carrier(secret, stage)
            if version_id is None:
                raise _nowhere(f"secret value for staging label: {stage}")
        version = secret["versions"].get(version_id)
        if version is None or "value" not in version:
            raise _nowhere(f"secret value for VersionId: {version_id}")
        if stage is not None and stage not in version["stages"]:
            message = "The VersionStage is not attached to the version of the VersionId."
            raise Refused("InvalidRequestException", message)
        return {
            "ARN": secret["ARN"],
            "Name": secret["Name"],
            "VersionId": version_id,
            "SecretString": version["value"],
            "VersionStages": version["stages"],
            "CreatedDate": version["created"],
        }

    def put(self, asked: Mapping[str, Any]) -> State:
        """PutSecretValue."""
        secret = self.named(asked["SecretId"])
        version_id = asked.get("ClientRequestToken") or str(uuid.uuid4())
        value, stages = asked.get("SecretString"), list(asked.get("VersionStages") or [CURRENT])
        if value is None or len(value.encode()) > _MOST_BYTES:
            raise Refused("InvalidParameterException", "You must provide SecretString, of 64 KB.")
        version = secret["versions"].get(version_id)
        answer = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": version_id}
        if version and "value" in version:
            if version["value"] != value:
                message = f"You can't use ClientRequestToken {version_id}: another value has it."
                raise Refused("ResourceExistsException", message)
            return answer | {"VersionStages": version["stages"]}
        if not any("value" in each for each in secret["versions"].values()):
            stages.append(CURRENT)
        made = secret["versions"].setdefault(version_id, _version())
        made["value"] = value
        for stage in dict.fromkeys(stages):
            _move(secret, stage, version_id)
        return answer | {"VersionStages": made["stages"]}

    def describe(self, asked: Mapping[str, Any]) -> State:
        """DescribeSecret."""
        secret = self.find(asked["SecretId"])
        if secret is None:
            raise _nowhere("secret")
        shown = {key: value for key, value in secret.items() if key != "versions"}
        labelled = {name: each["stages"] for name, each in secret["versions"].items()}
        return shown | ({"VersionIdsToStages": labelled} if labelled else {})

    def versions(self, asked: Mapping[str, Any]) -> State:
        """ListSecretVersionIds, in pages."""
        secret = self.named(asked["SecretId"])
        start, page = int(asked.get("NextToken", 0)), int(asked.get("MaxResults", _PAGE))
        every = [
            {"VersionId": name, "VersionStages": each["stages"], "CreatedDate": each["created"]}
            for name, each in secret["versions"].items()
        ]
        answer = {"ARN": secret["ARN"], "Name": secret["Name"]}
        answer["Versions"] = every[start : start + page]
        return answer | ({"NextToken": str(start + page)} if start + page < len(every) else {})

    def list(self, asked: Mapping[str, Any]) -> State:
        """ListSecrets, with the filter by name; all in one page."""
        prefixes = tuple(
            value
            for each in asked.get("Filters", [])
            if each["Key"] == "name"
            for value in each["Values"]
        )
        names = [name for name in self.state if not prefixes or name.startswith(prefixes)]
        shown = [self.describe({"SecretId": name}) for name in names]
        return {"SecretList": [_renamed(each) for each in shown if "DeletedDate" not in each]}

    def label(self, asked: Mapping[str, Any]) -> State:
        """UpdateSecretVersionStage."""
        secret, stage = self.named(asked["SecretId"]), asked["VersionStage"]
        to, away = asked.get("MoveToVersionId"), asked.get("RemoveFromVersionId")
        on = _carrier(secret, stage)
        if not to and not away:
            raise _wrong("Say where the label goes, or where it is to be removed from.")
        if to and to not in secret["versions"]:
            raise _nowhere("secret version")
        if away and away != on:
            raise _wrong(f"Staging label {stage} is not attached to version {away}.")
        if to and on and on not in (to, away):
            raise _wrong(
                f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is "
                f"currently attached to version {on}, so you must explicitly reference that "
                "version in RemoveFromVersionId."
            )
        if to:
            _move(secret, stage, to)
        elif stage == CURRENT:
            raise _wrong("You can't remove AWSCURRENT: move it to another version.")
        else:
            _take_off(secret, stage)
        return {"ARN": secret["ARN"], "Name": secret["Name"]}

    def begin_rotation(self, asked: Mapping[str, Any]) -> tuple[State, str]:
        """RotateSecret, up to the first step: the secret, and the pending version's id."""
        secret = self.named(asked["SecretId"])
        for given in ("RotationLambdaARN", "RotationRules"):
            if given not in asked and given not in secret:
                message = f"The secret has no {given}, and none was given."
                raise Refused("InvalidRequestException", message)
        days = asked.get("RotationRules", {}).get("AutomaticallyAfterDays", 1)
        if not 1 <= days <= _MOST_DAYS:
            raise _wrong("RotationRules.AutomaticallyAfterDays must be from 1 to 1000.")
        pending = _carrier(secret, PENDING)
        if pending and CURRENT not in secret["versions"][pending]["stages"]:
            message = "A previous rotation isn't complete. That rotation will be reattempted."
            raise Refused("InvalidRequestException", message)
        for given in ("RotationLambdaARN", "RotationRules"):
            secret[given] = asked.get(given, secret.get(given))
        secret["RotationEnabled"] = True
        token = asked.get("ClientRequestToken") or str(uuid.uuid4())
        secret["versions"][token] = _version()
        if asked.get("RotateImmediately") is False:
            secret["versions"][token]["value"] = self.get({"SecretId": secret["ARN"]})[
                "SecretString"
            ]
        _move(secret, PENDING, token)
        return secret, token

    def end_test(self, secret: State, token: str) -> None:
        """What follows the one step of RotateImmediately=false: its version goes."""
        if PENDING in secret["versions"].get(token, {}).get("stages", ()):
            _take_off(secret, PENDING)

    def cancel_rotation(self, asked: Mapping[str, Any]) -> State:
        """CancelRotateSecret; labels stay as they are."""
        secret = self.named(asked["SecretId"])
        secret["RotationEnabled"] = False
        return {"ARN": secret["ARN"], "Name": secret["Name"]}

    def delete(self, asked: Mapping[str, Any]) -> State:
        """DeleteSecret."""
        secret = self.named(asked["SecretId"])
        secret["DeletedDate"] = time.time()
        if asked.get("ForceDeleteWithoutRecovery"):
            del self.state[secret["Name"]]
        return {key: secret[key] for key in ("ARN", "Name")} | {
            "DeletionDate": secret["DeletedDate"]
        }

    def to_json(self) -> str:
        """All of it, to be kept."""
        return json.dumps(self.state)


def _version() -> State:
    return {"stages": [], "created": time.time()}


def _carrier(secret: State, stage: str) -> str | None:
    return next((n for n, each in secret["versions"].items() if stage in each["stages"]), None)


def _take_off(secret: State, stage: str) -> str | None:
    """Take a label off whatever carries it; a version without labels is deprecated, and goes."""
    carrier = _carrier(secret, stage)
    if carrier is not None:
        secret["versions"][carrier]["stages"].remove(stage)
        if not secret["versions"][carrier]["stages"]:
            del secret["versions"][carrier]
    return carrier


def _move(secret: State, stage: str, version_id: str) -> None:
    """Attach a label; AWSPREVIOUS follows AWSCURRENT to the version that it leaves."""
    version = secret["versions"][version_id]
    if stage in version["stages"]:
        return
    version["stages"].append(stage)
    others = {name: each for name, each in secret["versions"].items() if name != version_id}
    left = _carrier({"versions": others}, stage)
    if left is not None:
        if stage == CURRENT:
            _take_off(secret, PREVIOUS)
            secret["versions"][left]["stages"].append(PREVIOUS)
        secret["versions"][left]["stages"].remove(stage)
        if not secret["versions"][left]["stages"]:
            del secret["versions"][left]


def _renamed(described: State) -> State:
    """ListSecrets names the versions otherwise than DescribeSecret does."""
    shown = {key: value for key, value in described.items() if key != "VersionIdsToStages"}
    return shown | {"SecretVersionsToStages": described.get("VersionIdsToStages", {})}


def _nowhere(what: str) -> Refused:
    message = f"Secrets Manager can't find the specified {what}."
    return Refused("ResourceNotFoundException", message)


def _wrong(message: str) -> Refused:
    return Refused("InvalidParameterException", message)
