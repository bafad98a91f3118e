from __future__ import annotations

import json
from typing import Any

import pytest
from chalice.app import Chalice, Response
from openapi_spec_validator import validate

from chalicelib.api.bodies import read_raw
from chalicelib.api.gate import Call, Gate, Route, SignedRequest, answer
from chalicelib.api.problems import PROBLEMS, problem_body
from chalicelib.errors import ApiError, FieldError
from chalicelib.schema import Checked, Field, Integer, Record
from tests.support.apps import api_event

BODY = Record(lambda n: n, Field("n", Integer(0, 9), "n"))


def authenticate(authorization: str | None, now: float) -> str:
    if authorization != "Bearer me":
        raise ApiError("api-key-invalid", f"Not you, at {now:g}.")
    return "me"


def authenticate_signed(signed: SignedRequest) -> bytes:
    if signed.headers.get("x-signature") != f"of {len(signed.raw)} bytes for {signed.path['id']}":
        raise ApiError("relay-signature-invalid", "Not you.")
    return signed.raw


@pytest.fixture
def app() -> Chalice:
    app = Chalice("tested")
    gate = Gate(app, "tested", ready=lambda: False, clock=lambda: 12.345)

    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}

    @gate.route(
        Route(
            "POST",
            "/things/{id}",
            "A thing",
            BODY,
            BODY,
            100,
            authenticate,
            scheme="apiKey",
            parameters=(parameter,),
            log_fields=lambda who: {"who": who},
        )
    )
    def things(call: Call[str, int]) -> Response:
        call.facts["n"] = call.body
        call.counts["Things"] = 1
        if call.body == 7:
            raise ApiError("rate-limited", "Later.", retry_after=3)
        if call.body == 8:
            raise ZeroDivisionError("internal matters")
        return answer({"n": call.body, "id": call.path["id"], "who": call.who, "now": call.now_ms})

    @gate.route(
        Route(
            "POST",
            "/signed/{id}",
            "A signed thing",
            BODY,
            BODY,
            100,
            signed=authenticate_signed,
            parameters=(parameter,),
            log_fields=lambda who: {"bytes": len(who)},
        )
    )
    def signed_things(call: Call[bytes, int]) -> Response:
        return answer({"n": call.body})

    @gate.route(
        Route(
            "POST",
            "/raw/{id}",
            "A thing that is kept as it came",
            None,
            Checked(lambda raw: raw.hex(), {"type": "object"}),
            100,
            signed=authenticate_signed,
            read=read_raw,
            parameters=(parameter,),
        )
    )
    def raw_things(call: Call[bytes, str]) -> Response:
        return answer({"hex": call.body})

    return app


