"""Secrets Manager and SSM, by way of Lambda's extension or by their own API; both hold the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from bench.emulators.loopback import Answer, Asked, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_VERSION = "22222222-2222-4222-8222-222222222222"
_STAGE = "AWSCURRENT"


class Stored(NamedTuple):
    """What the stores hold, by name; its repr shows no secret."""

    secrets: Mapping[str, str]
    parameters: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Stored({list(self.secrets)}, {list(self.parameters)})"

    def secret(self, name: str, stage: str) -> dict[str, Any] | None:
        """What GetSecretValue answers, or None."""
        if name not in self.secrets or stage != _STAGE:
            return None
        return {
            "ARN": f"arn:aws:secretsmanager:eu-central-1:111111111111:secret:{name}-AbCdEf",
            "Name": name,
            "VersionId": _VERSION,
            "SecretString": self.secrets[name],
            "VersionStages": [stage],
        }

    def parameter(self, name: str) -> dict[str, Any] | None:
        """What GetParameter answers, or None."""
        return {"Parameter": self._described(name)} if name in self.parameters else None

    def parameters_under(self, path: str) -> dict[str, Any]:
        """What GetParametersByPath answers."""
        names = (name for name in self.parameters if name.startswith(f"{path}/"))
        return {"Parameters": [self._described(name) for name in names]}

    def _described(self, name: str) -> dict[str, Any]:
        return {
            "ARN": f"arn:aws:ssm:eu-central-1:111111111111:parameter{name}",
            "Name": name,
            "Type": "String",
            "DataType": "text",
            "Value": self.parameters[name],
            "Version": 1,
        }


class Extension(Loopback):
    """The AWS Parameters and Secrets Lambda Extension, which answers in the INVOKE phase only.

    Args:
        stored: what it reads.
        token: the AWS_SESSION_TOKEN that its clients must send.
    """

    def __init__(self, stored: Stored, token: str) -> None:
        super().__init__(self._answer)
        self._stored = stored
        self._token = token
        self._invoked = False

    def init(self) -> None:
        """A new environment starts: nothing is answered until ``invoke``."""
        self._invoked = False

    def invoke(self) -> None:
        """The first call comes in."""
        self._invoked = True

    def _answer(self, asked: Asked) -> Answer:
        if not self._invoked:
            return Answer(400, b"not ready to serve traffic, please wait")
        if asked.headers.get("X-Aws-Parameters-Secrets-Token") != self._token:
            return Answer(401, b"the token is missing or wrong")
        url = urlsplit(asked.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path == "/secretsmanager/get":
            return self._found(self._stored.secret(query["secretId"], query["versionStage"]))
        if url.path == "/systemsmanager/parameters/get":
            return self._found(self._stored.parameter(query["name"]))
        return Answer(404)

    def _found(self, found: dict[str, Any] | None) -> Answer:
        if found is None:
            return Answer(400, b"operation error: ResourceNotFoundException")
        return Answer(200, json.dumps(found | {"ResultMetadata": {}}).encode())


class AwsStores(Loopback):
    """The two services' own endpoint (AWS JSON protocol 1.1).

    Args:
        stored: what they hold.
    """

    def __init__(self, stored: Stored) -> None:
        super().__init__(self._answer)
        self._operations: dict[str, Callable[[Any], dict[str, Any] | None]] = {
            "secretsmanager.GetSecretValue": lambda asked: stored.secret(
                asked["SecretId"], asked["VersionStage"]
            ),
            "AmazonSSM.GetParameter": lambda asked: stored.parameter(asked["Name"]),
            "AmazonSSM.GetParametersByPath": lambda asked: stored.parameters_under(asked["Path"]),
        }

    def _answer(self, asked: Asked) -> Answer:
        operation = self._operations[asked.headers["X-Amz-Target"]]
        found = operation(json.loads(asked.body))
        json_type = {"Content-Type": "application/x-amz-json-1.1"}
        if found is None:
            return Answer(400, b'{"__type":"ResourceNotFoundException"}', json_type)
        return Answer(200, json.dumps(found).encode(), json_type)
