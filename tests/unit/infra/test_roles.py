"""What each function may do, and that the templates hold no shortcuts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # It has none.

from infra.layout import FUNCTIONS, TEMPLATES
from infra.package import target
from infra.package.template import merge_document

if TYPE_CHECKING:
    from collections.abc import Iterator

MERGED = {each.name: merge_document(each, target.aws()) for each in FUNCTIONS}
ROLES = {
    (name, role): resource["Properties"]
    for name, template in MERGED.items()
    for role, resource in template["Resources"].items()
    if resource.get("Type") == "AWS::IAM::Role"
}
SHARED: dict[str, Any] = cfn_yaml.load(str(TEMPLATES / "shared.yaml"))

HERE = "${AWS::Region}:${AWS::AccountId}"
SECRET = f"arn:${{AWS::Partition}}:secretsmanager:{HERE}:secret:${{Stack}}"
FUNCTION = f"arn:${{AWS::Partition}}:lambda:{HERE}:function:${{Stack}}"
STACKS = f"arn:${{AWS::Partition}}:cloudformation:{HERE}:stack/${{Stack}}"
PARAMETER = f"arn:${{AWS::Partition}}:ssm:{HERE}:parameter/${{Stack}}"
APPLICATION_KEYS = f"{SECRET}/app/*"
SIGNERS = (f"{SECRET}/relay/*", f"{SECRET}/callback/*")
REPORT_TOKEN_KEYS = f"{SECRET}/report-token-??????"
LOGS = {("logs:CreateLogStream", "LogGroup.Arn"), ("logs:PutLogEvents", "LogGroup.Arn")}
DECRYPT = {("kms:Decrypt", "KeyArn")}
REPORT_TOKEN = {("secretsmanager:GetSecretValue", REPORT_TOKEN_KEYS)}
TAGGED_KEYS = f"arn:${{AWS::Partition}}:kms:{HERE}:key/*"
SIGN = {(action, TAGGED_KEYS) for action in ("kms:GetPublicKey", "kms:Sign")}
FOLD = {(f"dynamodb:{action}", "TableArn") for action in ("GetItem", "PutItem", "Query")}
READ_STREAM = {
    *{
        (f"dynamodb:{action}", "StreamArn")
        for action in ("DescribeStream", "GetRecords", "GetShardIterator")
    },
    ("dynamodb:ListStreams", "${TableArn}/stream/*"),
}


def _secrets(resource: str, *actions: str) -> set[tuple[str, str]]:
    return {(f"secretsmanager:{action}", resource) for action in actions}


def _read_parameters(folder: str) -> set[tuple[str, str]]:
    return {
        (action, f"{PARAMETER}/{folder}{rest}")
        for action in ("ssm:GetParameter", "ssm:GetParametersByPath")
        for rest in ("", "/*")
    }


ALLOWED = {
    ("issuer", "Role"): LOGS
    | DECRYPT
    | REPORT_TOKEN
    | SIGN
    | {("secretsmanager:GetSecretValue", APPLICATION_KEYS)}
    | _read_parameters("apps")
    | _read_parameters("callers"),
    ("webhook", "Role"): LOGS
    | DECRYPT
    | REPORT_TOKEN
    | {("secretsmanager:GetSecretValue", secret) for secret in SIGNERS}
    | {(f"dynamodb:{action}", "TableArn") for action in ("GetItem", "PutItem", "Query")}
    | {("ssm:GetParameter", f"{PARAMETER}/apps/*")},
    ("rooms", "Role"): LOGS
    | {(f"dynamodb:{action}", "TableArn") for action in ("BatchGetItem", "GetItem", "Query")}
    | {("dynamodb:Query", "${TableArn}/index/open")}
    | _read_parameters("callers"),
    # Keeper reads no secret: an application's settings say how large its rooms may be.
    ("keeper", "Role"): LOGS
    | READ_STREAM
    | FOLD
    | {
        ("ssm:GetParameter", f"{PARAMETER}/apps/*"),
        ("s3:PutObject", "${QuarantineBucketArn}/keeper/*"),
        # AWS puts there what a mapping gave up, by the function's role.
        ("s3:PutObject", "${QuarantineBucketArn}/aws/lambda/*"),
        ("s3:ListBucket", "QuarantineBucketArn"),
    },
    ("keeper", "SweeperRole"): {(a, f"Sweeper{resource}") for a, resource in LOGS}
    | FOLD
    | {("dynamodb:Query", "${TableArn}/index/open")}
    | {("ssm:GetParametersByPath", f"{PARAMETER}/apps{rest}") for rest in ("", "/*")},
    # It reads the stream, not the table, and no secret.
    ("exporter", "Role"): LOGS
    | READ_STREAM
    | {
        ("firehose:PutRecordBatch", "LakeStreamArn"),
        ("s3:PutObject", "${QuarantineBucketArn}/exporter/*"),
        # What Lambda gives up on; it writes with the function's role.
        ("s3:PutObject", "${QuarantineBucketArn}/aws/lambda/*"),
        ("s3:ListBucket", "QuarantineBucketArn"),
    },
    # The steps read and write, whichever secret is rotated.
    ("rotation", "Role"): LOGS
    | SIGN
    | DECRYPT
    | {("kms:GenerateDataKey", "KeyArn")}
    | {
        each
        for resource in (APPLICATION_KEYS, REPORT_TOKEN_KEYS)
        for each in _secrets(
            resource,
            "DescribeSecret",
            "GetSecretValue",
            "PutSecretValue",
            "UpdateSecretVersionStage",
        )
    }
    | _read_parameters("apps"),
    # The schedule reads candidates and starts rotations; it stores no value.
    ("rotation", "ScheduleRole"): {(a, f"Schedule{resource}") for a, resource in LOGS}
    | SIGN
    | DECRYPT
    | {("lambda:InvokeFunction", "Rotation.Arn")}
    | _secrets(
        APPLICATION_KEYS,
        "DescribeSecret",
        "GetSecretValue",
        "ListSecretVersionIds",
        "RotateSecret",
        "UpdateSecretVersionStage",
    )
    | _read_parameters("apps"),
}

OPERATORS = {
    *_secrets(
        APPLICATION_KEYS,
        "CreateSecret",
        "DescribeSecret",
        "GetSecretValue",
        "ListSecretVersionIds",
        "PutSecretValue",
        "RotateSecret",
        "UpdateSecretVersionStage",
    ),
    *{
        each
        for secret in SIGNERS
        for each in _secrets(
            secret, "CreateSecret", "DeleteSecret", "GetSecretValue", "PutSecretValue"
        )
    },
    # AWS has no resource-level permission for it; signers are found by their names' prefix.
    *_secrets("*", "ListSecrets"),
    *_secrets(REPORT_TOKEN_KEYS, "DescribeSecret"),
    ("kms:Decrypt", "Key.Arn"),
    ("kms:GenerateDataKey", "Key.Arn"),
    ("kms:GetPublicKey", TAGGED_KEYS),
    ("lambda:InvokeFunction", f"{FUNCTION}-rotation"),
    *_read_parameters("apps"),
    *_read_parameters("callers"),
    *{
        (f"ssm:{action}Parameter", f"{PARAMETER}/{folder}{rest}")
        for action in ("Put", "Delete")
        for folder in ("apps", "callers")
        for rest in ("", "/*")
    },
    *{(f"ssm:{action}Parameter", f"{PARAMETER}/pseudonyms") for action in ("Get", "Put")},
    *{
        (f"dynamodb:{action}", "Table.Arn")
        for action in ("DeleteItem", "GetItem", "PutItem", "Query", "Scan")
    },
    # What CloudFormation names the lake's bucket, and in it the rows alone.
    ("s3:PutObject", "arn:${AWS::Partition}:s3:::${Stack}-lake-bucket-*/rows/*"),
    ("cloudformation:DescribeStacks", f"{STACKS}-*/*"),
}


@pytest.mark.parametrize("role", sorted(ROLES), ids="-".join)
def test_a_function_may_do_this_and_nothing_else(role: tuple[str, str]) -> None:
    """One role a Lambda: who reads and writes which secret is exactly what the design says."""
    assert _allowed(_statements(ROLES[role])) == ALLOWED[role]


def test_every_function_has_a_role_and_every_role_a_function() -> None:
    """None is shared, and none is left over."""
    of_functions = [
        (each.name, MERGED[each.name]["Resources"][handler]["Properties"]["Role"])
        for each in FUNCTIONS
        for handler in each.handlers
    ]
    named = sorted((name, role["Fn::GetAtt"][0]) for name, role in of_functions)
    assert named == sorted(ROLES) == sorted(ALLOWED)


def test_operators_may_do_this_and_nothing_else() -> None:
    """What the command line needs: no keys of report tokens, and no signing with those in KMS."""
    policy = SHARED["Resources"]["OperatorPolicy"]["Properties"]
    statements = policy["PolicyDocument"]["Statement"]
    assert _allowed(statements) == OPERATORS
    assert {statement["Effect"] for statement in statements} == {"Allow"}


@pytest.mark.parametrize("role", sorted(ROLES), ids="-".join)
def test_roles_hold_no_managed_policies_and_only_lambda_takes_them(role: tuple[str, str]) -> None:
    """All that a role allows stands in the file, under Allow."""
    properties = ROLES[role]
    assert "ManagedPolicyArns" not in properties
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert {statement["Effect"] for statement in _statements(properties)} == {"Allow"}


def test_keys_of_kms_are_used_as_they_are_meant() -> None:
    """Ours by way of Secrets Manager alone; others where they carry this stack's tag."""
    via = {"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"}
    wanted = {
        TAGGED_KEYS: {"StringEquals": {"aws:ResourceTag/roomgate": {"Ref": "Stack"}}},
        "KeyArn": {"StringEquals": {"kms:ViaService": via}},
        "Key.Arn": {"StringEquals": {"kms:ViaService": via}},
    }
    operators = SHARED["Resources"]["OperatorPolicy"]["Properties"]["PolicyDocument"]
    statements = [each for role in ROLES.values() for each in _statements(role)]
    for statement in (*statements, *operators["Statement"]):
        if any(action.startswith("kms:") for action in _listed(statement["Action"])):
            assert statement.get("Condition") == wanted[_text(statement["Resource"])]
        else:
            assert "Condition" not in statement