def signed_post(
    app: Chalice, path: str, body: bytes, **headers: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    sent = {"X-Signature": f"of {len(body)} bytes for x"} | headers
    answered = app(api_event("POST", path, body=body, headers=sent, path={"id": "x"}), None)
    return answered, json.loads(answered["body"])


def post(app: Chalice, body: str, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    headers = {"Authorization": "Bearer me", **changes.pop("headers", {})}
    event = api_event("POST", "/things/{id}", body=body, headers=headers, path={"id": "x"})
    answered = app(event | changes, None)
    return answered, json.loads(answered["body"])


def test_a_good_request_reaches_its_view(app: Chalice) -> None:
    """The view gets who calls, the body, the path and the time; no cache keeps its answer."""
    answered, body = post(app, '{"n": 1}')
    assert answered["statusCode"] == 200
    assert body == {"n": 1, "id": "x", "who": "me", "now": 12345}
    assert answered["headers"]["Cache-Control"] == "no-store"


def test_a_refusal_is_a_problem(app: Chalice) -> None:
    """RFC 9457: media type, the members, the status in both places, Retry-After where known."""
    answered, body = post(app, '{"n": 7}')
    assert answered["headers"] == {
        "Content-Type": "application/problem+json",
        "Cache-Control": "no-store",
        "Retry-After": "3",
    }
    assert body == {
        "type": "urn:problem-type:roomgate:rate-limited",
        "title": "Too many requests",
        "status": 429,
        "code": "rate-limited",
        "detail": "Later.",
        "requestId": "request-1",
    }
    assert answered["statusCode"] == 429


def test_who_calls_is_asked_before_the_body_is_read(app: Chalice) -> None:
    """A stranger learns nothing about bodies, and is told how to authenticate."""
    answered, body = post(app, "broken", headers={"Authorization": "Bearer you"})
    assert (answered["statusCode"], body["code"]) == (401, "api-key-invalid")
    assert answered["headers"]["WWW-Authenticate"].startswith("Bearer")


def test_a_signature_is_of_the_bytes_the_headers_and_the_path(app: Chalice) -> None:
    """It is checked with the body as it came, and the body is decoded after."""
    answered, body = signed_post(app, "/signed/{id}", b' {"n":\t1}')
    assert (answered["statusCode"], body) == (200, {"n": 1})
    answered, body = signed_post(app, "/signed/{id}", b"broken")
    assert (answered["statusCode"], body["code"]) == (400, "malformed-json")
    for raw in (b"broken", b'{"n": 1}', b"", b"\xff"):
        answered, body = signed_post(app, "/signed/{id}", raw, **{"X-Signature": "another"})
        assert (answered["statusCode"], body["code"]) == (401, "relay-signature-invalid")
        assert answered["headers"]["WWW-Authenticate"] == 'Webhook-Signature realm="roomgate"'


def test_a_body_that_is_too_large_is_not_hashed(app: Chalice) -> None:
    """Its size is looked at first, whoever sent it."""
    answered, body = signed_post(app, "/signed/{id}", b" " * 101, **{"X-Signature": "another"})
    assert (answered["statusCode"], body["code"]) == (413, "body-too-large")


def test_a_body_can_be_read_as_it_came(app: Chalice) -> None:
    """For what is no JSON of ours; whatever it says of its type."""
    answered, body = signed_post(app, "/raw/{id}", b"\xff\x00", **{"Content-Type": "text/plain"})
    assert (answered["statusCode"], body) == (200, {"hex": "ff00"})


def test_a_signed_request_is_logged_like_any_other(
    app: Chalice, capsys: pytest.CaptureFixture[str]
) -> None:
    """With who signed, and what came of it; a forged one without."""
    signed_post(app, "/signed/{id}", b'{"n": 1}')
    signed_post(app, "/signed/{id}", b'{"n": 1}', **{"X-Signature": "another"})
    good, bad = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (good["outcome"], good["bytes"]) == ("ok", 8)
    assert bad["outcome"] == "relay-signature-invalid"
    assert "bytes" not in bad


def test_wrong_members_are_pointed_at(app: Chalice) -> None:
    """The problem's errors carry a pointer for each wrong member."""
    _, body = post(app, '{"m": 1}')
    assert [error["pointer"] for error in body["errors"]] == ["#/m", "#/n"]


def test_a_fault_of_ours_says_nothing_of_its_kind(
    app: Chalice, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """A 500 holds no exception text; the log has the traceback, and the line of the request."""
    answered, body = post(app, '{"n": 8}')
    assert (answered["statusCode"], body["code"]) == (500, "internal-error")
    assert "internal matters" not in answered["body"]
    assert "ZeroDivisionError" in caplog.text
    line = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (line["status"], line["outcome"], line["n"]) == (500, "internal-error", 8)


def test_methods_that_chalice_refuses_are_problems_too(app: Chalice) -> None:
    """A method that the gateway let through is a 405 in our shape."""
    answered = app(api_event("PUT", "/things/{id}", path={"id": "x"}), None)
    assert json.loads(answered["body"])["code"] == "method-not-allowed"


def test_each_request_is_one_line_of_json(app: Chalice, capsys: pytest.CaptureFixture[str]) -> None:
    """The line says what was asked and what came of it, and carries its counts as EMF."""
    post(app, '{"n": 1}')
    post(app, '{"n": 7}')
    good, bad = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert good | {"_aws": None} == {
        "timestamp": 12345,
        "event": "request",
        "function": "tested",
        "path": "/things/{id}",
        "requestId": "request-1",
        "who": "me",
        "n": 1,
        "status": 200,
        "outcome": "ok",
        "stack": "roomgate",
        "Things": 1,
        "_aws": None,
    }
    assert good["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "Things", "Unit": "Count"}]
    assert (bad["status"], bad["outcome"]) == (429, "rate-limited")


def test_a_refused_body_is_logged_with_who_sent_it(
    app: Chalice, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operator sees whose requests are refused."""
    post(app, '{"n": "x"}')
    line = json.loads(capsys.readouterr().out)
    assert (line["who"], line["outcome"]) == ("me", "invalid-request")


def test_health_is_answered_from_memory(app: Chalice) -> None:
    """healthz always, readyz once what the function reads is loaded."""
    assert app(api_event("GET", "/healthz"), None)["statusCode"] == 200
    assert app(api_event("GET", "/readyz"), None)["statusCode"] == 503


def test_the_document_is_openapi(app: Chalice) -> None:
    """What the gate serves is a valid OpenAPI 3.1 document, with each route in it."""
    document = json.loads(app(api_event("GET", "/v1/openapi.json"), None)["body"])
    validate(document)
    ours = {"/things/{id}", "/signed/{id}", "/raw/{id}"}
    assert set(document["paths"]) == ours | {"/healthz", "/readyz", "/v1/openapi.json"}


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_code_has_a_status_and_a_title(code: str) -> None:
    """The table is complete: an HTTP error status, and words for it."""
    body = problem_body(code, "Why.", None, (FieldError("#/a", "x"), FieldError("app", "y")))
    assert 400 <= body["status"] < 600
    assert body["title"]
    assert body["errors"] == [
        {"pointer": "#/a", "detail": "x"},
        {"parameter": "app", "detail": "y"},
    ]
