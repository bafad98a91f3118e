"""What the stand-in of Secrets Manager asks the local AWS for: who may, functions, its secrets."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.emulators.secrets import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boto3.session import Session

    from infra.emulators.secrets import State

_SECONDS: Final = 30.0
_ROOT: Final = "Credential=test/"
_PRINCIPAL: Final = "secretsmanager.amazonaws.com"
# What its own Secrets Manager answers to callers who may: it has none of the stand-in's secrets, or
# a shadow of one, which nobody reads.
_MAY: Final = (
    "InvalidParameterException",
    "InvalidRequestException",
    "ResourceExistsException",
    "ResourceNotFoundException",
)


class LocalSurroundings:
    """The local AWS around the stand-in.

    Args:
        session: of its root user.
        endpoint: of the local AWS.
    """

    def __init__(self, session: Session, endpoint: str) -> None:
        self._endpoint = endpoint
        config = Config(read_timeout=_SECONDS, retries={"total_max_attempts": 1})
        self._lambda = session.client("lambda", endpoint_url=endpoint, config=config)
        self._secrets = session.client("secretsmanager", endpoint_url=endpoint, config=config)

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """See Surroundings: the local AWS is sent the request as it is, since that is signed."""
        if _ROOT in headers.get("Authorization", ""):
            return
        host = urlsplit(self._endpoint)
        connection = HTTPConnection(host.hostname or "", host.port, timeout=_SECONDS)
        try:
            connection.request("POST", "/", body, dict(headers))
            response = connection.getresponse()
            status, answer = response.status, json.loads(response.read() or b"{}")
        except (OSError, HTTPException) as error:
            message = f"The local AWS can't be asked: {type(error).__name__}"
            raise Refused("InternalServiceError", message) from None
        finally:
            connection.close()
        code = str(answer.get("__type", "")).rpartition("#")[2]
        if status != HTTPStatus.OK and code not in _MAY:
            raise Refused(code or "AccessDeniedException", str(answer.get("message", "")))

    def check_function(self, function_arn: str) -> None:
        """See Surroundings."""
        account = function_arn.split(":")[4]
        missing = self._lambda.exceptions.ResourceNotFoundException
        try:
            policy = json.loads(self._lambda.get_policy(FunctionName=function_arn)["Policy"])
        except missing:
            policy = {"Statement": []}
        if not any(_lets_in(statement, account) for statement in policy["Statement"]):
            raise Refused(
                "AccessDeniedException",
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the "
                f"function policy grants access to the principal {_PRINCIPAL}.",
            )

    def invoke(self, function_arn: str, event: Mapping[str, str]) -> bool:
        """See Surroundings."""
        payload = json.dumps(event).encode()
        try:
            answer = self._lambda.invoke(FunctionName=function_arn, Payload=payload)
        except (BotoCoreError, ClientError):
            return False  # As on AWS: the rotation stops where it is.
        return "FunctionError" not in answer

    def find(self, secret_id: str) -> State | None:
        """See Surroundings."""
        missing = self._secrets.exceptions.ResourceNotFoundException
        try:
            found = self._secrets.describe_secret(SecretId=secret_id)
            kept = {"ARN": found["ARN"], "Name": found["Name"]}
            value = self._secrets.get_secret_value(SecretId=secret_id).get("SecretString")
        except missing:
            return None
        return kept | ({"SecretString": value} if value else {})


def _lets_in(statement: Mapping[str, Any], account: str) -> bool:
    if statement.get("Principal") != {"Service": _PRINCIPAL}:
        return False
    condition = statement.get("Condition", {}).get("StringEquals", {})
    return bool(statement["Effect"] == "Allow" and condition.get("AWS:SourceAccount") == account)
