"""The deployed bundle over real HTTP: what API Gateway, roles and templates make of it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests

from infra.deploy import deployment as deploy
from infra.deploy.stacks import Stacks
from infra.layout import FUNCTIONS, ROOT

if TYPE_CHECKING:
    from infra.deploy.cloud import Cloud
    from infra.deploy.deployment import Deployed
    from infra.local.aws import LocalAws
    from infra.package.bundle import Bundle
    from tests.system.conftest import Tenant

NAMES = [function.name for function in FUNCTIONS if function.http]
SECONDS = 30


@pytest.mark.parametrize("name", NAMES)
def test_healthz(deployed: Deployed, name: str) -> None:
    """Each function answers that it runs."""
    response = requests.get(f"{deployed.urls[name]}/healthz", timeout=SECONDS)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("name", NAMES)
def test_openapi(deployed: Deployed, name: str) -> None:
    """Each function says what it does, as OpenAPI 3.1."""
    response = requests.get(f"{deployed.urls[name]}/v1/openapi.json", timeout=SECONDS)
    assert response.status_code == 200
    assert response.json()["openapi"].startswith("3.1")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nowhere"), ("GET", "/v2/entries"), ("DELETE", "/healthz"), ("POST", "/v1/nowhere")],
)
def test_an_unknown_path_or_method_is_a_404_problem(
    deployed: Deployed, name: str, method: str, path: str
) -> None:
    """The gateway answers these itself, and in our shape."""
    response = requests.request(method, deployed.urls[name] + path, timeout=SECONDS)
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["status"], problem["code"]) == (404, 404, "not-found")
    assert problem["requestId"] == response.headers["x-amzn-requestid"]


def test_who_calls_is_asked_first(deployed: Deployed) -> None:
    """Without an API key nothing is told but that one is needed."""
    response = requests.post(f"{deployed.urls['issuer']}/v1/entries", json={}, timeout=SECONDS)
    assert (response.status_code, response.json()["code"]) == (401, "api-key-missing")
    assert response.headers["Content-Type"] == "application/problem+json"


def test_an_entry_says_where_to_report(deployed: Deployed, tenant: Tenant) -> None:
    """The issuer learned webhook's URL when it was deployed."""
    entry = _entry(deployed, tenant, "alice")
    assert entry["report"]["url"] == f"{deployed.urls['webhook']}/v1/userlist-reports"


def test_a_report_reaches_the_read_side(deployed: Deployed, tenant: Tenant) -> None:
    """A member's list, once answered 2xx, is what rooms shows."""
    report = _entry(deployed, tenant, "alice")["report"]
    stored = requests.post(
        report["url"],
        headers={"Authorization": f"Bearer {report['token']}"},
        json={"seq": 0, "userlist": [{"userid": "bob"}]},
        timeout=SECONDS,
    )
    assert stored.status_code == 200
    room = requests.get(
        f"{deployed.urls['rooms']}/v1/apps/{tenant.sdk_app_id}/rooms/7",
        headers=tenant.headers,
        timeout=SECONDS,
    )
    assert room.status_code == 200
    assert stored.json()["hash"] in room.text


def test_deploying_again_changes_nothing(
    cloud: Cloud, deployed: Deployed, bundles: list[Bundle]
) -> None:
    """A second deployment of the same bundle leaves URLs, table and token key as they are."""
    name = f"{deployed.stack}/report-token"
    before = cloud.secretsmanager.get_secret_value(SecretId=name)["VersionId"]
    again = deploy.up(cloud, bundles, deployed.stack, {}, print)
    assert again == deployed
    assert cloud.secretsmanager.get_secret_value(SecretId=name)["VersionId"] == before


def test_taking_down_leaves_only_what_the_operator_is_told_of(
    cloud: Cloud, bundles: list[Bundle]
) -> None:
    """The functions go, shared stack and lake on demand; what holds data is kept and named."""
    gone = deploy.up(cloud, bundles, "gone", {"DeletionProtection": "false"}, print)
    said: list[str] = []
    deploy.down(cloud, "gone", said.append, data=False)
    assert _stacks_of(cloud, "gone") == {"gone-shared", "gone-lake"}
    lake = Stacks(cloud.cloudformation, print).outputs("gone-lake")["LakeBucket"]
    assert "--data" in said[-1]
    deploy.down(cloud, "gone", said.append, data=True)
    assert _stacks_of(cloud, "gone") == set()
    assert any(f"delete-table --table-name {gone.table}" in line for line in said)
    assert any(f"s3 rb s3://{lake}" in line for line in said)
    assert cloud.s3.head_bucket(Bucket=lake)
    assert cloud.dynamodb.describe_table(TableName=gone.table)["Table"]["TableName"] == gone.table


def test_one_custom_domain_serves_all_functions(cloud: Cloud, bundles: list[Bundle]) -> None:
    """Each function answers under its name, and the issuer hands out the domain's report URL."""
    account = cloud.sts.get_caller_identity()["Account"]
    domain = {
        "DomainName": "rooms.example.com",
        "CertificateArn": f"arn:aws:acm:us-east-1:{account}:certificate/made-up",
        "DeletionProtection": "false",
    }
    deployed = deploy.up(cloud, bundles, "domain", domain, print)
    assert deployed.domain_target
    for name in NAMES:
        response = requests.get(
            f"{cloud.endpoint}/{name}/healthz",
            headers={"Host": "rooms.example.com"},
            timeout=SECONDS,
        )
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
    # What is not said again stays.
    assert deploy.up(cloud, bundles, "domain", {}, print) == deployed
    deploy.down(cloud, "domain", print, data=True)


def test_the_command_says_whose_account_it_touches(aws: LocalAws) -> None:
    """Before anything else; taking down what is not there is no failure."""
    done = _deploy("down", "--stack", "nothing", environ=aws.environ)
    assert done.returncode == 0, done.stderr
    account, *_ = done.stdout.splitlines()
    assert account.startswith("account 000000000000, region us-east-1, as arn:")


def test_the_command_fails_plainly(aws: LocalAws) -> None:
    """A line that says why, no traceback, exit status 1."""
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    done = _deploy("down", environ=aws.environ | nowhere)
    assert done.returncode == 1
    assert done.stderr.startswith("deploying failed: Could not connect")
    assert len(done.stderr.splitlines()) == 1


def _deploy(*words: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.deploy.deployment", *words],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def _entry(deployed: Deployed, tenant: Tenant, user: str) -> Any:
    response = requests.post(
        f"{deployed.urls['issuer']}/v1/entries",
        headers=tenant.headers,
        json={"sdkAppId": tenant.sdk_app_id, "userId": user, "roomId": 7},
        timeout=SECONDS,
    )
    assert response.status_code == 200, response.text
    return response.json()


def _stacks_of(cloud: Cloud, stack: str) -> set[str]:
    pages = cloud.cloudformation.get_paginator("list_stacks").paginate()
    return {
        found["StackName"]
        for page in pages
        for found in page["StackSummaries"]
        if found["StackName"].startswith(f"{stack}-") and "DELETE" not in found["StackStatus"]
    }
