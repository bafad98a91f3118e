"""A stack's stores filled for webhook and rooms, and calls of the two functions."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import boto3
from jsonschema import Draft202012Validator

from chalicelib.auth.caller import Caller, hash_of
from chalicelib.auth.report_tokens import Claims, TokenKey, mint
from chalicelib.roster.pace import EACH, JITTER, LONGEST
from chalicelib.stores.settings import LARGEST_ROOM, Settings
from tests.support.apps import api_event
from tests.support.event_table import create_table

if TYPE_CHECKING:
    from types import ModuleType

    from chalicelib.trtc import Room

STACK: Final = "testing"
TABLE: Final = "events"
APP: Final = 1400037025
KEY: Final = b"k" * 32
API_KEY: Final = "rg_reader_" + "r" * 43
EVERYWHERE: Final = "rg_everywhere_" + "e" * 43
"""Of a caller who may read every application."""
ENVIRONMENT: Final = {"ROOMGATE_STACK": STACK, "ROOMGATE_TABLE": TABLE}

REPORTS: Final = "/v1/userlist-reports"
ROOMS: Final = "/v1/apps/{app}/rooms"
ROOM: Final = "/v1/apps/{app}/rooms/{room}"
TIMELINE: Final = "/v1/apps/{app}/rooms/{room}/timeline"
SESSIONS: Final = "/v1/apps/{app}/users/{user}/sessions"


def fill_stores() -> None:
    """Make the table, the report-token secret and a caller who may read one application."""
    create_table(boto3.client("dynamodb"), TABLE)
    key = base64.urlsafe_b64encode(KEY).rstrip(b"=").decode()
    secret = {"keys": [{"kid": "1", "key": key, "notAfter": None}]}
    boto3.client("secretsmanager").create_secret(
        Name=f"{STACK}/report-token", SecretString=json.dumps(secret)
    )
    settings = Settings(largest_room=LARGEST_ROOM).to_json()
    name = f"/{STACK}/apps/{APP}"
    boto3.client("ssm").put_parameter(Name=name, Value=settings, Type="String")
    put_caller(API_KEY, applications=frozenset({APP}), actions=frozenset({"read"}))
    put_caller(EVERYWHERE, actions=frozenset({"read"}))


def put_caller(api_key: str, **may: Any) -> None:
    """Store a caller of an API key, with so high a rate that tests never meet it."""
    caller = Caller(api_key.split("_")[1], (hash_of(api_key),), rate=1e6, burst=10**6, **may)
    name = f"/{STACK}/callers/{caller.id}"
    boto3.client("ssm").put_parameter(Name=name, Value=caller.to_json(), Type="String")


def token(user_id: str, room: Room, *, epoch: int = 1_600_000_000_000, **changes: Any) -> str:
    """A report token that ends in an hour."""
    claims = Claims(APP, user_id, room, epoch, int(time.time()) + 3600)
    return mint(TokenKey("1", KEY, None), claims._replace(**changes))


class Answer(NamedTuple):
    """What a function answered."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def code(self) -> str | None:
        """A problem's code."""
        return self.body.get("code")

    @property
    def places(self) -> list[str]:
        """Where a problem says that members or parameters are wrong."""
        errors = self.body.get("errors", [])
        return [error.get("pointer") or error["parameter"] for error in errors]


def paced(answer: Answer) -> Answer:
    """An answer to a member without its pace, which each one tells."""
    if answer.status == 200:
        pace = answer.body.pop("heartbeatAfterMs")
        assert EACH <= pace <= LONGEST * (1 + JITTER)
    return answer


class Function:
    """One function, called as API Gateway calls it; every answer is held to its API document."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self._app = module.app
        _, _, self._document = self._send("GET", "/v1/openapi.json", {})

    def call(self, method: str, resource: str, **parts: Any) -> Answer:
        """Send a request; ``parts`` are those of `api_event`."""
        answer = self._send(method, resource, parts)
        operation = self._document["paths"][resource][method.lower()]
        response = operation["responses"][str(answer.status)]
        if "content" not in response:
            assert not answer.body
            return answer
        ((media_type, content),) = response["content"].items()
        assert answer.headers["Content-Type"] == media_type
        schema = {**content["schema"], "components": self._document["components"]}
        Draft202012Validator(schema).validate(answer.body)
        return answer

    def report(self, bearer: str, body: Any) -> Answer:
        """Post a report; a body that is no bytes is sent as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {bearer}"}
        return paced(self.call("POST", REPORTS, body=raw, headers=headers))

    def read(
        self,
        resource: str,
        *,
        app: object = APP,
        api_key: str = API_KEY,
        known: str = "",
        query: dict[str, str] | None = None,
        repeated: str = "",
        **path: str,
    ) -> Answer:
        """Ask for what may be read; ``known`` goes into If-None-Match.

        ``repeated`` names a parameter of the query that comes twice.
        """
        headers = {"Authorization": f"Bearer {api_key}"} | (
            {"If-None-Match": known} if known else {}
        )
        return self.call(
            "GET",
            resource,
            headers=headers,
            path={"app": str(app), **path},
            query={
                name: [value] * (2 if name == repeated else 1)
                for name, value in (query or {}).items()
            }
            or None,
        )

    def _send(self, method: str, resource: str, parts: dict[str, Any]) -> Answer:
        answered = self._app(api_event(method, resource, **parts), None)
        body = answered["body"]
        assert isinstance(body, str)
        return Answer(answered["statusCode"], answered["headers"], json.loads(body or "{}"))
