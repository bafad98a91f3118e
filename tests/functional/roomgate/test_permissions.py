"""What the command line asks of AWS is what the stack's policy for operators allows."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]

from chalicelib.callers.caller import Caller
from infra.layout import ROOT
from roomgate.event_store import TABLE_VARIABLE
from tests.functional.roomgate.conftest import APP, BOTO, STACK
from tests.functional.roomgate.morning import TABLE, know_a_morning, make_lake
from tests.support.keys import new_secret, pem_of_new_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from tests.functional.roomgate.conftest import Cli, Lambda

# What IAM calls a service or an action, where it is not what botocore calls it.
_SERVICES = {"secrets-manager": "secretsmanager"}
# DryRun asks for what Invoke asks for; RotateSecret looks for it in the operator's name.
# A transaction needs the rights of what it is made of: ours are puts.
_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "dynamodb:TransactWriteItems": "dynamodb:PutItem",
}
_FREE = "sts:GetCallerIdentity"
_NAMED = ("SecretId", "Name", "Path", "FunctionName", "StackName", "TableName")
# What the stack makes itself, by its name in the template.
_MADE = {"Table": TABLE}

Right = tuple[str, str]
"""An action, and the name of what it is done to."""


def statements() -> Iterator[set[Right]]:
    """The rights of each statement of the policy, but KMS's: Secrets Manager asks for those."""
    template = cfn_yaml.load(str(ROOT / "infra" / "shared.yaml"))
    policy = template["Resources"]["OperatorPolicy"]["Properties"]["PolicyDocument"]
    for each in policy["Statement"]:
        actions, resources = listed(each["Action"]), listed(each["Resource"])
        if not any(action.startswith("kms:") for action in actions):
            yield {(action, pattern(where)) for action in actions for where in resources}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def pattern(resource: Any) -> str:
    """What names a resource stands for, as a pattern."""
    if resource == "*":
        return "*"
    if "Fn::GetAtt" in resource:
        return _MADE[resource["Fn::GetAtt"][0]]
    arn = re.sub(r"\$\{AWS::\w+\}", "", resource["Fn::Sub"]).replace("${Stack}", STACK)
    if arn.startswith("arn::s3:"):
        return arn.split(":", 5)[5]
    kind, text = re.split("[:/]", arn.split(":", 5)[5], maxsplit=1)
    text = text.removesuffix("-??????")  # The random end of a secret's ARN.
    # An ARN of a stack ends with its id, and that of a parameter swallows the name's first slash.
    return {"stack": text.removesuffix("/*"), "parameter": f"/{text}"}.get(kind, text)


def test_the_policy_for_operators_is_what_the_command_line_needs(
    cli: Cli, rotating: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command asks for more, and whatever a statement allows is done to what it names."""
    make_lake()
    know_a_morning()
    monkeypatch.setenv(TABLE_VARIABLE, TABLE)
    asked: set[Right] = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_id.hyphenize()
        action = f"{_SERVICES.get(service, service)}:{model.name}"
        asked.add((_ACTIONS.get(action, action), named(params)))

    BOTO.events.register("before-parameter-build", note)
    try:
        _everything(cli, rotating)
    finally:
        BOTO.events.unregister("before-parameter-build", note)
    asked.discard((_FREE, "*"))
    allowed = list(statements())
    assert [each for each in asked if not any(map(fits(each), set().union(*allowed)))] == []
    for rights in allowed:
        used = {right[0] for right in rights if any(fits(each)(right) for each in asked)}
        assert used == {action for action, _ in rights}


def named(params: dict[str, Any]) -> str:
    """What a call is about, by its parameters."""
    if "Bucket" in params:
        return f"{params['Bucket']}/{params['Key']}"
    if "TransactItems" in params:
        (name,) = {each["Put"]["TableName"] for each in params["TransactItems"]}
        return str(name)
    return next((params[each] for each in _NAMED if each in params), "*")


def fits(asked: Right) -> Callable[[Right], bool]:
    """Whether a right is one to do what was asked for."""
    return lambda right: right[0] == asked[0] and fnmatchcase(asked[1], right[1])


def _everything(cli: Cli, rotating: Lambda) -> None:
    assert not rotating.broken
    cli.run("doctor")
    cli.done("apps", "add", APP)
    cli.done("apps", "set", APP, "--largest-room", "9")
    cli.done("keys", "import", APP, "-", given=pem_of_new_key())
    cli.done("keys", "import", APP, "-", given=new_secret())
    cli.done("keys", "rotate", APP)
    cli.done("keys", "rollback", APP)
    cli.done("keys", "import", APP, "-", given=new_secret())
    cli.done("keys", "abort", APP)
    cli.done("callers", "add", "backend")
    cli.done("callers", "rotate", "backend")
    cli.done("callers", "revoke", "backend", "--older")
    cli.done("callers", "revoke", "backend")
    _forget_revoked(cli, "backend")
    cli.done("relays", "add", "relay")
    cli.done("relays", "rotate", "relay")
    cli.done("relays", "revoke", "relay", "--older")
    cli.done("relays", "list")
    cli.done("relays", "revoke", "relay")
    cli.done("callbacks", "set", APP)
    cli.done("callbacks", "rotate", APP)
    cli.done("callbacks", "revoke", APP, "--older")
    cli.done("callbacks", "list")
    cli.done("callbacks", "revoke", APP)
    for group in ("apps", "keys", "callers"):
        cli.done(group, "list")
    cli.done("events", "export", "--from", "2026-03-02", "--to", "2026-03-03")
    cli.run("events", "replay", APP, "7", "--write")
    cli.done("users", "forget", APP, "berta")
    cli.run("doctor")


def _forget_revoked(cli: Cli, caller_id: str) -> None:
    """Take a caller off the list, as if it had been revoked long ago."""
    long_ago = Caller(caller_id, ()).revoked(1_600_000_000).to_json()
    name = f"/{STACK}/callers/{caller_id}"
    BOTO.client("ssm").put_parameter(Name=name, Value=long_ago, Type="String", Overwrite=True)
    cli.done("callers", "revoke", caller_id)
