"""The strict stand-in, which calls the steps only where a test has them called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest

from infra.emulators.secretsmanager import Nobody, SecretsManagerEmulator
from tests.support.rig import (
    FUNCTION_ARN,
    Rig,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_secretsmanager import SecretsManagerClient


def ask(client: SecretsManagerClient, name: str) -> str:
    """RotateSecret."""
    begun = client.rotate_secret(
        SecretId=name,
        RotationLambdaARN=FUNCTION_ARN,
        RotationRules={"AutomaticallyAfterDays": 1000},
    )
    return begun["VersionId"]


@pytest.fixture(scope="module")
def standin() -> Iterator[SecretsManagerEmulator]:
    """A stand-in that calls no function: the tests do."""
    with SecretsManagerEmulator(Nobody()) as running:
        yield running


@pytest.fixture(scope="module")
def client(standin: SecretsManagerEmulator) -> SecretsManagerClient:
    """A client of it."""
    return boto3.client("secretsmanager", endpoint_url=standin.url)


@pytest.fixture
def strict(standin: SecretsManagerEmulator, client: SecretsManagerClient) -> Rig:
    """An empty account on the stand-in."""
    standin.settle()
    standin.around = Nobody()
    standin._secrets.state.clear()
    return Rig(client, ask)
