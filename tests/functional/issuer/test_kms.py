"""An application whose key lives in KMS, through the issuer."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.tickets import load_public_key, verify_user_sig
from tests.functional.issuer.conftest import Issuer, put_settings
from tests.support.reports import STACK

if TYPE_CHECKING:
    from chalicelib.keys.kms import KmsKey

KMS_APP = 1400000005
ENTRY = {"sdkAppId": KMS_APP, "userId": "alice", "roomId": 1234}


@pytest.fixture(scope="module", autouse=True)
def kms_key_id(issuer: Issuer) -> str:
    """A key in KMS, and a secret that names it."""
    assert issuer
    made = boto3.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    key_id: str = made["KeyMetadata"]["KeyId"]
    put_settings(KMS_APP)
    value = json.dumps({"algorithm": "ECDSA-SHA256", "kmsKeyId": key_id})
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name=f"{STACK}/app/{KMS_APP}", SecretString=value)
    return key_id


def test_an_entry_is_signed_by_kms(issuer: Issuer) -> None:
    """Both tickets verify with the public key that the API shows under the entry's keyId."""
    entry = issuer.post("/v1/entries", ENTRY).body
    (shown,) = issuer.public_keys(KMS_APP).body["keys"]
    assert shown["keyId"] == entry["keyId"]
    now, public = int(time.time()), load_public_key(shown["publicKey"])
    who = {"sdk_app_id": KMS_APP, "user_id": "alice"}
    assert verify_user_sig(entry["userSig"], [public], **who, now=now).key_id == entry["keyId"]  # type: ignore[arg-type]  # A dict of two types.


def test_a_string_room_is_refused_as_for_any_ecdsa_key(issuer: Issuer) -> None:
    """Where the key lies makes no difference to what its tickets can say."""
    answer = issuer.post(
        "/v1/entries", {"sdkAppId": KMS_APP, "userId": "alice", "strRoomId": "lobby"}
    )
    assert answer.code == "string-room-unsupported"


@pytest.mark.parametrize(
    ("aws_code", "code"),
    [("KMSInternalException", "store-unavailable"), ("DisabledException", "no-signing-key")],
)
@pytest.mark.parametrize("resource", ["/v1/entries", "/v1/user-sigs", "/v1/private-map-keys"])
def test_a_kms_that_is_down_is_a_503(
    issuer: Issuer,
    capsys: pytest.CaptureFixture[str],
    resource: str,
    aws_code: str,
    code: str,
) -> None:
    """With Retry-After, a metric, and no word of KMS's own."""
    issuer.post("/v1/entries", ENTRY)
    key: KmsKey = issuer.function.module.applications.get(KMS_APP).key
    body = {name: ENTRY[name] for name in ENTRY if name != "roomId" or "sigs" not in resource}
    capsys.readouterr()
    with Stubber(key._client) as stub:
        stub.add_client_error("sign", aws_code, "internal words")
        answer = issuer.post(resource, body)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, code, "5")
    printed = capsys.readouterr().out
    failure, line = (json.loads(each) for each in printed.splitlines())
    assert (failure["StoreFailures"], failure["reason"]) == (1, aws_code)
    assert (line["TicketsRefused"], line["reason"]) == (1, code)
    assert "internal words" not in printed + json.dumps(answer.body)
