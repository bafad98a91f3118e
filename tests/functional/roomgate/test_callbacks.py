from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.auth.callback_keys import CallbackKeys, is_key, new_key
from tests.functional.roomgate.conftest import APP, BOTO, STACK

if TYPE_CHECKING:
    from tests.functional.roomgate.conftest import Cli


def client() -> Any:
    return BOTO.client("secretsmanager")


def stored(app: str = APP) -> tuple[str, ...]:
    found = client().get_secret_value(SecretId=f"{STACK}/callback/{app}")
    return CallbackKeys.from_json(found["SecretString"]).keys


def names() -> list[str]:
    return [each["Name"] for each in client().list_secrets()["SecretList"]]


@pytest.fixture(autouse=True)
def application(aws: None, cli: Cli) -> None:
    """The application is set up."""
    assert aws is None
    cli.done("apps", "add", APP)


def test_a_key_is_made_and_shown_once(cli: Cli) -> None:
    """As long as Tencent takes one, under the stack's KMS key."""
    facts = cli.done("callbacks", "set", APP)
    assert is_key(facts["key"])
    assert len(facts["key"]) == 32
    assert stored() == (facts["key"],)
    described = client().describe_secret(SecretId=f"{STACK}/callback/{APP}")
    assert described["KmsKeyId"] == f"alias/{STACK}"


def test_the_consoles_key_is_taken_and_not_shown(cli: Cli) -> None:
    """From a file or standard input, without the line feed at its end."""
    key = new_key()
    facts = cli.done("callbacks", "set", APP, "-", given=f"{key}\n")
    assert facts == {"sdkAppId": int(APP), "keys": 1}
    assert stored() == (key,)
    newer = new_key()
    assert newer not in cli.told("callbacks", "rotate", APP, "-", given=newer)
    assert stored() == (newer, key)


def test_a_person_sees_a_new_key_too(cli: Cli) -> None:
    """Alone on the last line, so that it can be copied."""
    first = cli.told("callbacks", "set", APP).splitlines()[-1]
    assert stored() == (first,)
    told = cli.told("callbacks", "rotate", APP)
    assert stored() == (told.splitlines()[-1], first)
    assert f"roomgate callbacks revoke {APP} --older" in told


def test_a_short_key_is_taken_with_a_warning(cli: Cli) -> None:
    """The console may have one; the warning does not show it."""
    result = cli.run("callbacks", "set", APP, "-", given="abc123xyz")
    assert result.exit_code == 0
    assert "short (9 characters)" in result.stderr
    assert "abc123xyz" not in result.output
    assert stored() == ("abc123xyz",)


@pytest.mark.parametrize("given", ["", "a b", "x" * 33, "é" * 16, "a\nb"])
def test_what_tencent_would_not_take_is_refused(cli: Cli, given: str) -> None:
    """Nothing is stored, and the text is not repeated."""
    said = cli.failed("callbacks", "set", APP, "-", given=given)
    assert "1 to 32 letters and digits" in said
    assert not given or given not in said
    assert names() == []


def test_two_keys_are_valid_while_the_console_changes(cli: Cli) -> None:
    """rotate puts one first, and refuses a third; revoke --older drops the older."""
    old = cli.done("callbacks", "set", APP)["key"]
    facts = cli.done("callbacks", "rotate", APP)
    assert stored() == (facts["key"], old)
    assert facts["keys"] == 2
    assert f"revoke {APP} --older" in cli.failed("callbacks", "rotate", APP)
    # Functions know the older one for as long as they know the key of a revoked caller.
    revoked = {"sdkAppId": int(APP), "revoked": "older", "stopsWithin": 60.3}
    assert cli.done("callbacks", "revoke", APP, "--older") == revoked
    assert stored() == (facts["key"],)
    assert "no older one" in cli.failed("callbacks", "revoke", APP, "--older")


def test_the_same_key_again_is_refused(cli: Cli) -> None:
    """A change-over to the same key would be none."""
    key = cli.done("callbacks", "set", APP)["key"]
    said = cli.failed("callbacks", "rotate", APP, "-", given=key)
    assert "already" in said
    assert key not in said
    assert stored() == (key,)


def test_keys_are_not_overwritten(cli: Cli) -> None:
    """Setting them again is refused, and says how to get a second one."""
    key = cli.done("callbacks", "set", APP)["key"]
    assert f"roomgate callbacks rotate {APP}" in cli.failed("callbacks", "set", APP)
    assert stored() == (key,)


def test_an_application_that_is_not_set_up_gets_none(cli: Cli) -> None:
    """It says how to set it up."""
    assert "roomgate apps add 7" in cli.failed("callbacks", "set", "7")
    for command in ("rotate", "revoke"):
        assert "roomgate callbacks list" in cli.failed("callbacks", command, "7")
    assert names() == []


def test_revoked_keys_are_gone(cli: Cli) -> None:
    """At once: others can be set; no other secret of the application is touched."""
    client().create_secret(Name=f"{STACK}/app/{APP}", SecretString="{}")
    old = cli.done("callbacks", "set", APP)["key"]
    assert "its callbacks stop within 60.3 seconds" in cli.told("callbacks", "revoke", APP)
    assert names() == [f"{STACK}/app/{APP}"]
    assert cli.done("callbacks", "set", APP)["key"] != old


def test_they_are_listed_without_keys(cli: Cli) -> None:
    """Applications, how many keys and since when; of this stack alone."""
    assert "roomgate callbacks set" in cli.told("callbacks", "list")
    begun = int(time.time())
    cli.done("apps", "add", "7")
    client().create_secret(Name=f"{STACK}/callback/odd", SecretString="{}")
    client().create_secret(Name=f"{STACK}/callback/9", SecretString="{}")
    shown = [
        cli.done("callbacks", "set", APP)["key"],
        cli.done("callbacks", "set", "7")["key"],
        cli.done("callbacks", "rotate", "7")["key"],
    ]
    facts = cli.done("callbacks", "list")["callbacks"]
    assert [(each["sdkAppId"], each.get("keys")) for each in facts] == [
        (7, 2),
        (9, None),
        (int(APP), 1),
    ]
    assert all(begun <= each["since"] <= each["changed"] <= time.time() for each in facts)
    told = cli.told("callbacks", "list")
    assert "unreadable" in told
    assert not any(key in told + str(facts) for key in shown)
    assert "roomgate callbacks revoke 9" in cli.failed("callbacks", "rotate", "9")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "0"), "range"),
        (("set",), "SDK_APP_ID"),
        (("rotate", "x"), "integer"),
        (("revoke", APP, "--newer"), "--newer"),
        (("set", APP, "no-such-file"), "no-such-file"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, with the usage and what is wrong, before anything is written."""
    assert said in cli.misused("callbacks", *arguments)
    assert names() == []
