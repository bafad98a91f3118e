from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from chalicelib.auth.api_keys import Callers
from chalicelib.auth.caller import Caller, hash_of
from chalicelib.errors import ApiError
from chalicelib.stores.cache import REFRESH_SECONDS, STALE_SECONDS
from chalicelib.stores.names import Names
from chalicelib.stores.store import AwsStore
from tests.functional.roomgate.conftest import APP, BOTO, STACK

if TYPE_CHECKING:
    from tests.functional.roomgate.conftest import Cli

pytestmark = pytest.mark.usefixtures("aws")


def text_of(caller_id: str) -> str:
    found = BOTO.client("ssm").get_parameter(Name=f"/{STACK}/callers/{caller_id}")
    return found["Parameter"]["Value"]


def stored(caller_id: str) -> Caller:
    return Caller.from_json(text_of(caller_id))


def put(caller_id: str, text: str) -> None:
    BOTO.client("ssm").put_parameter(
        Name=f"/{STACK}/callers/{caller_id}", Value=text, Type="String", Overwrite=True
    )


def may_call(api_key: str) -> bool:
    """Whether a function that has just started lets an API key in."""
    try:
        Callers(AwsStore(), Names(STACK)).authenticate(f"Bearer {api_key}", time.time())
    except ApiError:
        return False
    return True


def test_a_caller_is_made_and_its_key_shown_once(cli: Cli) -> None:
    """Only the hash of the key is stored; rights are as asked for."""
    ends = str(int(time.time()) + 60)
    facts = cli.done(
        *("callers", "add", "backend", "--application", APP, "--action", "issue"),
        *("--action", "read", "--longest-ttl", "60", "--users", "t-*", "--ends", ends),
    )
    caller = Caller.from_json(text_of("backend"))
    assert caller.hashes == (hash_of(facts["apiKey"]),)
    assert facts["apiKey"] not in text_of("backend")
    assert caller.applications == frozenset({int(APP)})
    assert (caller.actions, caller.users) == (frozenset({"issue", "read"}), "t-*")
    assert (caller.most_ttl, caller.ends) == (60, int(ends))
    assert may_call(facts["apiKey"])


def test_a_caller_is_not_overwritten(cli: Cli) -> None:
    """Adding it again is refused, and says how to get a new key."""
    cli.done("callers", "add", "backend")
    assert "roomgate callers rotate backend" in cli.failed("callers", "add", "backend")


def test_a_person_sees_the_key_too(cli: Cli) -> None:
    """Alone on a line, so that it can be copied."""
    *_, api_key = cli.told("callers", "add", "backend").splitlines()
    assert may_call(api_key)


@pytest.mark.parametrize("written", ["2999-01-31", "2999-01-31T00:00:00Z", "32474736000"])
def test_an_end_may_be_a_date(cli: Cli, written: str) -> None:
    """People write dates; they are UTC."""
    cli.done("callers", "add", "backend", "--ends", written)
    assert Caller.from_json(text_of("backend")).ends == 32_474_736_000


def test_two_keys_are_valid_while_a_backend_changes_over(cli: Cli) -> None:
    """rotate adds one, and refuses a third; revoke --older ends the first."""
    old = cli.done("callers", "add", "backend", "--users", "t-*")["apiKey"]
    new = cli.done("callers", "rotate", "backend")["apiKey"]
    assert (may_call(old), may_call(new)) == (True, True)
    assert "revoke backend --older" in cli.failed("callers", "rotate", "backend")
    facts = cli.done("callers", "revoke", "backend", "--older")
    assert facts["stopsWithin"] == 60.3
    assert stored("backend").users == "t-*"
    assert (may_call(old), may_call(new)) == (False, True)
    assert "no older one" in cli.failed("callers", "revoke", "backend", "--older")


def test_a_revoked_caller_is_shut_out(cli: Cli) -> None:
    """All its keys stop; how soon is said; a second time there is nothing to revoke."""
    api_key = cli.done("callers", "add", "backend", "--users", "t-*")["apiKey"]
    assert "60.3 seconds" in cli.told("callers", "revoke", "backend")
    assert not may_call(api_key)
    (listed,) = cli.done("callers", "list")["callers"]
    assert (listed["revoked"], listed["keys"], listed["users"]) == (True, 0, "t-*")
    assert "is revoked since" in cli.failed("callers", "revoke", "backend")
    assert "roomgate callers add backend" in cli.failed("callers", "rotate", "backend")
    assert "roomgate callers list" in cli.failed("callers", "revoke", "nobody")


