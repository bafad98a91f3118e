"""Keys that live in KMS, on moto: they sign there, and verify here."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber
from moto import mock_aws

from chalicelib.keys.kms import KmsKey, KmsKeys
from chalicelib.keys.material import KeyReader
from chalicelib.stores.store import StoreDown, UnusableKey
from chalicelib.tickets import (
    issue_private_map_key,
    issue_user_sig,
    load_public_key,
    verify_private_map_key,
    verify_user_sig,
)
from chalicelib.trtc.identifiers import parse_room

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "roomgate/app/1400000001"
WHO: dict[str, Any] = {"sdk_app_id": 1400000001, "user_id": "alice"}
NOW = int(time.time())


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def kms_key(spec: str = "ECC_NIST_P256", usage: Any = "SIGN_VERIFY") -> str:
    """Make a key in KMS; its id."""
    made: Any = boto3.client("kms").create_key(KeySpec=spec, KeyUsage=usage)
    key_id: str = made["KeyMetadata"]["KeyId"]
    return key_id


def value(**changes: Any) -> str:
    return json.dumps({"algorithm": "ECDSA-SHA256", **changes})


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_SECG_P256K1"])
def test_a_key_in_kms_signs_tickets_like_any_other(spec: str) -> None:
    """Both kinds of ticket verify with the public half, whose fingerprint is the keyId."""
    key = KeyReader().read(value(kmsKeyId=kms_key(spec)), SECRET)
    assert isinstance(key, KmsKey)
    public = load_public_key(key.public_pem)
    assert (key.algorithm, key.key_id) == ("ECDSA-SHA256", public.key_id)
    sig = issue_user_sig(key, **WHO, now=NOW, ttl=60)
    assert verify_user_sig(sig, [public], **WHO, now=NOW).key_id == key.key_id
    map_key = issue_private_map_key(key, **WHO, room=parse_room(7), privileges=255, now=NOW, ttl=60)
    assert verify_private_map_key(map_key, [key], **WHO, room=parse_room(7), now=NOW).room == 7


def test_a_key_may_be_named_by_its_arn() -> None:
    """An id and an ARN name the same key for good."""
    kms_key_id = kms_key()
    arn = boto3.client("kms").describe_key(KeyId=kms_key_id)["KeyMetadata"]["Arn"]
    read = [KeyReader().read(value(kmsKeyId=each), SECRET) for each in (kms_key_id, arn)]
    assert read[0].key_id == read[1].key_id


@pytest.mark.parametrize(
    ("kms_key_id", "reason"),
    [
        ("alias/roomgate", "alias"),
        ("arn:aws:kms:eu-central-1:111111111111:alias/roomgate", "alias"),
        ("", "alias"),
        (7, "alias"),
        ("00000000-0000-0000-0000-000000000000", "NotFoundException"),
    ],
)
def test_what_names_no_key_is_refused(kms_key_id: object, reason: str) -> None:
    """An alias can be pointed elsewhere behind everyone's back, so it names no key."""
    with pytest.raises(UnusableKey, match=reason):
        KeyReader().read(value(kmsKeyId=kms_key_id), SECRET)


@pytest.mark.parametrize("spec", ["ECC_NIST_P384", "RSA_2048"])
def test_a_key_of_another_kind_is_refused(spec: str) -> None:
    """Tencent knows P-256 and secp256k1."""
    with pytest.raises(UnusableKey, match="signs no tickets"):
        KeyReader().read(value(kmsKeyId=kms_key(spec)), SECRET)


def test_a_key_for_something_else_is_refused() -> None:
    """A key that agrees on secrets can't sign."""
    keys = KmsKeys()
    kms_key_id = kms_key()
    with Stubber(keys._client) as stub:
        answer = {"KeyId": kms_key_id, "KeyUsage": "KEY_AGREEMENT", "PublicKey": b"x"}
        stub.add_response("get_public_key", answer)
        with pytest.raises(UnusableKey, match="not for signing"):
            keys.key(kms_key_id)


@pytest.mark.parametrize("changes", [{"key": "x"}, {"algorithm": "HMAC-SHA256"}])
def test_a_secret_that_says_two_things_is_refused(changes: dict[str, str]) -> None:
    """Both a key and a kmsKeyId, or one that KMS can't sign with."""
    with pytest.raises(UnusableKey):
        KeyReader().read(value(kmsKeyId=kms_key(), **changes), SECRET)


def test_the_public_half_is_read_once() -> None:
    """A refresh of the cache costs no call to KMS, so KMS may be down then."""
    reader, kms_key_id = KeyReader(), kms_key()
    first = reader.read(value(kmsKeyId=kms_key_id), SECRET)
    assert reader.read(value(kmsKeyId=kms_key_id), SECRET) is first


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("KMSInternalException", StoreDown),
        ("ThrottlingException", StoreDown),
        ("DisabledException", UnusableKey),
        ("AccessDeniedException", UnusableKey),
    ],
)
def test_a_kms_that_refuses(code: str, kind: type[StoreDown]) -> None:
    """What passes by itself is told apart from what an operator has to mend."""
    keys = KmsKeys()
    key = keys.key(kms_key())
    with Stubber(keys._client) as stub:
        stub.add_client_error("sign", code, "internal words")
        with pytest.raises(StoreDown) as caught:
            key.sign(b"content")
    assert (type(caught.value), caught.value.reason) == (kind, code)
    assert "internal words" not in str(caught.value)


@pytest.mark.parametrize("answer", [{}, {"Signature": b""}])
def test_a_kms_that_babbles_is_down(answer: dict[str, Any]) -> None:
    """No signature is no signature."""
    keys = KmsKeys()
    key = keys.key(kms_key())
    with Stubber(keys._client) as stub:
        stub.add_response("sign", answer)
        with pytest.raises(StoreDown):
            key.sign(b"content")


def test_a_kms_that_does_not_answer_is_down() -> None:
    """A time-out is a StoreDown."""

    class Silent:
        def sign(self, **_asked: Any) -> dict[str, Any]:
            raise ConnectTimeoutError(endpoint_url="https://kms.test")

    known = KmsKeys().key(kms_key())
    key = KmsKey(Silent(), "id", load_public_key(known.public_pem))
    with pytest.raises(StoreDown, match="ConnectTimeoutError"):
        key.sign(b"content")
    assert "KmsKey(ECDSA-SHA256" in repr(key)
