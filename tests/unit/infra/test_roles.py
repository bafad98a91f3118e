"""What each function may do, and that the templates hold no shortcuts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]

from infra import target
from infra.layout import FUNCTIONS, ROOT
from infra.template import merge_document

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES = {each.name: merge_document(each, target.aws()) for each in FUNCTIONS}
SHARED: dict[str, Any] = cfn_yaml.load(str(ROOT / "infra" / "shared.yaml"))

HERE = "${AWS::Region}:${AWS::AccountId}"
SECRET = f"arn:${{AWS::Partition}}:secretsmanager:{HERE}:secret:${{Stack}}"
PARAMETER = f"arn:${{AWS::Partition}}:ssm:{HERE}:parameter/${{Stack}}"
LOGS = {("logs:CreateLogStream", "LogGroup.Arn"), ("logs:PutLogEvents", "LogGroup.Arn")}
DECRYPT = {("kms:Decrypt", "KeyArn")}
REPORT_TOKEN = {("secretsmanager:GetSecretValue", f"{SECRET}/report-token-??????")}


def _read_parameters(folder: str) -> set[tuple[str, str]]:
    return {
        (action, f"{PARAMETER}/{folder}{rest}")
        for action in ("ssm:GetParameter", "ssm:GetParametersByPath")
        for rest in ("", "/*")
    }


ALLOWED = {
    "issuer": LOGS
    | DECRYPT
    | REPORT_TOKEN
    | {("secretsmanager:GetSecretValue", f"{SECRET}/app/*")}
    | _read_parameters("apps")
    | _read_parameters("callers"),
    "webhook": LOGS
    | DECRYPT
    | REPORT_TOKEN
    | {("dynamodb:PutItem", "TableArn"), ("dynamodb:UpdateItem", "TableArn")},
    "rooms": LOGS
    | {("dynamodb:BatchGetItem", "TableArn"), ("dynamodb:Query", "TableArn")}
    | _read_parameters("callers"),
}


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_function_may_do_this_and_nothing_else(name: str) -> None:
    """One role a Lambda: application keys for the issuer only, events written by webhook only."""
    allowed = {
        (action, _text(resource))
        for statement in _statements(name)
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }
    assert allowed == ALLOWED[name]


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_roles_hold_no_managed_policies_and_only_lambda_takes_them(name: str) -> None:
    """All that a role allows stands in the file, under Allow."""
    role = TEMPLATES[name]["Resources"]["Role"]["Properties"]
    assert "ManagedPolicyArns" not in role
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert {statement["Effect"] for statement in _statements(name)} == {"Allow"}


def test_the_key_decrypts_secrets_only_by_way_of_secrets_manager() -> None:
    """A function cannot use the key for anything that it got elsewhere."""
    via = {"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"}
    conditions = [
        statement.get("Condition")
        for name in TEMPLATES
        for statement in _statements(name)
        if statement["Action"] == "kms:Decrypt"
    ]
    assert conditions == [{"StringEquals": {"kms:ViaService": via}}] * 2


@pytest.mark.parametrize("name", [*sorted(TEMPLATES), "shared"])
def test_no_template_names_a_partition(name: str) -> None:
    """The bundle deploys to any partition, so no ARN is written out."""
    text = json.dumps(TEMPLATES.get(name, SHARED))
    assert "arn:aws" not in text
    assert "amazonaws.com" not in text.replace("lambda.amazonaws.com", "")


def test_no_role_and_no_resource_is_everything() -> None:
    """A lone * stands where AWS demands it only: in the key policy, where it means this key."""
    stars = [
        path
        for template in (*TEMPLATES.values(), SHARED)
        for path in _places_of_star(template["Resources"], "")
    ]
    method = "/RestAPI/Properties/MethodSettings/0/HttpMethod"
    assert stars == [method] * len(TEMPLATES) + [
        "/Key/Properties/KeyPolicy/Statement/0/Resource",
    ]


def test_what_cannot_be_made_again_is_kept() -> None:
    """Deleting the stack leaves the event table and the key."""
    resources = SHARED["Resources"]
    kept = {name for name, each in resources.items() if each.get("DeletionPolicy") == "Retain"}
    assert kept == {"Key", "Table"}
    assert {resources[name]["UpdateReplacePolicy"] for name in kept} == {"Retain"}


def test_the_event_table_is_as_the_design_says() -> None:
    """On demand, streamed, recoverable, encrypted; TTL for garbage."""
    table = SHARED["Resources"]["Table"]["Properties"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    assert {each["AttributeType"] for each in table["AttributeDefinitions"]} == {"S"}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}


def test_no_secret_is_in_a_template() -> None:
    """The report-token secret is made empty; its first key is made when deploying."""
    secret = SHARED["Resources"]["ReportTokenSecret"]["Properties"]
    assert sorted(secret) == ["Description", "KmsKeyId", "Name"]


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_each_function_has_a_log_group_of_its_own_that_forgets(name: str) -> None:
    """Logs go to the function's own group, as JSON, and are kept for a time only."""
    resources = TEMPLATES[name]["Resources"]
    logging = resources["APIHandler"]["Properties"]["LoggingConfig"]
    assert logging == {"LogFormat": "JSON", "LogGroup": {"Ref": "LogGroup"}}
    assert resources["LogGroup"]["Properties"] == {
        "LogGroupName": {"Fn::Sub": f"/${{Stack}}/{name}"},
        "RetentionInDays": {"Ref": "LogRetentionDays"},
    }


def _statements(name: str) -> list[dict[str, Any]]:
    (policy,) = TEMPLATES[name]["Resources"]["Role"]["Properties"]["Policies"]
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return statements


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(resource: dict[str, Any]) -> str:
    ((how, what),) = resource.items()
    return ".".join(what) if how == "Fn::GetAtt" else str(what)


def _places_of_star(value: Any, path: str) -> Iterator[str]:
    if value == "*":
        yield path
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _places_of_star(member, f"{path}/{key}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _places_of_star(member, f"{path}/{index}")
