"""The four steps on moto, for what it does rightly."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from tests.support.rig import (
    Rig,
)
from tests.support.rotation import RotationContract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_secretsmanager import SecretsManagerClient


def function_arn() -> str:
    """A function that does nothing when moto invokes it; the tests call the steps themselves."""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    return boto3.client("lambda").create_function(
        FunctionName="testing-rotation",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="app.rotate",
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]


@pytest.fixture(scope="module")
def arn() -> Iterator[str]:
    """An account with that function."""
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield function_arn()


@pytest.fixture
def rig(arn: str) -> Rig:
    """No secrets."""
    client = boto3.client("secretsmanager")
    for secret in client.list_secrets()["SecretList"]:
        client.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)

    def ask(client: SecretsManagerClient, name: str) -> str:
        return client.rotate_secret(
            SecretId=name,
            RotationLambdaARN=arn,
            RotationRules={"AutomaticallyAfterDays": 1000},
        )["VersionId"]

    return Rig(client, ask)


class TestOnMoto(RotationContract):
    """As far as moto goes."""