def test_the_name_of_a_revoked_caller_can_be_used_again(cli: Cli) -> None:
    """With rights as they are named now, and a new key alone."""
    old = cli.done("callers", "add", "backend", "--users", "t-*")["apiKey"]
    cli.done("callers", "revoke", "backend")
    new = cli.done("callers", "add", "backend")["apiKey"]
    assert (may_call(old), may_call(new)) == (False, True)
    assert (stored("backend").users, stored("backend").ends) == ("*", None)


def test_a_caller_that_was_revoked_long_ago_can_be_taken_off_the_list(cli: Cli) -> None:
    """Not before: a function whose store is down goes on with what it read for a day."""
    cli.done("callers", "add", "backend")
    day = int(STALE_SECONDS + REFRESH_SECONDS)
    for ago, code in ((day - 60, 1), (day + 1, 0)):
        put("backend", stored("backend").revoked(int(time.time()) - ago).to_json())
        assert cli.run("callers", "revoke", "backend").exit_code == code
    assert cli.done("callers", "list")["callers"] == []


def test_how_soon_a_change_counts_is_as_it_was_deployed(cli: Cli) -> None:
    """The bound is the stack's own, not the default's."""
    named = {"Name": "/nothing", "Type": "String", "Value": "-"}
    template = {
        "Parameters": {"RefreshSeconds": {"Type": "Number", "Default": 600}},
        "Resources": {"Nothing": {"Type": "AWS::SSM::Parameter", "Properties": named}},
    }
    client = BOTO.client("cloudformation")
    client.create_stack(StackName=f"{STACK}-issuer", TemplateBody=json.dumps(template))
    cli.done("callers", "add", "backend")
    assert "600.3 seconds" in cli.told("callers", "rotate", "backend")
    assert cli.done("callers", "revoke", "backend", "--older")["stopsWithin"] == 600.3


def test_an_application_that_is_not_set_up_is_remarked_upon(cli: Cli) -> None:
    """It may come later, so it is no error; a slip of the pen shows at once."""
    cli.done("apps", "add", APP)
    both = ("--application", APP, "--application", "1400000009")
    (note,) = cli.done("callers", "add", "backend", *both)["notes"]
    assert "roomgate apps add 1400000009" in note


def test_callers_are_listed_without_keys_and_hashes(cli: Cli) -> None:
    """Who may do what; what can't be read is shown as such, and can be revoked."""
    assert "roomgate callers add" in cli.told("callers", "list")
    api_key = cli.done("callers", "add", "backend", "--application", APP)["apiKey"]
    put("odd", "{")
    backend, odd = cli.done("callers", "list")["callers"]
    assert (backend["keys"], backend["applications"]) == (1, [int(APP)])
    assert odd == {"caller": "odd", "unreadable": "not a caller: not JSON"}
    told = cli.told("callers", "list") + str(backend)
    assert api_key not in told
    assert hash_of(api_key) not in told
    assert "roomgate callers revoke odd" in cli.failed("callers", "rotate", "odd")
    cli.done("callers", "revoke", "odd")
    assert [each["revoked"] for each in cli.done("callers", "list")["callers"]] == [False, True]
    assert "odd      revoked" in cli.told("callers", "list")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "Not_An_Id"), "a-z"),
        (("add", "a", "--action", "fly"), "issue"),
        (("add", "a", "--rate", "0"), "range"),
        (("add", "a", "--rate", "nan"), "a number of requests"),
        (("add", "a", "--rate", "inf"), "a number of requests"),
        (("add", "a", "--users", ""), "fits nothing"),
        (("add", "a", "--rooms", ""), "fits nothing"),
        (("add", "a", "--ends", "tomorrow"), "2027-01-31"),
        (("add", "a", "--ends", "2020-01-01"), "is over"),
        (("rotate", "Not_An_Id"), "a-z"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, with the usage and what is wrong, before anything is written."""
    assert said in cli.misused("callers", *arguments)
    assert BOTO.client("ssm").describe_parameters()["Parameters"] == []
