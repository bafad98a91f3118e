"""The four steps on moto, for what it does rightly."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from chalicelib.auth.secret_kinds import SecretKinds
from chalicelib.keys.kms import KmsKey
from chalicelib.keys.material import KeyReader
from chalicelib.keys.rotation import BadCandidate, Rotation
from chalicelib.keys.versions import put_candidate
from chalicelib.stores.store import UnusableKey
from tests.support.keys import new_secret
from tests.support.rig import NAME, NAMES, NOW, Labels, Rig, ecdsa_value, key_value
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


def kms_value() -> str:
    """A secret's value that names a new key in KMS."""
    made = boto3.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return json.dumps({"algorithm": "ECDSA-SHA256", "kmsKeyId": made["KeyMetadata"]["KeyId"]})


def test_a_key_may_move_into_kms_and_back(rig: Rig) -> None:
    """It is a rotation like any other; KMS signs when the candidate is tried."""
    first, in_kms, third = ecdsa_value(), kms_value(), key_value(new_secret())
    rig.settle(first, in_kms)
    rig.steps(rig.begin())
    assert rig.labels() == Labels(in_kms, first, None, None)
    put_candidate(rig.client, rig.versions(), third)
    rig.steps(rig.begin())
    assert rig.labels() == Labels(third, in_kms, None, None)


def test_the_key_in_kms_that_signs_now_is_no_candidate(rig: Rig) -> None:
    """By its id as by its ARN it is the same key."""
    current = kms_value()
    kms_key_id = json.loads(current)["kmsKeyId"]
    arn = boto3.client("kms").describe_key(KeyId=kms_key_id)["KeyMetadata"]["Arn"]
    rig.settle(current, json.dumps(json.loads(current) | {"kmsKeyId": arn}))
    with pytest.raises(BadCandidate, match="signs now"):
        rig.step("createSecret", rig.begin())


def test_a_key_that_kms_does_not_sign_with_never_becomes_current(rig: Rig) -> None:
    """One that was disabled after its import: the steps fail with the reason, whichever is called.

    The current key stays, and the candidate is kept.
    """
    old, candidate = ecdsa_value(), kms_value()
    rig.settle(old, candidate)
    reader = KeyReader()
    key = reader.read(candidate, NAME)
    assert isinstance(key, KmsKey)
    rig.rotation = Rotation(rig.client, SecretKinds(rig.store, NAMES, reader, lambda: NOW).of)
    token = rig.begin()
    rig.step("createSecret", token)
    with Stubber(key._client) as stub:
        for step in ("testSecret", "finishSecret"):
            stub.add_client_error("sign", "DisabledException")
            with pytest.raises(UnusableKey, match="DisabledException"):
                rig.step(step, token)
    assert rig.labels() == Labels(old, None, candidate, candidate)
