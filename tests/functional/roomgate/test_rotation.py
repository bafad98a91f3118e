"""Rotating through the deployed function's code, on the strict stand-in of Secrets Manager."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from chalicelib.tickets import ECDSA, HMAC, load_key
from roomgate.operator.keystore import wait_for
from tests.functional.roomgate.conftest import APP, BOTO, STACK
from tests.support.keys import new_secret, pem_of_new_key
from tests.support.stores import Clock

if TYPE_CHECKING:
    from tests.functional.roomgate.conftest import Cli, Lambda

PEM, SECRET = pem_of_new_key(), new_secret()
OLD, NEW = load_key(ECDSA, PEM).key_id, load_key(HMAC, SECRET).key_id
NAME = f"{STACK}/app/{APP}"


@pytest.fixture
def app(cli: Cli, rotating: Lambda) -> str:
    """An application with a key that signs and one that waits."""
    assert not rotating.broken
    cli.done("apps", "add", APP)
    cli.done("keys", "import", APP, "-", given=PEM)
    cli.done("keys", "import", APP, "-", given=SECRET)
    return APP


def states(cli: Cli) -> dict[str, str]:
    keys = cli.done("keys", "status", APP)["keys"]
    return {key["state"]: key["keyId"] for key in keys}


def test_a_rotation_is_waited_for(cli: Cli, app: str) -> None:
    """The keys before and after are told; the old one still verifies."""
    facts = cli.done("keys", "rotate", app)
    assert facts["followsWithin"] == 60.3
    assert facts["before"] == {"current": OLD, "previous": None}
    assert facts["after"] == {"current": NEW, "previous": OLD}
    assert states(cli) == {"current": NEW, "previous": OLD}


def test_a_rollback_takes_it_back(cli: Cli, app: str) -> None:
    """And another one takes the rollback back."""
    cli.done("keys", "rotate", app)
    assert f"signed with {NEW}, now it signs with {OLD}" in cli.told("keys", "rollback", app)
    assert states(cli) == {"current": OLD, "previous": NEW}
    cli.done("keys", "rollback", app)
    assert states(cli) == {"current": NEW, "previous": OLD}


def test_a_rollback_warns_of_a_candidate(cli: Cli, app: str) -> None:
    """What waits will be rotated to all the same."""
    cli.done("keys", "rotate", app)
    cli.done("keys", "import", app, "-", given=pem_of_new_key())
    assert f"roomgate keys abort {app}" in cli.run("keys", "rollback", app).stderr


def test_there_is_nothing_to_roll_back_to_at_first(cli: Cli, app: str) -> None:
    """It is said, with what a new key takes."""
    assert "no previous key" in cli.failed("keys", "rollback", app)


def test_the_previous_key_is_not_imported_again(cli: Cli, app: str) -> None:
    """Going back is a rollback."""
    cli.done("keys", "rotate", app)
    said = cli.failed("keys", "import", app, "-", given=PEM)
    assert f"roomgate keys rollback {app}" in said


def test_there_is_nothing_to_rotate_to_without_a_candidate(cli: Cli, app: str) -> None:
    """RotateSecret would leave an empty version behind, so it is not called."""
    cli.done("keys", "rotate", app)
    assert f"roomgate keys import {app}" in cli.failed("keys", "rotate", app)
    assert states(cli) == {"current": NEW, "previous": OLD}


def test_a_rotation_that_fails_is_told_and_can_be_dropped(
    cli: Cli, app: str, rotating: Lambda
) -> None:
    """The old key signs on; while it is stuck, nothing else is started; abort clears the way."""
    rotating.broken = True
    said = cli.failed("keys", "rotate", app, "--timeout", "1")
    assert f"key {OLD} signs as before" in said
    assert f"{STACK}-rotation" in said
    assert "stuck" in cli.done("keys", "status", app)["next"]
    for command in (("rotate", app), ("rollback", app), ("import", app, "-", "--replace")):
        refused = cli.failed("keys", *command, given=new_secret())
        assert f"roomgate keys abort {app}" in refused
        assert ("then roll back again" in refused) == ("rollback" in command)
    dropped = cli.done("keys", "abort", app)["dropped"]
    assert [each["state"] for each in dropped] == ["candidate", "pending"]
    assert states(cli) == {"current": OLD}
    rotating.broken = False
    cli.done("keys", "import", app, "-", given=SECRET)
    assert cli.done("keys", "rotate", app)["after"]["current"] == NEW


def test_a_candidate_that_cannot_be_used_is_not_rotated_to(cli: Cli, app: str) -> None:
    """Somebody put it there by other means; status and rotate say what is wrong."""
    value = json.dumps({"algorithm": "ECDSA-SHA256", "key": "broken"})
    client = BOTO.client("secretsmanager")
    client.put_secret_value(SecretId=NAME, SecretString=value, VersionStages=["NEXT"])
    assert f"roomgate keys abort {app}" in cli.failed("keys", "rotate", app)
    told = cli.told("keys", "status", app)
    assert "candidate key can't be used: The key is no PEM" in told
    assert ".." not in told
    assert f"Next: drop the candidate: roomgate keys abort {app}" in told


def test_a_candidate_that_cannot_be_used_has_no_id_to_be_named_by(cli: Cli, app: str) -> None:
    """It is said so where another one would be named, and it is not offered as one to rotate to."""
    client = BOTO.client("secretsmanager")
    client.put_secret_value(SecretId=NAME, SecretString="{}", VersionStages=["NEXT"])
    said = cli.failed("keys", "import", app, "-", given=new_secret())
    assert "candidate (which can not be used)" in said
    assert "keys rotate" not in said
    assert cli.done("keys", "abort", app)["dropped"] == [{"state": "candidate", "keyId": None}]


def test_a_candidate_that_the_settings_forbid_is_not_rotated_to(cli: Cli, app: str) -> None:
    """The rotation would fail, and block the next one; it is not begun."""
    cli.done("apps", "set", app, "--algorithm", ECDSA)
    said = cli.failed("keys", "rotate", app)
    assert f"roomgate apps set {app} --algorithm {ECDSA} --algorithm {HMAC}" in said
    assert states(cli) == {"current": OLD, "candidate": NEW}


def test_a_rollback_to_a_key_that_the_settings_forbid_is_refused(cli: Cli, app: str) -> None:
    """It would leave every function that starts without a key, in the middle of the night."""
    cli.done("keys", "rotate", app)
    cli.done("apps", "set", app, "--algorithm", HMAC)
    said = cli.failed("keys", "rollback", app)
    assert f"roomgate apps set {app} --algorithm {HMAC} --algorithm {ECDSA}" in said
    assert states(cli) == {"current": NEW, "previous": OLD}


def test_a_current_key_that_was_broken_by_hand_has_a_way_back(cli: Cli, app: str) -> None:
    """The status names it: the key before, or where that is no good either, a new one."""
    client = BOTO.client("secretsmanager")
    cli.done("keys", "abort", app)
    client.put_secret_value(SecretId=NAME, SecretString="{}")
    assert cli.done("keys", "status", app)["next"].endswith(f"roomgate keys rollback {app}")
    client.put_secret_value(SecretId=NAME, SecretString="[]")
    assert f"roomgate keys import {app} FILE" in cli.done("keys", "status", app)["next"]
    cli.done("keys", "import", app, "-", given=SECRET)
    assert f"roomgate keys rotate {app}" in cli.done("keys", "status", app)["next"]
    assert cli.done("keys", "rotate", app)["after"]["current"] == NEW


def test_a_previous_key_that_cannot_be_used_is_not_rolled_back_to(cli: Cli, app: str) -> None:
    """It would leave the application without a key."""
    client = BOTO.client("secretsmanager")
    broken = client.put_secret_value(SecretId=NAME, SecretString="{}")["VersionId"]
    assert broken
    cli.done("keys", "rollback", app)
    assert "can't be used" in cli.failed("keys", "rollback", app)
    assert states(cli)["current"] == OLD


def test_waiting_ends() -> None:
    """It looks at least once, draws each time, and gives up when the time is over."""
    clock, drawn = Clock(0.0), []

    def sleep(seconds: float) -> None:
        clock.now += seconds

    assert wait_for(lambda: None, lambda: drawn.append(clock.now), 3, sleep, clock) is None
    assert (clock.now, drawn[0], drawn[-1] < 3) == (3, 0, True)
