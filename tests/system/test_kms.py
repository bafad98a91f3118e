"""An application whose key lives in KMS, deployed."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from chalicelib.tickets import load_public_key, verify_user_sig
from infra.layout import InfraError

if TYPE_CHECKING:
    from infra.deploy.deployment import Deployed
    from infra.local.aws import LocalAws
    from tests.system.conftest import Tenant, Tenants

SECONDS = 30


@pytest.fixture
def owner(tenants: Tenants) -> Tenant:
    """An application of the test's own, with a key in Secrets Manager."""
    return tenants.new()


def new_kms_key(aws: LocalAws, tag: str) -> str:
    """Make a key for signing, with the tag ``roomgate``; its id."""
    client: Any = aws.cloud.session.client("kms", endpoint_url=aws.endpoint)
    tags = [{"TagKey": "roomgate", "TagValue": tag}]
    made = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Tags=tags)
    key_id: str = made["KeyMetadata"]["KeyId"]
    return key_id


def test_an_application_moves_to_a_key_in_kms(
    aws: LocalAws, deployed: Deployed, tenants: Tenants, owner: Tenant
) -> None:
    """Rotated to like any other; its tickets verify with the public half that the API shows."""
    app = str(owner.sdk_app_id)
    kms_key_id = new_kms_key(aws, deployed.stack)
    imported = tenants.operator.run("keys", "import", app, "--kms-key-id", kms_key_id)
    assert imported["state"] == "candidate"
    after = tenants.operator.run("keys", "rotate", app)["after"]
    assert after == {"current": imported["keyId"], "previous": owner.key_id}
    until = time.monotonic() + SECONDS
    given = ticket(deployed, owner)
    while given["keyId"] != imported["keyId"]:
        assert time.monotonic() < until
        given = ticket(deployed, owner)
    url = f"{deployed.urls['issuer']}/v1/apps/{app}/keys"
    shown = requests.get(url, headers=owner.headers, timeout=SECONDS).json()["keys"]
    (public,) = [load_public_key(each["publicKey"]) for each in shown if each["state"] == "current"]
    who: Any = {"sdk_app_id": owner.sdk_app_id, "user_id": "alice", "now": int(time.time())}
    assert verify_user_sig(given["userSig"], [public], **who).key_id == imported["keyId"]


def test_a_key_without_the_tag_of_the_stack_signs_nothing(
    aws: LocalAws, deployed: Deployed, tenants: Tenants, owner: Tenant
) -> None:
    """The functions' roles allow tagged keys only: the candidate fails, the key before signs on."""
    app = str(owner.sdk_app_id)
    kms_key_id = new_kms_key(aws, "somebody-else")
    begin = len(aws.log.read_text())
    tenants.operator.run("keys", "import", app, "--kms-key-id", kms_key_id)
    with pytest.raises(InfraError, match="has not succeeded"):
        tenants.operator.run("keys", "rotate", app, "--timeout", "5")
    failed = [line for line in aws.log.read_text()[begin:].splitlines() if "RotationFailed" in line]
    assert [json.loads(line)["reason"] for line in failed] == ["AccessDeniedException"]
    assert ticket(deployed, owner)["keyId"] == owner.key_id
    tenants.operator.run("keys", "abort", app)


def ticket(deployed: Deployed, tenant: Tenant) -> Any:
    """Ask for a userSig; anything but a ticket fails the test."""
    body = {"sdkAppId": tenant.sdk_app_id, "userId": "alice"}
    url = f"{deployed.urls['issuer']}/v1/user-sigs"
    answer = requests.post(url, headers=tenant.headers, json=body, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    return answer.json()
