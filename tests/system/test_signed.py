"""Relays and Tencent's callbacks over real HTTP, with secrets that the command line has made."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.signing import (
    KNOWN_BODY,
    KNOWN_KEY,
    KNOWN_SIGN,
    callback_body,
    relay_headers,
    sign,
)

if TYPE_CHECKING:
    from infra.deploy.deployment import Deployed
    from tests.system.conftest import Tenant, Tenants

SECONDS = 30
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def secret(tenants: Tenants, tenant: Tenant) -> str:
    """The secret of the relay ``my-relay``, which may report of the tenant's application."""
    made = tenants.operator.run(
        "relays", "add", "my-relay", "--application", str(tenant.sdk_app_id)
    )
    text: str = made["secret"]
    return text


@pytest.fixture(scope="module")
def key(tenants: Tenants, tenant: Tenant) -> str:
    """The callback key of the tenant's application."""
    text: str = tenants.operator.run("callbacks", "set", str(tenant.sdk_app_id))["key"]
    return text


def relayed(deployed: Deployed, raw: bytes, headers: dict[str, str]) -> requests.Response:
    url = f"{deployed.urls['webhook']}/v1/relays/my-relay/userlist-reports"
    return requests.post(url, data=raw, headers=JSON | headers, timeout=SECONDS)


def called_back(deployed: Deployed, raw: bytes, app: int, signature: str) -> requests.Response:
    url = f"{deployed.urls['webhook']}/v1/trtc-callbacks"
    headers = {"SdkAppId": str(app), "Sign": signature}
    return requests.post(url, data=raw, headers=JSON | headers, timeout=SECONDS)


def said(tenant: Tenant, **changes: Any) -> bytes:
    whose = {"sdkAppId": tenant.sdk_app_id, "roomId": secrets.randbelow(2**32 - 1) + 1}
    body = whose | {"userId": "anna", "epoch": int(time.time() * 1000), "seq": 0} | changes
    return json.dumps(body, indent="\t", ensure_ascii=False).encode()


def test_a_relayed_report_arrives_byte_by_byte(
    deployed: Deployed, tenant: Tenant, secret: str
) -> None:
    """Tabs, line feeds and all that is not ASCII are signed as they are."""
    raw = said(tenant, userlist=[{"userid": "berta", "playurl": "room://é"}])
    answer = relayed(deployed, raw, relay_headers(raw, secret))
    assert (answer.status_code, answer.json()["members"]) == (200, 2), answer.text
    again = relayed(deployed, raw, relay_headers(raw, secret, message="msg_2"))
    assert again.json()["outcome"] == "duplicate"
    changed = relayed(deployed, raw + b"\n", relay_headers(raw, secret))
    assert (changed.status_code, changed.json()["code"]) == (401, "relay-signature-invalid")


def test_a_new_secret_counts_beside_the_old_one(
    deployed: Deployed, tenants: Tenants, tenant: Tenant, secret: str
) -> None:
    """A backend changes over whenever it likes, as soon as the webhook has read it."""
    newer = tenants.operator.run("relays", "rotate", "my-relay")["secret"]
    until = time.monotonic() + SECONDS
    status = 0
    while status != requests.codes.ok and time.monotonic() < until:
        raw = said(tenant, userlist=[])
        status = relayed(deployed, raw, relay_headers(raw, newer)).status_code
    assert status == requests.codes.ok
    raw = said(tenant, userlist=[])
    assert relayed(deployed, raw, relay_headers(raw, secret)).status_code == requests.codes.ok


def test_tencents_own_example_is_verified_byte_by_byte(
    deployed: Deployed, tenants: Tenants
) -> None:
    """Its signature is right, so all that is wrong with it is its age."""
    app = tenants.new().sdk_app_id
    tenants.operator.run("callbacks", "set", str(app), "-", given=KNOWN_KEY)
    answer = called_back(deployed, KNOWN_BODY, app, KNOWN_SIGN)
    assert (answer.status_code, answer.json()["code"]) == (401, "callback-out-of-time")
    answer = called_back(deployed, KNOWN_BODY.replace(b"\t", b" "), app, KNOWN_SIGN)
    assert answer.json()["code"] == "callback-signature-invalid"


def test_what_tencent_saw_is_taken_once(deployed: Deployed, tenant: Tenant, key: str) -> None:
    """A callback of now is answered as Tencent asks, and so is the same one again."""
    room = secrets.randbelow(2**32 - 1) + 1
    raw = callback_body(int(time.time() * 1000), RoomId=room, UserId="anna", More="é")
    for _ in range(2):
        answer = called_back(deployed, raw, tenant.sdk_app_id, sign(key, raw))
        assert (answer.status_code, answer.json()) == (200, {"code": 0})


def test_a_callback_that_tencent_did_not_sign_is_refused(
    deployed: Deployed, tenant: Tenant, key: str
) -> None:
    """Neither another application's signature nor one of another body counts."""
    raw = callback_body(int(time.time() * 1000), RoomId=1, UserId="anna")
    for sent, app in ((raw, tenant.sdk_app_id + 7), (raw + b" ", tenant.sdk_app_id)):
        answer = called_back(deployed, sent, app, sign(key, raw))
        assert (answer.status_code, answer.json()["code"]) == (401, "callback-signature-invalid")
    broken = b"\xff\xfe\x00"
    answer = called_back(deployed, broken, tenant.sdk_app_id, sign("k", broken))
    assert (answer.status_code, answer.json()["code"]) == (401, "callback-signature-invalid")
