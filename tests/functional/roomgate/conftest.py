"""The command line on moto's AWS, with the strict stand-in for Secrets Manager where it counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from infra.emulators.secretsmanager import Nobody, SecretsManagerEmulator
from roomgate.cli import roomgate
from roomgate.operator.findings import OK
from tests.support.apps import load_app
from tests.support.issuer import IssuerStandIn
from tests.support.keys import pem_of_new_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

STACK = "st"
APP = "1400000001"
# One session for all: it reads the descriptions of AWS's services once.
BOTO = boto3.session.Session()


class Cli:
    """The command line of one stack."""

    def run(self, *arguments: str, given: str | bytes | None = None) -> Result:
        """Run a command, whatever comes of it."""
        return CliRunner().invoke(roomgate, ["--stack", STACK, *arguments], input=given, obj=BOTO)

    def bare(self, *arguments: str) -> Result:
        """Run a command whose AWS settings are those of the environment now."""
        return CliRunner().invoke(roomgate, ["--stack", STACK, *arguments])

    def done(self, *arguments: str, given: str | bytes | None = None) -> dict[str, Any]:
        """Run a command that succeeds; its answer in JSON."""
        result = self.run(*arguments, "--json", given=given)
        assert result.exit_code == 0, result.output
        facts: dict[str, Any] = json.loads(result.stdout)
        return facts

    def told(self, *arguments: str, given: str | bytes | None = None) -> str:
        """Run a command that succeeds; its answer for a person."""
        result = self.run(*arguments, given=given)
        assert result.exit_code == 0, result.output
        return result.stdout

    def failed(self, *arguments: str, given: str | bytes | None = None) -> str:
        """Run a command that is not done; its reason, which stands on standard error alone."""
        result = self.run(*arguments, given=given)
        assert (result.exit_code, result.stdout) == (1, ""), result.output
        assert result.stderr.startswith("roomgate: ")
        return result.stderr

    def misused(self, *arguments: str, given: str | bytes | None = None) -> str:
        """Run a command that is not understood; what it says."""
        result = self.run(*arguments, given=given)
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        assert "Usage:" in result.stderr
        return result.stderr


class Lambda(Nobody):
    """Invokes the rotation function; or fails as it does, if told to."""

    def __init__(self) -> None:
        self.broken = False
        self._app: ModuleType | None = None

    def invoke(self, function_arn: str, event: Mapping[str, str]) -> bool:
        """See Surroundings."""
        assert function_arn.endswith(f":function:{STACK}-rotation")
        if self.broken:
            return False
        if self._app is None:
            self._app = load_app("rotation")
            # Its log lines would stand among what the command line answers.
            self._app.log = lambda *_arguments: None  # type: ignore[attr-defined]  # The app is a module.
        self._app.rotate(dict(event), None)
        return True


@pytest.fixture
def cli() -> Cli:
    """The command line."""
    return Cli()


@pytest.fixture
def aws() -> Iterator[None]:
    """An account of each test's own, on moto."""
    with mock_aws():
        yield


@pytest.fixture
def rotating(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:  # noqa: ARG001 (its account)
    """An account whose Secrets Manager is the strict stand-in, with the rotation function."""
    monkeypatch.setenv("ROOMGATE_STACK", STACK)
    function = Lambda()
    with SecretsManagerEmulator(function, region="eu-central-1") as secretsmanager:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", secretsmanager.url)
        yield function


PARTS = ("shared", "lake", "webhook", "rooms", "issuer", "keeper", "exporter", "rotation")


def stack(part: str, outputs: dict[str, str], days: int = 180) -> None:
    """A stack as CloudFormation would have it, with hardly anything in it."""
    named = {"Name": f"/nothing/{part}", "Type": "String", "Value": "-"}
    nothing = {"Type": "AWS::SSM::Parameter", "Properties": named}
    template = {
        "Parameters": {"KeyMaxAgeDays": {"Type": "Number", "Default": days}},
        "Resources": {"Nothing": nothing},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    client = BOTO.client("cloudformation")
    client.create_stack(StackName=f"{STACK}-{part}", TemplateBody=json.dumps(template))


def put(name: str, value: str) -> None:
    """Store a parameter."""
    BOTO.client("ssm").put_parameter(Name=f"/{STACK}/{name}", Value=value, Type="String")


def put_secret(name: str, value: str) -> None:
    """Store a secret."""
    client = BOTO.client("secretsmanager")
    client.create_secret(Name=f"{STACK}/{name}", SecretString=value)


@pytest.fixture
def functions() -> Iterator[IssuerStandIn]:
    """What answers at the functions' URLs."""
    with IssuerStandIn() as running:
        yield running


@pytest.fixture
def deployed(rotating: object, functions: IssuerStandIn, cli: Cli) -> IssuerStandIn:
    """A stack in order: all deployed, an application with a key, a caller."""
    assert rotating
    for part in PARTS:
        outputs = {"KeyArn": "k", "TableName": "t"} if part == "shared" else {"Url": functions.url}
        stack(part, outputs)
    secret = json.dumps({"keys": []})
    name = f"{STACK}/report-token"
    BOTO.client("secretsmanager").create_secret(Name=name, SecretString=secret)
    cli.done("apps", "add", APP)
    cli.done("keys", "import", APP, "-", given=pem_of_new_key())
    cli.done("callers", "add", "backend")
    return functions


def checks(result: Result) -> list[dict[str, str]]:
    """What doctor found."""
    found: list[dict[str, str]] = json.loads(result.stdout)["checks"]
    return found


def to_do(cli: Cli, check: str) -> list[dict[str, str]]:
    """What doctor has to say about one thing, beside that it is in order."""
    found = checks(cli.run("doctor", "--json"))
    return [each for each in found if each["check"] == check and each["state"] != OK]