@pytest.mark.parametrize("name", [*sorted(MERGED), "shared"])
def test_no_template_names_a_partition(name: str) -> None:
    """The bundle deploys to any partition, so no ARN is written out."""
    text = json.dumps(MERGED.get(name, SHARED))
    assert "arn:aws" not in text
    principals = r'"(lambda|secretsmanager|events)\.amazonaws\.com"'
    assert "amazonaws.com" not in re.sub(principals, "", text)


def test_no_role_and_no_resource_is_everything() -> None:
    """A lone * stands where AWS demands it only.

    In the key policy it means this key; listing secrets can't be limited to some of them.
    """
    stars = [
        path
        for template in (*MERGED.values(), SHARED)
        for path in _places_of_star(template["Resources"], "")
    ]
    method = "/RestAPI/Properties/MethodSettings/0/HttpMethod"
    assert stars == [method] * sum(each.http for each in FUNCTIONS) + [
        "/Key/Properties/KeyPolicy/Statement/0/Resource",
        "/OperatorPolicy/Properties/PolicyDocument/Statement/2/Resource",
    ]


def test_what_cannot_be_made_again_is_kept() -> None:
    """Deleting the stack leaves the event table, the key, and what people have yet to look at."""
    resources = SHARED["Resources"]
    kept = {name for name, each in resources.items() if each.get("DeletionPolicy") == "Retain"}
    assert kept == {"Key", "Quarantine", "Table"}
    assert {resources[name]["UpdateReplacePolicy"] for name in kept} == {"Retain"}


