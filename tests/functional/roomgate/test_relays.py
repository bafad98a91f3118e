from __future__ import annotations

import base64
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.auth.relay import Relay
from tests.functional.roomgate.conftest import APP, BOTO, STACK

if TYPE_CHECKING:
    from tests.functional.roomgate.conftest import Cli

pytestmark = pytest.mark.usefixtures("aws")


def client() -> Any:
    return BOTO.client("secretsmanager")


def stored(relay_id: str) -> Relay:
    found = client().get_secret_value(SecretId=f"{STACK}/relay/{relay_id}")
    return Relay.from_json(found["SecretString"])


def names() -> list[str]:
    return [each["Name"] for each in client().list_secrets()["SecretList"]]


def test_a_relay_is_made_and_its_secret_shown_once(cli: Cli) -> None:
    """It is stored under the stack's KMS key, for the applications that were asked for."""
    facts = cli.done("relays", "add", "relay", "--application", APP, "--application", "7")
    assert facts["applications"] == [7, int(APP)]
    assert stored("relay") == Relay((facts["secret"],), frozenset({7, int(APP)}))
    described = client().describe_secret(SecretId=f"{STACK}/relay/relay")
    assert described["KmsKeyId"] == f"alias/{STACK}"


def test_each_secret_is_another_one_of_32_bytes(cli: Cli) -> None:
    """As Standard Webhooks writes it; without --application it is for all."""
    made = [cli.done("relays", "add", relay_id)["secret"] for relay_id in ("a", "b")]
    assert [len(base64.b64decode(each.removeprefix("whsec_"))) for each in made] == [32, 32]
    assert made[0] != made[1]
    assert stored("a").applications == frozenset()


def test_a_relay_is_not_overwritten(cli: Cli) -> None:
    """Adding it again is refused, and says how to get a new secret."""
    secret = cli.done("relays", "add", "relay")["secret"]
    assert "roomgate relays rotate relay" in cli.failed("relays", "add", "relay")
    assert stored("relay").secrets == (secret,)


def test_a_person_sees_the_secret_too(cli: Cli) -> None:
    """Alone on the last line, so that it can be copied."""
    told = cli.told("relays", "add", "relay")
    first = told.splitlines()[-1]
    assert stored("relay").secrets == (first,)
    second = cli.told("relays", "rotate", "relay").splitlines()[-1]
    assert stored("relay").secrets == (second, first)


def test_two_secrets_are_valid_while_a_backend_changes_over(cli: Cli) -> None:
    """rotate puts one first, and refuses a third; revoke --older drops the older."""
    old = cli.done("relays", "add", "relay", "--application", APP)["secret"]
    facts = cli.done("relays", "rotate", "relay")
    assert stored("relay") == Relay((facts["secret"], old), frozenset({int(APP)}))
    assert facts["secrets"] == 2
    assert "revoke relay --older" in cli.failed("relays", "rotate", "relay")
    # Functions know the older one for as long as they know the key of a revoked caller.
    revoked = {"relay": "relay", "revoked": "older", "stopsWithin": 60.3}
    assert cli.done("relays", "revoke", "relay", "--older") == revoked
    assert stored("relay") == Relay((facts["secret"],), frozenset({int(APP)}))
    assert "no older one" in cli.failed("relays", "revoke", "relay", "--older")


def test_a_revoked_relay_is_gone_and_its_id_is_free(cli: Cli) -> None:
    """At once: it can be made again, with another secret; nobody else is touched."""
    old = cli.done("relays", "add", "relay")["secret"]
    other = cli.done("relays", "add", "relay-2")["secret"]
    assert "its secrets stop within 60.3 seconds" in cli.told("relays", "revoke", "relay")
    assert names() == [f"{STACK}/relay/relay-2"]
    for command in (("revoke", "relay"), ("revoke", "relay", "--older"), ("rotate", "relay")):
        assert "roomgate relays list" in cli.failed("relays", *command)
    assert cli.done("relays", "add", "relay")["secret"] != old
    assert stored("relay-2").secrets == (other,)


def test_relays_are_listed_without_secrets(cli: Cli) -> None:
    """Ids, applications, how many secrets and since when; of this stack alone."""
    assert "roomgate relays add" in cli.told("relays", "list")
    begun = int(time.time())
    client().create_secret(Name=f"{STACK}/app/{APP}", SecretString="{}")
    client().create_secret(Name=f"other/{STACK}/relay/x", SecretString="{}")
    shown = [
        cli.done("relays", "add", "b", "--application", APP)["secret"],
        cli.done("relays", "add", "a")["secret"],
        cli.done("relays", "rotate", "a")["secret"],
    ]
    facts = cli.done("relays", "list")["relays"]
    assert [(each["relay"], each["secrets"], each["applications"]) for each in facts] == [
        ("a", 2, []),
        ("b", 1, [int(APP)]),
    ]
    assert all(begun <= each["since"] <= each["changed"] <= time.time() for each in facts)
    told = cli.told("relays", "list")
    assert told.splitlines()[1].split()[:3] == ["a", "2", "all"]
    assert not any(secret in told + str(facts) for secret in shown)


def test_what_cannot_be_read_is_shown_and_can_be_revoked(cli: Cli) -> None:
    """The secret's text stands in no message."""
    client().create_secret(Name=f"{STACK}/relay/odd", SecretString='{"secrets": ["whsec_x"]}')
    client().create_secret(Name=f"{STACK}/relay/raw", SecretBinary=b"\xff")
    facts = cli.done("relays", "list")["relays"]
    assert [(each["relay"], each["unreadable"]) for each in facts] == [("odd", True), ("raw", True)]
    told = cli.told("relays", "list") + cli.failed("relays", "rotate", "odd")
    assert "unreadable" in told
    assert "roomgate relays revoke odd" in told
    assert "whsec_" not in told
    cli.done("relays", "revoke", "odd")
    cli.done("relays", "revoke", "raw")
    assert names() == []


def test_one_that_is_marked_for_deletion_is_said_to_be(cli: Cli) -> None:
    """Somebody deleted the secret by hand: what to do is said, and it is not listed."""
    cli.done("relays", "add", "relay")
    client().delete_secret(SecretId=f"{STACK}/relay/relay")
    for command in ("rotate", "revoke"):
        assert "restore-secret" in cli.failed("relays", command, "relay")
    assert cli.done("relays", "list") == {"relays": []}


def test_another_refusal_is_told_as_aws_says_it(cli: Cli) -> None:
    """What has nothing to do with a deletion is not explained by one."""
    cli.done("relays", "add", "relay")
    error = {"Code": "InvalidRequestException", "Message": "The secret is managed by a service."}

    def refuse(**_: Any) -> Any:
        return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}

    BOTO.events.register("before-call.secrets-manager.GetSecretValue", refuse)
    try:
        for command in (("rotate", "relay"), ("list",)):
            said = cli.failed("relays", *command)
            assert "AWS refused GetSecretValue" in said
            assert error["Message"] in said
    finally:
        BOTO.events.unregister("before-call.secrets-manager.GetSecretValue", refuse)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "Not_An_Id"), "a-z"),
        (("add", "../app/1"), "a-z"),
        (("add", "a", "--application", "0"), "range"),
        (("add",), "RELAY_ID"),
        (("rotate", "Not_An_Id"), "a-z"),
        (("revoke", "a", "--newer"), "--newer"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, with the usage and what is wrong, before anything is written."""
    assert said in cli.misused("relays", *arguments)
    assert names() == []
