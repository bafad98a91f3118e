from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chalicelib.stores.settings import Bounds, Probe, Settings
from tests.functional.roomgate.conftest import APP, BOTO, STACK

if TYPE_CHECKING:
    from tests.functional.roomgate.conftest import Cli

pytestmark = pytest.mark.usefixtures("aws")
PROBE = "https://probe.example.com/?sig={userSig}"


def stored() -> Settings:
    found = BOTO.client("ssm").get_parameter(Name=f"/{STACK}/apps/{APP}")
    return Settings.from_json(found["Parameter"]["Value"])


def put(text: str) -> None:
    BOTO.client("ssm").put_parameter(
        Name=f"/{STACK}/apps/{APP}", Value=text, Type="String", Overwrite=True
    )


def test_an_application_is_set_up(cli: Cli) -> None:
    """Its settings are what the functions read, with the bounds that were asked for."""
    cli.done("apps", "add", APP, "--default-ttl", "3600", "--algorithm", "HMAC-SHA256")
    settings = stored()
    assert settings.algorithms == ("HMAC-SHA256",)
    assert settings.user_sig_ttl == settings.private_map_key_ttl == Bounds(60, 3600, 604_800)


def test_what_comes_next_is_said(cli: Cli) -> None:
    """A newcomer is told the next command."""
    assert f"roomgate keys import {APP} FILE" in cli.told("apps", "add", APP)


def test_an_application_is_not_overwritten(cli: Cli) -> None:
    """Adding it again is refused, and says how to change it."""
    cli.done("apps", "add", APP)
    assert f"roomgate apps set {APP}" in cli.failed("apps", "add", APP)


def test_a_change_leaves_the_rest_as_it_was(cli: Cli) -> None:
    """What is not named stays, bounds that differ between the two kinds of tickets too."""
    before = Settings(("HMAC-SHA256",), Bounds(60, 600, 700), Bounds(30, 40, 50), 7)
    put(before.to_json())
    cli.done("apps", "set", APP, "--largest-room", "9")
    assert stored() == before._replace(largest_room=9)


def test_a_change_of_the_ttl_holds_for_both_tickets(cli: Cli) -> None:
    """The shortest ttl never stands above the default."""
    cli.done("apps", "add", APP)
    cli.done("apps", "set", APP, "--default-ttl", "30")
    assert stored().user_sig_ttl == stored().private_map_key_ttl == Bounds(30, 30, 604_800)


def test_a_probe_is_set_changed_and_taken_away(cli: Cli) -> None:
    """It is what the rotation's schedule asks before it rotates."""
    cli.done("apps", "add", APP, "--probe-url", PROBE, "--probe-user", "probe")
    assert stored().probe == Probe(PROBE, "probe", (0,))
    cli.done("apps", "set", APP, "--probe-accepted", "0", "--probe-accepted", "10015")
    assert stored().probe == Probe(PROBE, "probe", (0, 10015))
    facts = cli.done("apps", "set", APP, "--no-probe")
    assert stored().probe is facts["probe"] is None


def test_applications_are_listed(cli: Cli) -> None:
    """As a table for people, as JSON for scripts; one that can't be read spoils nothing."""
    assert "roomgate apps add" in cli.told("apps", "list")
    cli.done("apps", "add", "1400000002")
    put("{}")
    facts = cli.done("apps", "list")["applications"]
    assert [each["sdkAppId"] for each in facts] == [int(APP), 1400000002]
    fault = "not an application's settings: /algorithms is missing"
    assert facts[0]["sdkAppId"] == int(APP)
    assert facts[0]["unreadable"].startswith(fault)
    assert facts[1]["longestTtl"] == 604_800
    told = cli.told("apps", "list")
    assert "1400000002  ECDSA-SHA256 HMAC-SHA256" in told
    assert "unreadable" in told


def test_what_is_not_set_up_is_not_changed(cli: Cli) -> None:
    """An unknown application is named, with the command that sets it up."""
    assert f"roomgate apps add {APP}" in cli.failed("apps", "set", APP, "--default-ttl", "60")


def test_settings_that_cannot_be_read_are_not_changed(cli: Cli) -> None:
    """The reason and the way out are told."""
    put("[]")
    assert f"/{STACK}/apps/{APP}" in cli.failed("apps", "set", APP, "--default-ttl", "60")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "0"), "range"),
        (("add", "twelve"), "not a valid"),
        (("add", APP, "--default-ttl", "60", "--longest-ttl", "59"), "shorter"),
        (("add", APP, "--algorithm", "RSA"), "ECDSA-SHA256"),
        (("add", APP, "--probe-url", PROBE), "--probe-user"),
        (("add", APP, "--probe-url", "http://x.example", "--probe-user", "p"), "https"),
        (("add", APP, "--probe-url", PROBE, "--probe-user", "p q"), "U+0020"),
        (("set", APP), "Name what to change"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, with the usage and what is wrong, before anything is written."""
    assert said in cli.misused("apps", *arguments)
    assert BOTO.client("ssm").describe_parameters()["Parameters"] == []
