"""The function rooms: who may ask, what it logs, when it is ready, what it says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import validate

from tests.support.event_table import fresh_room
from tests.support.reports import API_KEY, APP, ROOM, Function, put_caller

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("may", "code", "place"),
    [
        ({"actions": frozenset({"issue"})}, "action-not-allowed", []),
        ({"applications": frozenset({5})}, "application-not-allowed", ["app"]),
        ({"rooms": "2*"}, "room-not-allowed", ["room"]),
        ({"users": "tenant7-*"}, "user-not-allowed", ["for"]),
    ],
)
def test_a_caller_reads_only_what_it_may(
    rooms: Function, may: dict[str, Any], code: str, place: list[str]
) -> None:
    """Reading needs the action, and application, room and asking user within the bounds."""
    api_key = f"rg_{code}_" + "s" * 43
    put_caller(api_key, **{"actions": frozenset({"read"}), **may})
    answer = rooms.read(ROOM, room="107688", api_key=api_key, query={"for": "anna"})
    assert (answer.status, answer.code) == (403, code)
    assert answer.places == place


@pytest.mark.parametrize("api_key", ["x", "rg_reader_" + "x" * 43, "rg_nobody_" + "x" * 43])
def test_an_unknown_key_reads_nothing(rooms: Function, api_key: str) -> None:
    """An API key that no caller has is a 401."""
    answer = rooms.read(ROOM, room="1", api_key=api_key)
    assert (answer.status, answer.code) == (401, "api-key-invalid")


def test_no_key_reads_nothing(rooms: Function) -> None:
    """Without an API key it is a 401 that says so."""
    answer = rooms.call("GET", ROOM, path={"app": str(APP), "room": "1"})
    assert (answer.status, answer.code) == (401, "api-key-missing")


def test_a_reading_is_one_log_line(rooms: Function, capsys: pytest.CaptureFixture[str]) -> None:
    """The log says who read which room, and holds no API key."""
    room = fresh_room()
    etag = rooms.read(ROOM, room=str(room)).headers["ETag"]
    rooms.read(ROOM, room=str(room), known=etag)
    text = capsys.readouterr().out
    lines = [json.loads(line) for line in text.splitlines()]
    said = {"event": "room", "caller": "reader", "sdkAppId": APP, "room": str(room)}
    assert all(line.items() >= said.items() for line in lines)
    outcomes = [(line["status"], line["outcome"]) for line in lines]
    assert outcomes == [(200, "ok"), (304, "not-modified")]
    assert API_KEY not in text


def test_it_is_ready_once_the_callers_can_be_read(load: Callable[[str], Function]) -> None:
    """Readiness is answered from memory: 503 until the store of callers has answered."""
    fresh = load("rooms")
    assert fresh.call("GET", "/readyz").code == "not-ready"
    fresh.read(ROOM, room="1", api_key="rg_nobody_" + "x" * 43)
    assert fresh.call("GET", "/readyz").status == 200


def test_in_lambda_it_is_ready_at_once(
    load: Callable[[str], Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    """INIT reads the callers where the store answers during INIT."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "rooms")
    assert load("rooms").call("GET", "/readyz").status == 200


def test_its_document_is_openapi(rooms: Function) -> None:
    """The API document is valid OpenAPI 3.1."""
    validate(rooms.call("GET", "/v1/openapi.json").body)
