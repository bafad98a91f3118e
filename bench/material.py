"""What every measurement works on: a key made on the spot, what the stores hold, one request."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench.emulators.stores import Stored
from chalicelib.auth.caller import Caller, hash_of
from chalicelib.stores.names import Names
from chalicelib.stores.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

STACK: Final = "roomgate"
WEBHOOK_URL: Final = "https://rooms.example.com/webhook"
SDK_APP_ID: Final = 1_400_037_025
USER_ID: Final = "oGZUI0egBJY1zhBYw2KhdUfwVJJE"  # As long as an openid.
ROOM: Final = 1234
NOW: Final = 1_600_000_000
TTL: Final = 86_400
SESSION_TOKEN: Final = "session"  # noqa: S105 (what the stand-ins ask for)
REGION: Final = "eu-central-1"


class Material(NamedTuple):
    """A key, an API key and a store that knows both; its repr shows neither."""

    private: EllipticCurvePrivateKey
    pem: str
    api_key: str
    stored: Stored

    def __repr__(self) -> str:
        return "Material(…)"


def make_material() -> Material:
    """New keys, and a store with one application and one caller, whose rate is without limit."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    api_key = f"rg_bench_{secrets.token_urlsafe(32)}"
    return Material(private, pem, api_key, _stored(pem, api_key))


def _stored(pem: str, api_key: str) -> Stored:
    names = Names(STACK)
    token_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    token_keys = {"keys": [{"kid": "k1", "key": token_key, "notAfter": None}]}
    caller = Caller("bench", (hash_of(api_key),), rate=1e9, burst=10**9)
    return Stored(
        secrets={
            names.key(SDK_APP_ID): json.dumps({"algorithm": "ECDSA-SHA256", "key": pem}),
            names.report_token: json.dumps(token_keys),
        },
        parameters={
            names.settings(SDK_APP_ID): Settings().to_json(),
            names.caller(caller.id): caller.to_json(),
        },
    )


def entry_event(api_key: str) -> dict[str, Any]:
    """``POST /v1/entries`` as API Gateway's REST API hands it to Lambda, with a backend's headers.

    Shape: AWS Lambda docs, "Input format of a Lambda function for proxy integration".
    """
    headers = {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",
        "Authorization": f"Bearer {api_key}",
        "Content-Type": "application/json",
        "Host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
        "User-Agent": "python-requests/2.32.0",
        "X-Amzn-Trace-Id": "Root=1-5f5e1000-0123456789abcdef01234567",
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    body = {
        "sdkAppId": SDK_APP_ID,
        "userId": USER_ID,
        "roomId": ROOM,
        "role": "anchor",
        "privateMapKeyTtl": TTL,
    }
    return {
        "resource": "/v1/entries",
        "path": "/v1/entries",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": _request_context("/v1/entries", "POST"),
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def _request_context(path: str, method: str) -> dict[str, Any]:
    return {
        "resourceId": "abc123",
        "resourcePath": path,
        "httpMethod": method,
        "extendedRequestId": "JKJaXmPLvHcESHA=",
        "requestTime": "13/Sep/2020:12:26:40 +0000",
        "path": f"/api{path}",
        "accountId": "111111111111",
        "protocol": "HTTP/1.1",
        "stage": "api",
        "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
        "requestTimeEpoch": 1_600_000_000_000,
        "requestId": "33333333-3333-4333-8333-333333333333",
        "identity": {"sourceIp": "203.0.113.7", "userAgent": "python-requests/2.32.0"},
        "apiId": "a1b2c3d4e5",
    }


def empty_event() -> dict[str, Any]:
    """``GET /``, likewise, for the empty app."""
    event = entry_event("none")
    return event | {
        "resource": "/",
        "path": "/",
        "httpMethod": "GET",
        "requestContext": _request_context("/", "GET"),
        "body": None,
    }
