"""The operator's command line against the deployed bundle."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from infra.layout import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.deploy import Deployed
    from infra.local_aws import LocalAws
    from tests.system.conftest import Tenant

    Roomgate = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def roomgate(aws: LocalAws, deployed: Deployed, tenant: Tenant) -> Roomgate:
    """Runs the command line as an operator with an API key does: exit code, and answer."""
    environ = dict(aws.environ) | {"ROOMGATE_API_KEY": tenant.api_key}

    def run(*words: str, given: str = "") -> tuple[int, dict[str, Any]]:
        command = [sys.executable, "-m", "roomgate", "--stack", deployed.stack, "--json", *words]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environ,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout) if done.stdout else {"said": done.stderr}

    return run


def test_a_ticket_goes_through_the_deployed_issuer(roomgate: Roomgate, tenant: Tenant) -> None:
    """Issued, inspected and verified there, whose URL the stack's outputs tell; and offline."""
    app = str(tenant.sdk_app_id)
    code, entry = roomgate("ticket", "issue", app, "carol", "--room", "7", "--ttl", "600")
    assert (code, entry["keyId"]) == (0, tenant.key_id)
    code, found = roomgate("ticket", "inspect", "--app", app, given=entry["userSig"])
    assert (code, found["verdict"]["code"]) == (0, 0)
    ticket = entry["privateMapKey"]
    code, held = roomgate("ticket", "verify", app, "carol", "--room", "7", given=ticket)
    assert (code, held["keyId"]) == (0, tenant.key_id)
    code, _ = roomgate("ticket", "verify", app, "carol", "--room", "8", given=ticket)
    assert code == 1


def test_doctor_finds_the_deployed_stack_in_order(roomgate: Roomgate) -> None:
    """All that it looks at can be read here as on AWS; only other tests' tenants may need care."""
    _, found = roomgate("doctor")
    others = [each for each in found["checks"] if each["check"] not in {"keys", "callers"}]
    assert [each for each in others if each["state"] == "fix"] == []
    assert len([each for each in others if each["check"] == "reachability"]) == 3