def test_the_event_table_is_as_the_design_says() -> None:
    """On demand, streamed, recoverable, encrypted; TTL for garbage."""
    table = SHARED["Resources"]["Table"]["Properties"]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    assert types == {"pk": "S", "sk": "S", "open": "S", "due": "N"}
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}


def test_no_secret_is_in_a_template() -> None:
    """The report-token secret is made empty; its first key is made when deploying."""
    secret = SHARED["Resources"]["ReportTokenSecret"]["Properties"]
    assert sorted(secret) == ["Description", "KmsKeyId", "Name"]


@pytest.mark.parametrize(
    ("name", "handler", "own"),
    [
        (each.name, handler, "" if handler == each.handlers[0] else handler)
        for each in FUNCTIONS
        for handler in each.handlers
    ],
)
def test_each_function_has_a_log_group_of_its_own_that_forgets(
    name: str, handler: str, own: str
) -> None:
    """Logs go to the function's own group, as JSON, and are kept for a time only."""
    resources = MERGED[name]["Resources"]
    logging = resources[handler]["Properties"]["LoggingConfig"]
    assert logging == {"LogFormat": "JSON", "LogGroup": {"Ref": f"{own}LogGroup"}}
    group = f"/${{Stack}}/{name}-{own.lower()}".removesuffix("-")
    assert resources[f"{own}LogGroup"]["Properties"] == {
        "LogGroupName": {"Fn::Sub": group},
        "RetentionInDays": {"Ref": "LogRetentionDays"},
    }


def _statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    (policy,) = role["Policies"]
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return statements


def _allowed(statements: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {
        (action, _text(resource))
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(resource: dict[str, Any] | str) -> str:
    if isinstance(resource, str):
        return resource
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
