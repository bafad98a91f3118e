"""The issuer on moto, with an ECDSA application, an HMAC one, and callers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

from chalicelib.stores.settings import Settings
from chalicelib.tickets import load_key
from tests.support.keys import new_secret, pem_of_new_key
from tests.support.reports import STACK, Answer, Function, put_caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.tickets import SigningKey

ECDSA_APP = 1400000001
HMAC_APP = 1400000002
KEYLESS_APP = 1400000003
BROKEN_APP = 1400000004
API_KEY = "rg_backend_" + "b" * 43
BOUND_KEY = "rg_bound_" + "c" * 43
WEBHOOK_URL = "https://webhook.example.test"


class Issuer(NamedTuple):
    """The function, its keys, and what was put into the stores: nothing of it may show."""

    function: Function
    keys: dict[int, SigningKey]
    secrets: tuple[str, ...]

    def post(self, resource: str, body: Any, api_key: str | None = API_KEY, **parts: Any) -> Answer:
        """Send a POST; a body that is no bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        headers |= parts.pop("headers", {})
        return self.function.call("POST", resource, body=raw, headers=headers, **parts)

    def public_keys(self, app: object, api_key: str = API_KEY) -> Answer:
        """GET an application's keys."""
        headers = {"Authorization": f"Bearer {api_key}"}
        return self.function.call(
            "GET", "/v1/apps/{app}/keys", headers=headers, path={"app": str(app)}
        )


@pytest.fixture(scope="module")
def issuer(load: Callable[[str], Function]) -> Issuer:
    """The issuer, loaded once for a module."""
    ecdsa, hmac = pem_of_new_key(), new_secret()
    put_key(ECDSA_APP, "ECDSA-SHA256", ecdsa)
    put_key(HMAC_APP, "HMAC-SHA256", hmac)
    put_settings(KEYLESS_APP)
    put_key(BROKEN_APP, "ECDSA-SHA256", "no key at all")
    put_caller(API_KEY, actions=frozenset({"issue", "inspect"}))
    put_caller(
        BOUND_KEY,
        applications=frozenset({ECDSA_APP}),
        actions=frozenset({"issue"}),
        most_ttl=3600,
        users="tenant1-*",
        rooms="77*",
    )
    keys = {
        ECDSA_APP: load_key("ECDSA-SHA256", ecdsa),
        HMAC_APP: load_key("HMAC-SHA256", hmac),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROOMGATE_WEBHOOK_URL", WEBHOOK_URL)
        body = "".join(ecdsa.splitlines()[1:-1])
        return Issuer(load("issuer"), keys, (body, hmac, API_KEY, BOUND_KEY))


def put_settings(sdk_app_id: int) -> None:
    """Set an application up, without a key."""
    name = f"/{STACK}/apps/{sdk_app_id}"
    boto3.client("ssm").put_parameter(Name=name, Value=Settings().to_json(), Type="String")


def put_key(sdk_app_id: int, algorithm: str, key: str) -> None:
    """Set an application up, with a key."""
    put_settings(sdk_app_id)
    value = json.dumps({"algorithm": algorithm, "key": key})
    boto3.client("secretsmanager").create_secret(
        Name=f"{STACK}/app/{sdk_app_id}", SecretString=value
    )
