from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from roomgate.checks import clock
from roomgate.checks import keys as keys_check
from roomgate.checks import stacks as stacks_check
from roomgate.deployed import Stack
from roomgate.findings import FIX, LOOK, OK, guarded
from roomgate.output import Output
from roomgate.session import DEFAULT_STACK, Session
from tests.functional.roomgate.conftest import APP, BOTO, STACK
from tests.support.issuer import IssuerStandIn
from tests.support.keys import new_secret, pem_of_new_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from click.testing import Result

    from roomgate.findings import Finding
    from tests.functional.roomgate.conftest import Cli, Lambda

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
    BOTO.client("ssm").put_parameter(Name=f"/{STACK}/{name}", Value=value, Type="String")


def put_secret(name: str, value: str) -> None:
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


def keys(stacks: dict[str, Stack], later: float) -> list[Finding]:
    """What is found of keys some seconds from now."""
    session = Session(STACK, Output(), BOTO)
    return list(keys_check(session, stacks, time.time() + later))


def checks(result: Result) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(result.stdout)["checks"]
    return found


def to_do(cli: Cli, check: str) -> list[dict[str, str]]:
    """What doctor has to say about one thing, beside that it is in order."""
    found = checks(cli.run("doctor", "--json"))
    return [each for each in found if each["check"] == check and each["state"] != OK]


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
        put("apps/1400000003", "{")
        (found,) = to_do(cli, "keys")
        assert (found["state"], "1400000003" in found["said"]) == (FIX, True)
        parameter = f"/{STACK}/apps/1400000003"
        assert (
            found["todo"] == f"Delete the parameter {parameter}, then: roomgate apps add 1400000003"
        )
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
        put(
            "callers/past",
            json.dumps(
                {
                    "id": "past",
                    "hashes": ["0"],
                    "applications": [],
                    "actions": [],
                    "ends": 1_600_000_000,
                }
            ),
        )
        put("callers/odd", "{")
        cli.done("callers", "add", "shut-out")
        cli.done("callers", "revoke", "shut-out")
        found = to_do(cli, "callers")
        parts = ("backend has two API keys", "odd can't be read", "past has ended", "soon ends at")
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
