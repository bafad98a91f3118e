from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.api.problems import PROBLEMS, TYPE_PREFIX
from infra.deploy.gateway import gateway_responses

RESPONSES = gateway_responses()
STATUSES = {
    "MISSING_AUTHENTICATION_TOKEN": 404,
    "RESOURCE_NOT_FOUND": 404,
    "DEFAULT_4XX": 404,
    "REQUEST_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "THROTTLED": 429,
    "QUOTA_EXCEEDED": 429,
    "UNAUTHORIZED": 401,
    "ACCESS_DENIED": 403,
    "INTEGRATION_FAILURE": 500,
    "INTEGRATION_TIMEOUT": 500,
    "DEFAULT_5XX": 500,
}


@pytest.mark.parametrize("kind", sorted(RESPONSES))
def test_each_answer_is_a_problem(kind: str) -> None:
    """A caller reads the gateway's answers as it reads the functions' own."""
    body = _body(kind)
    assert sorted(body) == ["code", "detail", "requestId", "status", "title", "type"]
    assert (body["status"], body["title"]) == PROBLEMS[body["code"]]
    assert body["type"] == TYPE_PREFIX + body["code"]
    assert body["requestId"] == "$context.requestId"
    assert RESPONSES[kind]["statusCode"] == str(body["status"])
    headers = RESPONSES[kind]["responseParameters"]
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_statuses(kind: str, status: int) -> None:
    """An unknown path or method is a 404, too much is 413 or 429, the gateway's own faults 500."""
    assert _body(kind)["status"] == status


def test_pages_of_other_origins_read_them_where_some_may_report() -> None:
    """A page that is throttled can be told so; without listed origins nothing is added."""
    header = "gatewayresponse.header.Access-Control-Allow-Origin"
    for response in gateway_responses(cross_origin=True).values():
        condition, origin, otherwise = response["responseParameters"][header]["Fn::If"]
        assert (condition, origin) == ("CrossOrigin", "method.request.header.Origin")
        assert otherwise == {"Ref": "AWS::NoValue"}
    assert all(header not in response["responseParameters"] for response in RESPONSES.values())


def test_throttled_callers_are_told_when_to_try_again() -> None:
    """A 429 carries Retry-After, and nothing else does."""
    told = {
        kind
        for kind, response in RESPONSES.items()
        if "gatewayresponse.header.Retry-After" in response["responseParameters"]
    }
    assert told == {"THROTTLED", "QUOTA_EXCEEDED"}


def _body(kind: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(RESPONSES[kind]["responseTemplates"]["application/json"])
    return body
