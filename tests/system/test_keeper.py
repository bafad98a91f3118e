"""The deployed keeper: sessions from what members report, and what a dying webhook leaves."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from chalicelib.roster.head import LEASE
from chalicelib.roster.signal import Source
from chalicelib.roster.view import view_of
from chalicelib.table.item_keys import ReporterKey, RoomKey, user_pk
from chalicelib.table.reports import Report
from chalicelib.table.sessions import Session, decode_session
from chalicelib.table.table import EventTable
from chalicelib.trtc.identifiers import parse_room
from tests.support.event_table import fresh_room, stored_items
from tests.support.waiting import until

if TYPE_CHECKING:
    from infra.deploy.cloud import Cloud
    from infra.deploy.deployment import Deployed
    from tests.system.conftest import Tenant

SECONDS = 30


@pytest.fixture
def ref(tenant: Tenant) -> RoomKey:
    """A room of the test's own."""
    return RoomKey(tenant.sdk_app_id, parse_room(fresh_room()))


class Members:
    """A tenant's members, who report over HTTP, and what the table knows of them."""

    def __init__(self, deployed: Deployed, cloud: Cloud, tenant: Tenant) -> None:
        self._deployed, self._cloud, self._tenant = deployed, cloud, tenant
        self.table = EventTable(cloud.dynamodb, deployed.table)

    def token(self, user: str, ref: RoomKey) -> str:
        """The report token of an entry."""
        response = requests.post(
            f"{self._deployed.urls['issuer']}/v1/entries",
            headers=self._tenant.headers,
            json={"sdkAppId": ref.sdk_app_id, "userId": user, "roomId": ref.room},
            timeout=SECONDS,
        )
        assert response.status_code == 200, response.text
        token: str = response.json()["report"]["token"]
        return token

    def report(self, token: str, body: dict[str, Any]) -> None:
        """Post a report that is taken."""
        response = requests.post(
            f"{self._deployed.urls['webhook']}/v1/userlist-reports",
            headers={"Authorization": f"Bearer {token}"},
            json=body,
            timeout=SECONDS,
        )
        assert response.status_code == 200, response.text

    def store(self, report: Report) -> None:
        """Leave a report as a webhook does that dies before it folds it."""
        room = self.table.room(report.place.ref)
        self.table.store(report, room, lambda: self.table.members(room))

    def here(self, ref: RoomKey) -> set[str]:
        """Who is in a room."""
        return set(self.table.members(self.table.room(ref)))

    def sessions(self, user: str) -> list[Session]:
        """A user's sessions, the oldest first."""
        pk = user_pk(self._tenant.sdk_app_id, user)
        return [
            decode_session(it)
            for it in stored_items(self._cloud.dynamodb, self._deployed.table, pk)
        ]

    def sweep(self) -> str:
        """Have the sweeper run now; what it logs."""
        client: Any = self._cloud.session.client("lambda", endpoint_url=self._cloud.endpoint)
        done = client.invoke(
            FunctionName=f"{self._deployed.stack}-keeper-sweeper",
            Payload=json.dumps(TICK),
            LogType="Tail",
        )
        log = base64.b64decode(done["LogResult"]).decode()
        assert "FunctionError" not in done, log
        return log


# What EventBridge sends.
TICK = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}


@pytest.fixture(scope="module")
def members(deployed: Deployed, cloud: Cloud, tenant: Tenant) -> Members:
    """The tenant's members."""
    return Members(deployed, cloud, tenant)


def test_what_members_report_becomes_sessions(members: Members, ref: RoomKey) -> None:
    """A member comes, another one too, and one says that it leaves."""
    anna, berta = f"anna-{ref.room}", f"berta-{ref.room}"
    token = members.token(anna, ref)
    members.report(token, {"seq": 1, "userlist": []})
    members.report(token, {"seq": 2, "userlist": [{"userid": berta}]})
    members.report(members.token(berta, ref), {"seq": 1, "left": True})
    until(lambda: [each.left is not None for each in members.sessions(berta)] == [True])
    (stays,), (gone,) = members.sessions(anna), members.sessions(berta)
    assert (stays.ref, stays.left, stays.joined_by.by) == (ref, None, anna)
    assert (gone.ref, gone.joined_by.by) == (ref, anna)
    assert gone.left_by
    assert gone.left_by.by == berta


def test_what_a_dying_webhook_leaves_is_folded(members: Members, ref: RoomKey) -> None:
    """Nobody sends the report again, and nobody has to."""
    now = int(time.time() * 1000)
    view = view_of("anna", {"berta": None})
    members.store(Report(ReporterKey(*ref, "anna"), now, 1, now, 0, Source.CLIENT, view))
    until(lambda: members.here(ref) == {"anna", "berta"})
    assert members.table.room(ref).head.version == 1


def test_a_room_that_nothing_is_heard_of_is_closed(members: Members, ref: RoomKey) -> None:
    """A report that waited for hours is folded as of then; the sweeper sees the lease over."""
    then, user = int(time.time() * 1000) - LEASE - 60_000, f"anna-{ref.room}"
    view = view_of(user, {})
    members.store(Report(ReporterKey(*ref, user), then, 1, then, 0, Source.CLIENT, view))
    until(lambda: members.here(ref) == {user})
    said = members.sweep()
    assert members.here(ref) == set(), said
    until(lambda: [each.left for each in members.sessions(user)] == [then])
