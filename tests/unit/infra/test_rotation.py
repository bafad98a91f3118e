"""Rotation's template: who may invoke it, and what starts it."""

from __future__ import annotations

from typing import Any

from infra.layout import FUNCTIONS
from infra.package import target
from infra.package.template import merge_document

PERMISSION = "AWS::Lambda::Permission"
ROTATION = next(each for each in FUNCTIONS if each.name == "rotation")
TEMPLATE = merge_document(ROTATION, target.aws())
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def test_only_secrets_manager_and_this_account_may_invoke_the_steps() -> None:
    """One permission, which names both."""
    permissions = [r for r in RESOURCES.values() if r.get("Type") == PERMISSION]
    assert [permission["Properties"] for permission in permissions] == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "Rotation"},
            "Principal": "secretsmanager.amazonaws.com",
            "SourceAccount": {"Ref": "AWS::AccountId"},
        }
    ]


def test_token_keys_rotate_by_a_schedule_of_secrets_manager_unless_told_otherwise() -> None:
    """Under a condition, since the local AWS refuses the resource; after the permission."""
    schedule = RESOURCES["TokenRotation"]
    assert schedule["Type"] == "AWS::SecretsManager::RotationSchedule"
    assert schedule["Properties"]["SecretId"] == {"Ref": "ReportTokenSecretArn"}
    assert "SecretsManagerMayInvoke" in schedule["DependsOn"]
    days = {"Ref": "TokenRotationDays"}
    assert schedule["Properties"]["RotationRules"] == {"AutomaticallyAfterDays": days}
    condition = TEMPLATE["Conditions"][schedule["Condition"]]
    assert condition == {"Fn::Not": [{"Fn::Equals": [days, 0]}]}
    assert TEMPLATE["Parameters"]["TokenRotationDays"]["Default"] == 30


def test_the_function_has_the_name_that_the_command_line_counts_on() -> None:
    """Versions.rotation_function_arn makes its ARN from the stack's name."""
    name = RESOURCES["Rotation"]["Properties"]["FunctionName"]
    assert name == {"Fn::Sub": "${Stack}-rotation"}
    assert "RestAPI" not in RESOURCES
