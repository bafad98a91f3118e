"""What the backend is told, and what it says where that is wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from examples.backend.settings import SettingsWrong, settings_of
from infra.layout import ROOT

GOOD = {
    "ROOMGATE_ISSUER": "http://127.0.0.1:1/issuer",
    "ROOMGATE_ROOMS": "http://127.0.0.1:1/rooms",
    "ROOMGATE_API_KEY": "test-api-key",
    "ROOMGATE_SDK_APP_ID": "1400000001",
    "SESSION_SECRET": "test session secret, 32 bytes or more",
    "WECHAT_APP_ID": "wx-test",
    "WECHAT_APP_SECRET": "test-app-secret",
}
RELAY = {
    "ROOMGATE_WEBHOOK": "http://127.0.0.1:1/webhook",
    "ROOMGATE_RELAY_ID": "example",
    "ROOMGATE_RELAY_SECRET": "whsec_test",
}


def test_everything_that_is_missing_is_named_at_once() -> None:
    """So that nobody starts it seven times."""
    with pytest.raises(SettingsWrong) as wrong:
        settings_of({})
    assert [line.split()[1].rstrip(":") for line in str(wrong.value).splitlines()] == list(GOOD)


@pytest.mark.parametrize("name", list(GOOD))
def test_each_is_needed(name: str) -> None:
    """An empty one is a missing one."""
    with pytest.raises(SettingsWrong, match=f"^Set {name}: "):
        settings_of(GOOD | {name: ""})


def test_without_a_wechat_account_there_is_the_demo_login_only() -> None:
    """Half an account is still an error."""
    demo = {name: GOOD[name] for name in list(GOOD)[:5]}
    demo["EXAMPLE_DEMO_LOGIN"] = "yes-anyone-may-be-anyone"
    assert settings_of(demo).wechat_app_id == ""
    with pytest.raises(SettingsWrong, match="Set WECHAT_APP_SECRET"):
        settings_of(demo | {"WECHAT_APP_ID": "wx-test"})


@pytest.mark.parametrize("name", list(RELAY))
def test_a_relay_is_whole_or_not_there(name: str) -> None:
    """Its webhook alone switches nothing on."""
    assert settings_of(GOOD | RELAY).relay_id == "example"
    missing = {n: value for n, value in RELAY.items() if n != name}
    with pytest.raises(SettingsWrong, match=f"Set {name}"):
        settings_of(GOOD | missing)
    webhook = {"ROOMGATE_WEBHOOK": RELAY["ROOMGATE_WEBHOOK"]}
    assert settings_of(GOOD | webhook).relay_id == ""


@pytest.mark.parametrize("name", ["EXAMPLE_DEMO_LOGIN", "EXAMPLE_UNAUTHENTICATED_WEAPP"])
@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_what_lets_anyone_in_is_switched_on_by_its_meaning_only(name: str, value: str) -> None:
    """A plain yes is refused, not ignored."""
    with pytest.raises(SettingsWrong, match=f"{name} is '{value}'; .*yes-anyone-may-"):
        settings_of(GOOD | {name: value})
    default = settings_of(GOOD)
    assert (default.demo_login, default.weapp) == (False, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROOMGATE_SDK_APP_ID", "14e8"),
        ("ROOMGATE_SDK_APP_ID", "-1"),
        ("SESSION_SECRET", "x" * 31),
        ("EXAMPLE_WEB", "/nowhere/at/all"),
    ],
)
def test_what_is_no_value_is_refused(name: str, value: str) -> None:
    """The text names the variable; a secret's value is not in it."""
    with pytest.raises(SettingsWrong, match=name) as wrong:
        settings_of(GOOD | {name: value})
    assert (value in str(wrong.value)) == (name != "SESSION_SECRET")


def test_the_repr_shows_no_secret() -> None:
    """Settings may be printed."""
    shown = repr(settings_of(GOOD | RELAY))
    for name in ("ROOMGATE_API_KEY", "SESSION_SECRET", "WECHAT_APP_SECRET"):
        assert GOOD[name] not in shown
    assert RELAY["ROOMGATE_RELAY_SECRET"] not in shown


def test_the_process_says_why_it_does_not_start() -> None:
    """On standard error, without a traceback, and with status 1."""
    done = subprocess.run(
        [sys.executable, "-m", "backend"],
        cwd=ROOT / "examples",
        env={"PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The backend can't start.\nSet ROOMGATE_ISSUER: ")
    assert "Traceback" not in done.stderr
