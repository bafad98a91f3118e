from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from chalicelib.callers.caller import Caller, hash_of
from chalicelib.keys.settings import Settings
from roomgate.cli import roomgate
from roomgate.stores import OperatorError
from tests.support.keys import new_secret, pem_of_new_key

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = "1400000001"


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    """An account of each test's own."""
    with mock_aws():
        yield


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(roomgate, ["--stack", "s", *arguments], input=given)


def done(*arguments: str, given: str | None = None) -> dict[str, Any]:
    result = run("--json", *arguments, given=given)
    assert result.exit_code == 0, result.output
    facts: dict[str, Any] = json.loads(result.output)
    return facts


def failed(*arguments: str, given: str | None = None) -> str:
    result = run(*arguments, given=given)
    assert isinstance(result.exception, OperatorError)
    return str(result.exception)


def parameter(name: str) -> str:
    return boto3.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]


def test_an_application_is_set_up() -> None:
    """Its settings are what the functions read, with the bounds that were asked for."""
    done("apps", "add", APP, "--default-ttl", "3600", "--algorithm", "HMAC-SHA256")
    settings = Settings.from_json(parameter(f"/s/apps/{APP}"))
    assert settings.algorithms == ("HMAC-SHA256",)
    assert settings.user_sig_ttl.default == settings.private_map_key_ttl.default == 3600


def test_an_application_is_not_overwritten() -> None:
    """Adding it again is refused, and says so."""
    done("apps", "add", APP)
    assert "already" in failed("apps", "add", APP)


@pytest.mark.parametrize(
    ("algorithm", "made"),
    [("ECDSA-SHA256", pem_of_new_key()), ("HMAC-SHA256", new_secret() + "\n")],
)
def test_a_key_comes_over_standard_input(algorithm: str, made: str) -> None:
    """The algorithm follows from the file; the answer names the key and does not show it."""
    done("apps", "add", APP)
    facts = done("keys", "import", APP, "-", given=made)
    assert facts["algorithm"] == algorithm
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=f"s/app/{APP}")
    assert json.loads(secret["SecretString"]) == {"algorithm": algorithm, "key": made.strip()}
    assert made.strip() not in json.dumps(facts)


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ("", ()),
        ("too-short", ()),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", ()),
        (new_secret(), ("--algorithm", "ECDSA-SHA256")),
    ],
)
def test_a_key_that_cannot_be_used_is_not_stored(given: str, options: tuple[str, ...]) -> None:
    """The reason is told without the key, and the store stays as it was."""
    done("apps", "add", APP)
    reason = failed("keys", "import", APP, "-", *options, given=given)
    assert "can't be used" in reason
    assert not given or given not in reason
    assert boto3.client("secretsmanager").list_secrets()["SecretList"] == []


def test_a_key_needs_its_application() -> None:
    """Without settings there is nothing to import a key for; the text says what to do."""
    assert f"roomgate apps add {APP}" in failed("keys", "import", APP, "-", given=new_secret())


def test_a_key_needs_an_allowed_algorithm() -> None:
    """The application's settings decide which algorithms may sign."""
    done("apps", "add", APP, "--algorithm", "HMAC-SHA256")
    assert "HMAC-SHA256 only" in failed("keys", "import", APP, "-", given=pem_of_new_key())


def test_a_key_is_not_overwritten() -> None:
    """A second import would be a rotation, which this command does not do."""
    done("apps", "add", APP)
    done("keys", "import", APP, "-", given=new_secret())
    assert "rotation" in failed("keys", "import", APP, "-", given=new_secret())


def test_a_caller_is_made_and_its_key_shown_once() -> None:
    """Only the hash of the key is stored; rights are as asked for."""
    ends = str(int(time.time()) + 60)
    facts = done(
        *("callers", "add", "backend", "--application", APP, "--action", "issue"),
        *("--action", "read", "--longest-ttl", "60", "--users", "t-*", "--ends", ends),
    )
    stored = parameter("/s/callers/backend")
    caller = Caller.from_json(stored)
    assert caller.hashes == (hash_of(facts["apiKey"]),)
    assert facts["apiKey"] not in stored
    assert caller.applications == frozenset({int(APP)})
    assert (caller.actions, caller.users) == (frozenset({"issue", "read"}), "t-*")
    assert (caller.most_ttl, caller.ends) == (60, int(ends))
    assert "already" in failed("callers", "add", "backend")


@pytest.mark.parametrize(
    "arguments",
    [
        ("callers", "add", "Not_An_Id"),
        ("callers", "add", "a", "--action", "fly"),
        ("callers", "add", "a", "--rate", "0"),
        ("apps", "add", "0"),
        ("apps", "add", "twelve"),
        ("apps", "add", APP, "--default-ttl", "60", "--longest-ttl", "59"),
        ("keys", "import", APP, "no-such-file"),
        ("fly",),
    ],
)
def test_a_command_that_makes_no_sense_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    """Exit code 2, with the usage, before any call to AWS."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.output


@pytest.mark.parametrize("group", [(), ("apps",), ("keys",), ("callers",), ("callers", "add")])
def test_help_is_there_for_each_command(group: tuple[str, ...]) -> None:
    """--help explains, and exits with 0."""
    result = run(*group, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output
