from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.tickets import load_key
from tests.functional.issuer.conftest import (
    ECDSA_APP,
    HMAC_APP,
    KEYLESS_APP,
    Issuer,
    put_settings,
)
from tests.support.keys import new_secret
from tests.support.reports import STACK

INSPECTIONS = "/v1/inspections"
ROTATED_APP = 1400000006


def entry(issuer: Issuer, app: int = ECDSA_APP) -> dict[str, Any]:
    return issuer.post("/v1/entries", {"sdkAppId": app, "userId": "alice", "roomId": 1234}).body


def verdict(issuer: Issuer, ticket: str, **expected: Any) -> int:
    answer = issuer.post(INSPECTIONS, {"sdkAppId": ECDSA_APP, "ticket": ticket} | expected)
    assert answer.status == 200
    code: int = answer.body["verdict"]["code"]
    return code


def test_a_good_ticket_is_shown_and_found_good(issuer: Issuer) -> None:
    """Its fields, its kind, the key that signed, and a verdict of 0."""
    made = entry(issuer)
    wanted = {"sdkAppId": ECDSA_APP, "ticket": made["privateMapKey"], "roomId": 1234}
    body = issuer.post(INSPECTIONS, wanted).body
    assert (body["kind"], body["keyId"], body["verdict"]["code"]) == (
        "privateMapKey",
        made["keyId"],
        0,
    )
    assert body["fields"]["userId"] == "alice"
    assert body["fields"]["endsAt"] == made["privateMapKeyExpiresAt"]


@pytest.mark.parametrize(
    ("change", "expected", "code"),
    [
        (lambda t: t[:-9], {}, 70003),
        (lambda t: t, {"userId": "bob"}, 70013),
        (lambda t: t, {"sdkAppId": HMAC_APP}, 70014),
        (lambda _: "", {}, 70002),
    ],
)
def test_a_bad_user_sig_gets_tencents_code(
    issuer: Issuer, change: Any, expected: dict[str, Any], code: int
) -> None:
    """Cut short, of another user, of another application, empty: each by its number."""
    assert verdict(issuer, change(entry(issuer)["userSig"]), **expected) == code


def test_a_private_map_key_of_another_room(issuer: Issuer) -> None:
    """Tencent calls it wrong, 87."""
    assert verdict(issuer, entry(issuer)["privateMapKey"], roomId=5) == 87


def test_without_keys_there_is_no_verdict(issuer: Issuer) -> None:
    """An application that has no key yet can't tell a good ticket from a bad one."""
    answer = issuer.post(INSPECTIONS, {"sdkAppId": KEYLESS_APP, "ticket": "x"})
    assert (answer.status, answer.code) == (503, "no-signing-key")


@given(ticket=st.text(max_size=80))
def test_no_text_whatever_makes_a_fault(issuer: Issuer, ticket: str) -> None:
    """Anything that JSON can carry gets a verdict that is not 0."""
    assert verdict(issuer, ticket) != 0


def test_public_keys_are_shown_and_secrets_are_not(issuer: Issuer) -> None:
    """ECDSA shows its public PEM; HMAC has none to show; no answer holds a secret."""
    ecdsa, hmac = issuer.public_keys(ECDSA_APP), issuer.public_keys(HMAC_APP)
    (key,) = ecdsa.body["keys"]
    assert abs(key["since"] - time.time()) < 600
    assert (key["keyId"], key["state"]) == (issuer.keys[ECDSA_APP].key_id, "current")
    assert key["publicKey"].startswith("-----BEGIN PUBLIC KEY-----")
    assert hmac.body["keys"] == [
        {
            "keyId": issuer.keys[HMAC_APP].key_id,
            "state": "current",
            "algorithm": "HMAC-SHA256",
            "since": hmac.body["keys"][0]["since"],
        }
    ]
    assert not [secret for secret in issuer.secrets if secret in str(ecdsa) + str(hmac)]


def test_every_state_of_a_key_is_shown(issuer: Issuer) -> None:
    """After a rotation, with the next candidate in waiting."""
    secrets, name = boto3.client("secretsmanager"), f"{STACK}/app/{ROTATED_APP}"
    ids, stages = {}, ("AWSPREVIOUS", "AWSCURRENT", "NEXT", "AWSPENDING")
    for stage in stages:
        secret = new_secret()
        ids[stage] = load_key("HMAC-SHA256", secret).key_id
        value = json.dumps({"algorithm": "HMAC-SHA256", "key": secret})
        if stage == "AWSPREVIOUS":
            put_settings(ROTATED_APP)
            secrets.create_secret(Name=name, SecretString=value)
        else:
            secrets.put_secret_value(SecretId=name, SecretString=value, VersionStages=[stage])
    shown = [(key["state"], key["keyId"]) for key in issuer.public_keys(ROTATED_APP).body["keys"]]
    assert shown == [
        ("current", ids["AWSCURRENT"]),
        ("previous", ids["AWSPREVIOUS"]),
        ("pending", ids["AWSPENDING"]),
        ("candidate", ids["NEXT"]),
    ]


@pytest.mark.parametrize("app", ["0", "x", "4294967296", "1e9", "1" * 5000])
def test_a_wrong_application_in_the_path_is_named(issuer: Issuer, app: str) -> None:
    """The parameter is named as path parameters are."""
    answer = issuer.public_keys(app)
    assert (answer.status, answer.code, answer.places) == (400, "invalid-request", ["app"])
