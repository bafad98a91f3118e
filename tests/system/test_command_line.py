"""The operator's command line against the deployed bundle."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.stores.names import Names
from infra.layout import ROOT
from infra.local.roles import let_list_parameters
from infra.smoke.tenant import Operator, new_key
from tests.support.keys import new_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.deploy.cloud import Cloud
    from infra.deploy.deployment import Deployed
    from infra.local.aws import LocalAws
    from tests.system.conftest import Tenant

    Roomgate = Callable[..., tuple[int, dict[str, Any]]]


def command_line(environ: Mapping[str, str], stack: str) -> Roomgate:
    """Runs the command line: exit code, and answer."""

    def run(*words: str, given: str = "") -> tuple[int, dict[str, Any]]:
        command = [sys.executable, "-m", "roomgate", "--stack", stack, "--json", *words]
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


@pytest.fixture(scope="module")
def roomgate(aws: LocalAws, deployed: Deployed, tenant: Tenant) -> Roomgate:
    """The command line of an operator with an API key."""
    return command_line({**aws.environ, "ROOMGATE_API_KEY": tenant.api_key}, deployed.stack)


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


@pytest.fixture(scope="module")
def operator_keys(cloud: Cloud, deployed: Deployed) -> dict[str, str]:
    """Credentials of a role with the stack's policy for operators, and nothing else."""
    (stack,) = cloud.cloudformation.describe_stacks(StackName=f"{deployed.stack}-shared")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    name = "room-operators"
    whoever = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [whoever]})
    made = cloud.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    cloud.iam.attach_role_policy(RoleName=name, PolicyArn=outputs["OperatorPolicyArn"])
    let_list_parameters(cloud.iam, [name])
    taken = cloud.sts.assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName="night")
    return {
        "AWS_ACCESS_KEY_ID": taken["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": taken["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": taken["Credentials"]["SessionToken"],
    }


def test_the_policy_for_operators_is_enough(
    aws: LocalAws, deployed: Deployed, operator_keys: dict[str, str]
) -> None:
    """With it alone an application is set up, its key changed and taken back, a caller changed."""
    operator = Operator(dict(aws.environ) | operator_keys, deployed.stack)
    app = "1500000001"
    operator.run("apps", "add", app)
    first = operator.run("keys", "import", app, "-", given=new_key())["keyId"]
    second = operator.run("keys", "import", app, "-", given=new_secret())["keyId"]
    assert operator.run("keys", "rotate", app)["after"]["current"] == second
    assert operator.run("keys", "rollback", app)["after"]["current"] == first
    operator.run("keys", "import", app, "-", given=new_key())
    operator.run("keys", "abort", app)
    operator.run("callers", "add", "night-shift", "--application", app)
    operator.run("callers", "rotate", "night-shift")
    operator.run("callers", "revoke", "night-shift", "--older")
    operator.run("callers", "revoke", "night-shift")
    assert operator.run("callers", "list")["callers"]
    assert operator.run("keys", "list")["applications"]


def test_operators_read_no_keys_of_report_tokens(
    aws: LocalAws, deployed: Deployed, operator_keys: dict[str, str]
) -> None:
    """Nor do they rotate them: that needs nobody."""
    name = Names(deployed.stack).report_token
    client = aws.cloud.session.client(
        "secretsmanager",
        endpoint_url=aws.secrets.url,
        aws_access_key_id=operator_keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=operator_keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=operator_keys["AWS_SESSION_TOKEN"],
    )
    assert client.describe_secret(SecretId=name)["Name"] == name
    for refused in (client.get_secret_value, client.rotate_secret):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused(SecretId=name)


def test_doctor_finds_the_deployed_stack_in_order(roomgate: Roomgate) -> None:
    """All that it looks at can be read here as on AWS; only other tests' tenants may need care."""
    assert_in_order(roomgate)


def test_doctor_needs_no_more_than_the_policy_for_operators(
    aws: LocalAws, deployed: Deployed, operator_keys: dict[str, str]
) -> None:
    """So it can run every day."""
    assert_in_order(command_line({**aws.environ, **operator_keys}, deployed.stack))


def assert_in_order(roomgate: Roomgate) -> None:
    _, found = roomgate("doctor")
    assert [each for each in found["checks"] if each["said"] == "could not be checked"] == []
    others = [each for each in found["checks"] if each["check"] not in {"keys", "callers"}]
    assert [each for each in others if each["state"] == "fix"] == []
    assert len([each for each in others if each["check"] == "reachability"]) == 3
