"""doctor: what it says of keys, callers and signers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from chalicelib.auth.caller import Caller
from chalicelib.stores.settings import Settings
from roomgate.commands.output import Output
from roomgate.commands.session import Session
from roomgate.operator.checks import keys as keys_check
from roomgate.operator.deployed import Stack
from roomgate.operator.findings import FIX, LOOK, OK
from tests.functional.roomgate.conftest import (
    APP,
    BOTO,
    STACK,
    put,
    put_secret,
    to_do,
)
from tests.support.keys import new_secret

if TYPE_CHECKING:
    from roomgate.operator.findings import Finding
    from tests.functional.roomgate.conftest import Cli, Lambda
    from tests.support.issuer import IssuerStandIn


def keys(stacks: dict[str, Stack], later: float) -> list[Finding]:
    """What is found of keys some seconds from now."""
    session = Session(STACK, Output(), BOTO)
    return list(keys_check(session, stacks, time.time() + later))


class TestKeys:
    def test_an_application_without_a_key(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """The command that imports one."""
        assert deployed.url
        cli.done("apps", "add", "1400000002")
        (found,) = to_do(cli, "keys")
        assert found["todo"] == "roomgate keys import 1400000002 FILE"

    def test_settings_that_cannot_be_read(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """Every ticket of that application is refused."""
        assert deployed.url
        text = Settings().to_json().replace(": 300", ': "many"')
        put("apps/1400000003", text)
        (found,) = to_do(cli, "keys")
        assert (found["state"], "1400000003" in found["said"]) == (FIX, True)
        parameter = f"/{STACK}/apps/1400000003"
        assert (
            f"{parameter}) can't be read: not an application's settings: /largestRoom must"
            in (found["said"])
        )
        assert found["todo"].endswith("or delete the parameter, then: roomgate apps add 1400000003")
        assert parameter in cli.failed("apps", "set", "1400000003", "--longest-ttl", "90000")

    def test_a_candidate_is_worth_knowing(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """It waits for a person, so nothing needs doing now: exit code 0."""
        assert deployed.url
        cli.done("keys", "import", APP, "-", given=new_secret())
        (found,) = to_do(cli, "keys")
        assert (found["state"], f"rotate {APP}" in found["todo"]) == (LOOK, True)
        assert cli.run("doctor").exit_code == 0

    def test_a_key_that_the_settings_forbid(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """The issuer refuses to sign with it."""
        assert deployed.url
        BOTO.client("ssm").delete_parameter(Name=f"/{STACK}/apps/{APP}")
        cli.done("apps", "add", APP, "--algorithm", "HMAC-SHA256")
        (found,) = to_do(cli, "keys")
        both = "--algorithm HMAC-SHA256 --algorithm ECDSA-SHA256"
        assert found["todo"] == f"roomgate apps set {APP} {both}"

    @pytest.mark.parametrize(("days", "state"), [(89, OK), (91, FIX)])
    def test_a_key_past_its_interval(self, deployed: IssuerStandIn, days: int, state: str) -> None:
        """As the stack's parameter says; the alarm on KeyAge says the same."""
        assert deployed.url
        issuer = Stack("CREATE_COMPLETE", {}, {"KeyMaxAgeDays": "90"})
        (found,) = keys({"issuer": issuer}, days * 86_400)
        assert found.state == state
        assert (f"roomgate keys import {APP}" in found.todo) == (state == FIX)

    def test_an_interval_of_none_is_none(self, deployed: IssuerStandIn) -> None:
        """The parameter 0 turns alarm and finding off."""
        assert deployed.url
        issuer = Stack("CREATE_COMPLETE", {}, {"KeyMaxAgeDays": "0"})
        assert [each.state for each in keys({"issuer": issuer}, 1e9)] == [OK]

    def test_without_a_stack_the_interval_is_the_default(self, deployed: IssuerStandIn) -> None:
        """180 days."""
        assert deployed.url
        assert [keys({}, days * 86_400)[0].state for days in (179, 181)] == [OK, FIX]

    def test_a_rotation_that_got_stuck(
        self, cli: Cli, deployed: IssuerStandIn, rotating: Lambda
    ) -> None:
        """Under way at first; a quarter of an hour later it needs doing."""
        assert deployed.url
        cli.done("keys", "import", APP, "-", given=new_secret())
        rotating.broken = True
        cli.failed("keys", "rotate", APP, "--timeout", "1")
        assert [each["state"] for each in to_do(cli, "keys")] == [LOOK]
        _, found = keys({}, 1000)
        assert f"roomgate keys abort {APP}" in found.todo

    def test_a_key_that_cannot_be_used(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """Somebody wrote it by other means."""
        assert deployed.url
        client = BOTO.client("secretsmanager")
        client.put_secret_value(SecretId=f"{STACK}/app/{APP}", SecretString="{}")
        (found,) = to_do(cli, "keys")
        assert "can't be used" in found["said"]
        # The one from before can.
        assert found["todo"] == f"roomgate keys rollback {APP}"
        assert cli.done("keys", "status", APP)["next"].endswith(found["todo"])
        # Done that, there is no more to do: it is the previous key now, with which nothing signs.
        cli.done("keys", "rollback", APP)
        (found,) = to_do(cli, "keys")
        assert (found["state"], "previous key" in found["said"]) == (LOOK, True)

    def test_report_tokens_without_a_key(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """Nobody could enter."""
        assert deployed.url
        client = BOTO.client("secretsmanager")
        client.delete_secret(SecretId=f"{STACK}/report-token", ForceDeleteWithoutRecovery=True)
        (found,) = to_do(cli, "report tokens")
        assert found["todo"].startswith("make deploy")
        client.create_secret(Name=f"{STACK}/report-token")
        (found,) = to_do(cli, "report tokens")
        assert "has no value" in found["said"]


class TestCallers:
    def test_what_is_unfinished_or_ends(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """A change-over, an end that is near, one that is past, and one that can't be read."""
        assert deployed.url
        cli.done("callers", "rotate", "backend")
        cli.done("callers", "add", "soon", "--ends", str(int(time.time()) + 86_400))
        put("callers/past", Caller("past", ("0" * 64,), ends=1_600_000_000).to_json())
        put("callers/odd", Caller("odd", ("0" * 64,)).to_json().replace("50.0", "true"))
        cli.done("callers", "add", "shut-out")
        cli.done("callers", "revoke", "shut-out")
        found = to_do(cli, "callers")
        parts = (
            "backend has two API keys",
            "odd) can't be read: not a caller: /rate must be a number",
            "past has ended",
            "soon ends at",
        )
        assert [part in each["said"] for part, each in zip(parts, found, strict=True)] == [True] * 4
        assert [each["state"] for each in found] == [LOOK, FIX, LOOK, LOOK]


class TestSigners:
    def test_what_signs_is_looked_at(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """Two secrets at once are worth knowing; what can't be read is to be set anew."""
        assert deployed.url
        assert to_do(cli, "signers") == []
        cli.done("relays", "add", "relay")
        cli.done("callbacks", "set", APP)
        assert to_do(cli, "signers") == []
        cli.done("relays", "rotate", "relay")
        cli.done("callbacks", "rotate", APP)
        put_secret("callback/7", "{}")
        put_secret("relay/odd", "{}")
        found = to_do(cli, "signers")
        assert [(each["state"], each["todo"].rpartition("roomgate ")[2]) for each in found] == [
            (FIX, "relays add odd"),
            (LOOK, "relays revoke relay --older"),
            (LOOK, f"callbacks revoke {APP} --older"),
            (FIX, "callbacks set 7"),
        ]
