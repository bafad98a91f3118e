"""Members in a web page: their origin may report, and a member reads its own room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.apps import api_event
from tests.support.event_table import fresh_room
from tests.support.reports import REPORTS, Function, token

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.trtc.identifiers import NumberRoom

ROSTER = "/v1/roster"
PAGE = "https://app.example"


@pytest.fixture
def room() -> NumberRoom:
    return fresh_room()


@pytest.fixture
def with_origins(
    load: Callable[[str], Function], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Function]:
    """A webhook whose operator listed some origins."""

    def loaded(origins: str) -> Function:
        monkeypatch.setenv("ROOMGATE_WEB_ORIGINS", origins)
        return load("webhook")

    return loaded


def bearer(user: str, room: NumberRoom) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(user, room)}"}


def test_a_member_reads_who_is_in_its_room(webhook: Function, room: NumberRoom) -> None:
    """With its report token, and the play URLs that it was given itself."""
    users = [{"userid": "berta", "playurl": "room://1.2.3.4/berta"}]
    webhook.report(token("anna", room), {"seq": 0, "userlist": users})
    answer = webhook.call("GET", ROSTER, headers=bearer("anna", room))
    members = {member["userId"]: member.get("playUrl") for member in answer.body["members"]}
    assert (answer.status, answer.body["roomId"]) == (200, room)
    assert members == {"anna": None, "berta": "room://1.2.3.4/berta"}
    known = {**bearer("anna", room), "If-None-Match": answer.headers["ETag"]}
    assert webhook.call("GET", ROSTER, headers=known).status == 304


def test_a_token_reads_its_own_room_alone(webhook: Function, room: NumberRoom) -> None:
    """Another room's token shows that other room; none, or a broken one, shows nothing."""
    webhook.report(token("anna", room), {"seq": 0, "userlist": []})
    other = webhook.call("GET", ROSTER, headers=bearer("anna", fresh_room()))
    assert other.body["members"] == []
    assert webhook.call("GET", ROSTER, headers={}).code == "report-token-missing"
    broken = {"Authorization": "Bearer x.y.z"}
    assert webhook.call("GET", ROSTER, headers=broken).code == "report-token-invalid"


def test_a_page_of_a_listed_origin_may_report(
    with_origins: Callable[[str], Function], room: NumberRoom
) -> None:
    """Its answers can be read by it, refusals too; those of other pages can't."""
    webhook = with_origins(PAGE)
    body = b'{"seq": 0, "userlist": []}'
    good = webhook.call(
        "POST", REPORTS, body=body, headers={**bearer("anna", room), "Origin": PAGE}
    )
    assert (good.status, good.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    refused = webhook.call("POST", REPORTS, body=body, headers={"Origin": PAGE})
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (401, PAGE)
    other = {**bearer("anna", room), "Origin": "https://evil.example"}
    assert (
        "Access-Control-Allow-Origin"
        not in webhook.call("POST", REPORTS, body=body, headers=other).headers
    )


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [(PAGE, PAGE, True), (PAGE, "https://evil.example", False), ("", PAGE, False)],
)
@pytest.mark.parametrize(("path", "method"), [(REPORTS, "POST"), (ROSTER, "GET")])
def test_a_preflight_is_answered_for_listed_origins(
    with_origins: Callable[[str], Function],
    origins: str,
    origin: str,
    allowed: bool,  # noqa: FBT001 (a row of a table)
    path: str,
    method: str,
) -> None:
    """Without a listed origin a browser never sends the request itself."""
    answered = with_origins(origins).module.app(
        api_event("OPTIONS", path, headers={"Origin": origin}), None
    )
    assert answered["statusCode"] == 204
    headers = answered["headers"]
    assert headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert headers.get("Access-Control-Allow-Methods") == (method if allowed else None)


def test_relays_and_callbacks_are_no_business_of_pages(
    with_origins: Callable[[str], Function],
) -> None:
    """Only what a report token opens is open to other origins."""
    app = with_origins(PAGE).module.app
    for path in ("/v1/trtc-callbacks", "/v1/relays/{relay}/userlist-reports"):
        relay = {"relay": "a"} if "{" in path else None
        event = api_event("POST", path, body=b"{}", headers={"Origin": PAGE}, path=relay)
        answered = app(event, None)
        assert "Access-Control-Allow-Origin" not in answered["headers"]
