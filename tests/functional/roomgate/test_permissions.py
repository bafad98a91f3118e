"""What the command line asks of AWS is what the stack's policy for operators allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]

from infra.layout import ROOT
from tests.functional.roomgate.conftest import APP, BOTO
from tests.support.keys import new_secret, pem_of_new_key

if TYPE_CHECKING:
    from tests.functional.roomgate.conftest import Cli, Lambda

_FREE = "sts:GetCallerIdentity"
# RotateSecret and DryRun ask for it; KMS is asked by Secrets Manager in the operator's name.
_RENAMED = {"lambda:Invoke": "lambda:InvokeFunction"}
_PREFIXES = {"secrets-manager": "secretsmanager"}


def allowed() -> set[str]:
    """The actions of the policy, but those that are KMS's."""
    template = cfn_yaml.load(str(ROOT / "infra" / "shared.yaml"))
    policy = template["Resources"]["OperatorPolicy"]["Properties"]["PolicyDocument"]
    listed = [each["Action"] for each in policy["Statement"]]
    actions = {a for each in listed for a in ([each] if isinstance(each, str) else each)}
    return {action for action in actions if not action.startswith("kms:")}


def test_the_policy_for_operators_is_what_the_command_line_needs(
    cli: Cli, rotating: Lambda
) -> None:
    """No command asks for more, and what the policy allows is used by one."""
    asked: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        service = model.service_model.service_id.hyphenize()
        action = f"{_PREFIXES.get(service, service)}:{model.name}"
        asked.add(_RENAMED.get(action, action))

    BOTO.events.register("before-call", note)
    try:
        _everything(cli, rotating)
    finally:
        BOTO.events.unregister("before-call", note)
    assert asked - {_FREE} == allowed()


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
    cli.run("doctor")
