"""doctor: what it says of a stack, and of what cannot be reached or read."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from roomgate.commands.output import Output
from roomgate.commands.session import DEFAULT_STACK, Session
from roomgate.operator.checks import clock
from roomgate.operator.checks import stacks as stacks_check
from roomgate.operator.findings import FIX, LOOK, OK, guarded
from tests.functional.roomgate.conftest import (
    BOTO,
    STACK,
    checks,
    stack,
    to_do,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from roomgate.operator.findings import Finding
    from tests.functional.roomgate.conftest import Cli
    from tests.support.issuer import IssuerStandIn


class TestAStackInOrder:
    def test_nothing_is_to_do(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """Exit code 0; everything that the command promises was looked at."""
        result = cli.run("doctor", "--json")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["healthy"]
        looked_at = list(dict.fromkeys(each["check"] for each in checks(result)))
        assert looked_at == [
            *("configuration", "credentials", "clock", "stacks", "permissions", "keys"),
            *("report tokens", "callers", "signers", "reachability"),
        ]
        assert {each.path for each in deployed.asked} == {"/issuer/readyz"}

    def test_a_person_is_told_so(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """One line for each, and a last one."""
        assert deployed.url
        assert cli.told("doctor").splitlines()[-1] == "Nothing to do."


class TestNothingThere:
    def test_an_empty_account_is_told_where_to_begin(
        self,
        cli: Cli,
        aws: None,
    ) -> None:
        """Exit code 1, and each thing with the command that mends it."""
        assert aws is None
        result = cli.run("doctor")
        assert result.exit_code == 1
        for command in ("make deploy", "roomgate apps add", "roomgate callers add"):
            assert command in result.stdout
        assert "5 thing(s)" not in result.stdout
        assert "thing(s) to do." in result.stdout.splitlines()[-1]


class TestCredentials:
    @pytest.fixture(autouse=True)
    def nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No credentials anywhere."""
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
            monkeypatch.delenv(f"AWS_{name}")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    def test_without_credentials_it_says_so_in_a_sentence(self, cli: Cli) -> None:
        """And looks no further, since nothing else could be told."""
        result = cli.bare("doctor", "--json")
        assert result.exit_code == 1
        (_, found) = checks(result)
        assert (found["check"], found["state"]) == ("credentials", FIX)
        assert found["todo"].startswith("There are no AWS credentials. Log in")

    @pytest.mark.parametrize("command", [("apps", "list"), ("keys", "list"), ("callers", "list")])
    def test_every_other_command_says_so_too(self, cli: Cli, command: tuple[str, ...]) -> None:
        """In the same words."""
        result = cli.bare(*command)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "There are no AWS credentials" in result.stderr

    def test_without_a_region_it_says_so(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        """And how to set one."""
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        result = cli.bare("doctor", "--json")
        assert "AWS_REGION=" in checks(result)[0]["todo"]
        assert "AWS_REGION=" in cli.bare("apps", "list").stderr

    def test_an_unknown_profile_is_said(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is a matter of configuration."""
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        result = cli.bare("doctor", "--json")
        assert "aws configure list-profiles" in checks(result)[0]["todo"]

    def test_an_endpoint_that_is_no_url_is_said(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In words, by doctor and by every other command."""
        monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
        (found,) = checks(cli.bare("doctor", "--json"))
        assert (found["check"], found["state"]) == ("configuration", FIX)
        assert "AWS_ENDPOINT_URL must be a URL" in found["todo"]
        result = cli.bare("apps", "list")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "AWS_ENDPOINT_URL must be a URL" in result.stderr


class TestClock:
    @pytest.mark.parametrize(
        ("off", "state"), [(0, OK), (3, OK), (-20, LOOK), (20, LOOK), (90, FIX), (-4000, FIX)]
    )
    def test_it_is_compared_with_that_of_aws(self, off: int, state: str) -> None:
        """In both directions; what helps is told."""
        now = 1_600_000_000
        finding = clock(formatdate(now - off, usegmt=True), now)
        assert finding.state == state
        assert (state == OK) == (finding.todo == "")

    @pytest.mark.parametrize("date", [None, "", "yesterday"])
    def test_without_a_date_nothing_is_claimed(self, date: str | None) -> None:
        """An odd proxy may take it away."""
        assert clock(date, 0.0).state == LOOK

    def test_a_clock_that_is_off_hides_nothing_else(self, cli: Cli, aws: None) -> None:
        """AWS still answers, so the rest is looked at as well."""
        assert aws is None

        def date_it(parsed: dict[str, Any], **_: Any) -> None:
            headers = parsed["ResponseMetadata"]["HTTPHeaders"]
            headers["date"] = formatdate(time.time() - 90, usegmt=True)

        BOTO.events.register_first("after-call.sts.GetCallerIdentity", date_it)
        try:
            found = {each["check"]: each["state"] for each in checks(cli.run("doctor", "--json"))}
        finally:
            BOTO.events.unregister("after-call.sts.GetCallerIdentity", date_it)
        assert found["clock"] == FIX
        assert {"stacks", "keys", "callers"} <= found.keys()


class TestStacks:
    def test_one_that_is_missing(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """It is named."""
        assert deployed.url
        BOTO.client("cloudformation").delete_stack(StackName=f"{STACK}-rotation")
        (found,) = to_do(cli, "stacks")
        assert (found["state"], found["todo"]) == (FIX, f'make deploy ARGS="--stack {STACK}"')
        assert f"{STACK}-rotation" in found["said"]

    def test_the_stack_of_the_usual_name_is_deployed_without_one(self, aws: None) -> None:
        """As the README has it."""
        assert aws is None
        found = list(stacks_check(Session(DEFAULT_STACK, Output(), BOTO), {}))
        assert {each.todo for each in found} == {"make deploy"}

    def test_one_without_its_outputs(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """An older version's, or somebody else's."""
        assert deployed.url
        BOTO.client("cloudformation").delete_stack(StackName=f"{STACK}-issuer")
        stack("issuer", {})
        (found,) = to_do(cli, "stacks")
        assert "lacks the outputs Url" in found["said"]


class TestReachability:
    @pytest.mark.parametrize(
        ("answer", "state"),
        [((200, {}), None), ((503, {"code": "not-ready"}), LOOK), ((403, b"no"), FIX)],
    )
    def test_the_functions_are_asked(
        self, cli: Cli, deployed: IssuerStandIn, answer: tuple[int, Any], state: str | None
    ) -> None:
        """With the extension a function is ready after its first call only, so 503 is no fault."""
        deployed.answer = answer
        states = [each["state"] for each in to_do(cli, "reachability")]
        assert states == ([state] * 3 if state else [])

    def test_one_that_cannot_be_reached(self, cli: Cli, deployed: IssuerStandIn) -> None:
        """It is said which."""
        assert deployed.url
        client = BOTO.client("cloudformation")
        client.delete_stack(StackName=f"{STACK}-rooms")
        stack("rooms", {"Url": "http://127.0.0.1:9"})
        (found,) = to_do(cli, "reachability")
        assert found["said"] == "rooms does not answer."


def denied(code: str, message: str = "no", operation: str = "GetParameter") -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}}
    return ClientError(answer, operation)


def raising(error: Exception) -> Callable[[], Iterable[Finding]]:
    def look() -> Iterable[Finding]:
        raise error

    return look


class TestWhatAwsSays:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (denied("AccessDeniedException"), "policy for operators"),
            (denied("ExpiredTokenException"), "Log in again"),
            (denied("ThrottlingException"), "Try again"),
            (denied("RequestTimeTooSkewed"), "clock"),
            (denied("InvalidSignatureException", "Signature expired: 2026"), "clock"),
            (denied("InvalidSignatureException"), "Log in again"),
            (EndpointConnectionError(endpoint_url="https://x"), "can't be reached"),
            (ConnectTimeoutError(endpoint_url="https://x"), "can't be reached"),
            (denied("SomethingNew", "odd"), "GetParameter: SomethingNew: odd"),
        ],
    )
    def test_is_explained(self, error: Exception, said: str) -> None:
        """In a sentence that says what to do."""
        (finding,) = guarded("x", raising(error))
        assert (finding.state, said in finding.todo) == (FIX, True)

    def test_what_is_nobodys_fault_is_not_hidden(self) -> None:
        """A fault of ours is a traceback, and not a finding."""
        with pytest.raises(ZeroDivisionError):
            guarded("x", raising(ZeroDivisionError()))

    def test_a_missing_permission_is_named(self, cli: Cli, aws: None) -> None:
        """Each action that is refused."""
        assert aws is None

        def refuse(**_: Any) -> None:
            raise denied("AccessDeniedException", operation="DescribeSecret")

        BOTO.events.register_first("before-call.secrets-manager.DescribeSecret", refuse)
        try:
            found = to_do(cli, "permissions")
        finally:
            BOTO.events.unregister("before-call.secrets-manager.DescribeSecret", refuse)
        assert [each["said"] for each in found] == ["You may not secretsmanager:DescribeSecret."]
