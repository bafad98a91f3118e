"""The templates as CloudFormation gets to see them: packaged by Chalice, expanded as SAM does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]  # It has none.

from infra.layout import FUNCTIONS
from infra.package import target
from infra.package.template import merge_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.package.bundle import Bundle

# Who may invoke a function, and what narrows it to this stack or this account.
INVOKERS = {
    "apigateway.amazonaws.com": "SourceArn",
    "events.amazonaws.com": "SourceArn",
    "secretsmanager.amazonaws.com": "SourceAccount",
}
# The one resource that may be everything: a method setting, which names all methods of our own API.
STARS = {"HttpMethod"}


class NoPolicies:
    """Stands in for SAM's list of AWS's managed policies: no template may ask for one."""

    def load(self) -> dict[str, str]:
        """No policy has a name."""
        return {}


@pytest.fixture(scope="session")
def resources(bundles: list[Bundle]) -> dict[str, dict[str, Any]]:
    """Each function's resources, transformed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        return {
            bundle.function.name: transform(
                json.loads(bundle.template.read_text()), {}, NoPolicies()
            )["Resources"]
            for bundle in bundles
        }


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_every_lambda_has_its_own_role_and_there_is_no_other(
    resources: dict[str, dict[str, Any]], function: Any
) -> None:
    """Neither Chalice nor SAM adds a role, a policy or a Lambda; unit tests say what ours allow."""
    made = resources[function.name]
    lambdas = of_type(made, "AWS::Lambda::Function")
    assert sorted(lambdas) == sorted(function.handlers)
    roles = sorted(each["Role"]["Fn::GetAtt"][0] for each in lambdas.values())
    assert roles == sorted(of_type(made, "AWS::IAM::Role"))
    assert len(set(roles)) == len(roles)
    kinds = {each["Type"] for each in made.values()}
    assert not [kind for kind in kinds if kind.startswith("AWS::IAM") and "Role" not in kind]
    assert not [kind for kind in kinds if "Serverless" in kind]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_the_roles_arrive_as_they_were_written(
    resources: dict[str, dict[str, Any]], function: Any
) -> None:
    """What the unit tests find in them, right by right, is what CloudFormation gets to see."""
    written = merge_document(function, target.local())["Resources"]
    made = of_type(resources[function.name], "AWS::IAM::Role")
    assert {name: role["Policies"] for name, role in made.items()} == {
        name: written[name]["Properties"]["Policies"] for name in made
    }


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_only_who_has_to_may_invoke(resources: dict[str, dict[str, Any]], function: Any) -> None:
    """Each permission is for one service, and narrowed to this API, this rule or this account.

    A stream needs none: its mapping reads it with the function's own role.
    """
    made = resources[function.name]
    permissions = of_type(made, "AWS::Lambda::Permission")
    assert permissions or of_type(made, "AWS::Lambda::EventSourceMapping")
    for permission in permissions.values():
        assert permission[INVOKERS[permission["Principal"]]]
        assert permission["Action"] == "lambda:InvokeFunction"
        assert "*" not in permission.get("SourceAccount", "")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_nothing_is_everything_and_no_partition_is_written_out(
    resources: dict[str, dict[str, Any]], function: Any
) -> None:
    """No lone star and no literal ARN, whoever wrote it: we, Chalice or SAM."""
    made = resources[function.name]
    assert {path[-1] for path, value in leaves(made) if value == "*"} <= STARS
    assert not [path for path, value in leaves(made) if "arn:aws" in str(value)]


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f.http], ids=lambda each: each.name)
def test_the_gateway_has_a_rate_limit_too(
    resources: dict[str, dict[str, Any]], function: Any
) -> None:
    """Every method of every path is throttled, by numbers that the deployment chooses."""
    (stage,) = of_type(resources[function.name], "AWS::ApiGateway::Stage").values()
    (limit,) = stage["MethodSettings"]
    assert (limit["ResourcePath"], limit["HttpMethod"]) == ("/*", "*")
    assert limit["ThrottlingRateLimit"] == {"Ref": "ThrottleRate"}
    assert limit["ThrottlingBurstLimit"] == {"Ref": "ThrottleBurst"}


def of_type(resources: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of one type, by their names."""
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == kind}


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each leaf with the names on the way to it."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, (*path, key))
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, path)
    else:
        yield path, value
