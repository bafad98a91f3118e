"""Members of the JavaScript library against the deployed bundle, with known truth."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.clients.node import run_node
from tests.support.seeds import MANY

if TYPE_CHECKING:
    from infra.deploy.deployment import Deployed
    from tests.system.conftest import Tenant, Tenants

SECONDS = 30
AT_ONCE = 8
SIZES = (2,) * 20 + (6,) * 10 if MANY else (2, 2, 2, 6)
"""Members of each call; all of them with ROOMGATE_SEEDS=many."""

LASTS = 100 if MANY else 25
"""Seconds of a call."""

RIGHT_WITHIN = 15 if MANY else 60
"""Seconds after it in which every roster must come right: `make test` may run on a busy machine."""


@pytest.fixture(scope="module")
def tenant(tenants: Tenants) -> Tenant:
    """An application of these calls' own."""
    return tenants.new()


@pytest.fixture(scope="module", autouse=True)
def _warm(deployed: Deployed, tenant: Tenant) -> None:
    """The functions have started: cold starts of a busy machine are no part of the 15 seconds."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for future in [pool.submit(visit, deployed, tenant, f"user-{i}") for i in range(AT_ONCE)]:
            future.result()


def visit(deployed: Deployed, tenant: Tenant, user: str) -> None:
    """Enter a room of no test, say so, and leave."""
    response = requests.post(
        f"{deployed.urls['issuer']}/v1/entries",
        headers=tenant.headers,
        json={"sdkAppId": tenant.sdk_app_id, "userId": user, "roomId": 1},
        timeout=SECONDS,
    )
    report = response.json()["report"]
    bodies: list[dict[str, Any]] = [{"userlist": []}, {"left": True}]
    for seq, body in enumerate(bodies):
        requests.post(
            report["url"],
            headers={"Authorization": f"Bearer {report['token']}"},
            json={"seq": seq, **body},
            timeout=SECONDS,
        ).raise_for_status()
    read(deployed, tenant, "1")


def played(deployed: Deployed, tenant: Tenant, lost: float) -> dict[str, Any]:
    """Play calls on phones that lose this part of their requests."""
    settings = {
        "issuer": deployed.urls["issuer"],
        "rooms": deployed.urls["rooms"],
        "apiKey": tenant.api_key,
        "sdkAppId": tenant.sdk_app_id,
        "sizes": SIZES,
        "firstRoom": 1000 + int(1000 * lost),
        "seconds": LASTS,
        "lost": lost,
        "seed": 1,
    }
    output = run_node(
        "tests/clients/support/live.js", given=json.dumps(settings), timeout=LASTS + 180
    )
    result: dict[str, Any] = json.loads(output)
    return result


def read(deployed: Deployed, tenant: Tenant, path: str) -> dict[str, Any]:
    """Read what the rooms function knows."""
    response = requests.get(
        f"{deployed.urls['rooms']}/v1/apps/{tenant.sdk_app_id}/rooms/{path}",
        headers=tenant.headers,
        timeout=SECONDS,
    )
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def recorded(deployed: Deployed, tenant: Tenant, room: int) -> list[dict[str, Any]]:
    """The transitions of a room."""
    entries = read(deployed, tenant, f"{room}/timeline?from=0&limit=100")["entries"]
    return [transition for entry in entries for transition in entry["transitions"]]


@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_every_roster_comes_right_soon_after_the_last_change(
    deployed: Deployed, tenant: Tenant, lost: float
) -> None:
    """Members that switch networks, hide, go offline and leave; requests lost, late and doubled.

    Every list is acknowledged or out of date, nothing that a member sends is refused, and there
    are at most 1.05 transitions for each true one.
    """
    result = played(deployed, tenant, lost)
    right = range(RIGHT_WITHIN + 1)
    wrong = [room for room in result["rooms"] if room["rightAfter"] not in right]
    assert not wrong, json.dumps(wrong)
    assert result["unsent"] == []
    assert result["faults"] == []
    assert set(result["statuses"]) <= {"200", "401"}, result["statuses"]
    rooms = result["rooms"]
    transitions = sum(len(recorded(deployed, tenant, room["roomId"])) for room in rooms)
    true = sum(room["transitions"] for room in rooms)
    assert transitions <= 1.05 * true, (transitions, true)
