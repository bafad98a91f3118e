"""What the command line asks of AWS is what the stack's policy for operators allows."""

from __future__ import annotations

import re
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import boto3
from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # It has none.

from chalicelib.auth.caller import Caller
from chalicelib.roster.view import view_of
from chalicelib.table.item_keys import RoomKey
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import parse_room
from infra.layout import TEMPLATES
from roomgate.operator.event_store import TABLE_VARIABLE
from tests.functional.roomgate.conftest import APP, BOTO, STACK
from tests.functional.roomgate.morning import make_lake
from tests.support.event_table import create_table, report
from tests.support.keys import new_secret, pem_of_new_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from tests.functional.roomgate.conftest import Cli, Lambda

# What IAM calls a service or an action, where it is not what botocore calls it.
_SERVICES = {"secrets-manager": "secretsmanager"}
# DryRun asks for what Invoke asks for; RotateSecret looks for it in the operator's name.
_ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"}
_FREE = "sts:GetCallerIdentity"
_NAMED = ("SecretId", "Name", "Path", "FunctionName", "StackName", "TableName")
_TABLE = "events"

Right = tuple[str, str]
"""An action, and the name of what it is done to."""


def statements() -> Iterator[set[Right]]:
    """The rights of each statement of the policy, but KMS's: Secrets Manager asks for those."""
    template = cfn_yaml.load(str(TEMPLATES / "shared.yaml"))
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
    if resource == {"Fn::GetAtt": ["Table", "Arn"]}:
        return _TABLE
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
    monkeypatch.setenv(TABLE_VARIABLE, _TABLE)
    _report()
    make_lake()
    asked: set[Right] = set()

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_id.hyphenize()
        action = f"{_SERVICES.get(service, service)}:{model.name}"
        name = next((params[each] for each in _NAMED if each in params), "*")
        if "Bucket" in params:
            name = f"{params['Bucket']}/{params['Key']}"
        asked.add((_ACTIONS.get(action, action), name))

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
    cli.run("events", "replay", APP, "7", "--write", "--thorough")
    cli.done("events", "export", "--from", "2026-01-01", "--to", "2100-01-01")
    cli.run("users", "forget", APP, "anna")
    for group in ("apps", "keys", "callers"):
        cli.done(group, "list")
    cli.run("doctor")


def _report() -> None:
    """An event table with a room in which a user was, that another one names and that has left."""
    client = boto3.client("dynamodb")  # Not the command line's: what it asks for is not counted.
    create_table(client, _TABLE)
    folder, now = RoomWriter(EventTable(client, _TABLE)), int(time.time() * 1000) - 60_000
    for seq, users in enumerate(("anna berta", "berta anna", "berta")):
        user, *others = users.split()
        sent = report(parse_room(7), view_of(user, dict.fromkeys(others)), seq, app=int(APP))
        folder.record(sent._replace(received=now + 1000 * seq), now + 1000 * seq)
    folder.settle(RoomKey(int(APP), parse_room(7)), now + 30_000)


def _forget_revoked(cli: Cli, caller_id: str) -> None:
    """Take a caller off the list, as if it had been revoked long ago."""
    long_ago = Caller(caller_id, ()).revoked(1_600_000_000).to_json()
    name = f"/{STACK}/callers/{caller_id}"
    BOTO.client("ssm").put_parameter(Name=name, Value=long_ago, Type="String", Overwrite=True)
    cli.done("callers", "revoke", caller_id)
