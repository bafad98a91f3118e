"""Who a client is: WeChat's login and the session."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from examples.backend.app import application
from examples.backend.login import SESSION_SECONDS, new_session
from infra.emulators.wechat import openid_of
from tests.functional.example_backend.conftest import APP_SECRET, Phone

if TYPE_CHECKING:
    from examples.backend.settings import Settings
    from infra.emulators.wechat import WechatEmulator
    from tests.functional.example_backend.conftest import Clock


def test_a_login_code_becomes_a_session_of_the_openid(phone: Phone) -> None:
    """The userid is the openid, and the session lets its owner in."""
    user_id = phone.log_in("anna.1")
    assert user_id == openid_of("anna")
    assert phone.post("/enter", roomId=7)[1]["userId"] == user_id


def test_the_session_key_and_the_secrets_stay_here(
    phone: Phone, wechat: WechatEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither an answer nor a log line at any level holds what only the backend may know."""
    with caplog.at_level(logging.DEBUG):
        told = [phone.post("/login", code="anna.1"), phone.post("/login", code="anna.1")]
    assert [status for status, _ in told] == [200, 401]
    for secret in (*wechat.session_keys, APP_SECRET, "anna.1"):
        assert secret not in f"{told}{caplog.text}"
    assert len(wechat.session_keys) == 1


@pytest.mark.parametrize("code", ["invalid", "used.1"])
def test_a_code_that_wechat_refuses_is_a_401(phone: Phone, code: str) -> None:
    """The client calls wx.login again."""
    phone.post("/login", code="used.1")
    status, problem = phone.post("/login", code=code)
    assert (status, problem["code"]) == (401, "login-refused")


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": 5}, {"code": None}])
def test_a_login_without_a_code_is_a_400(phone: Phone, body: dict[str, Any]) -> None:
    """WeChat is not asked."""
    assert phone.post("/login", **body)[0] == 400


def test_a_wrong_app_secret_is_the_backends_fault(settings: Settings) -> None:
    """The client can't do anything about it: 502, not 401."""
    wrong = replace(settings, wechat_app_secret="another-test-secret")
    status, problem = Phone(Client(application(wrong))).post("/login", code="anna.1")
    assert (status, problem["code"]) == (502, "wechat-failed")


def test_wechat_out_of_reach_is_a_502_that_shows_no_address(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The exception's own text would show the URL, and with it the AppSecret."""
    away = replace(settings, wechat_api="http://127.0.0.1:1")
    status, problem = Phone(Client(application(away))).post("/login", code="anna.1")
    assert (status, problem["code"]) == (502, "wechat-unreachable")
    assert "ConnectionError" in caplog.text
    assert APP_SECRET not in caplog.text + str(problem)


def test_a_session_ends(phone: Phone, clock: Clock) -> None:
    """After eight hours the client logs in again."""
    phone.log_in("anna.1")
    clock.now += SESSION_SECONDS - 1
    assert phone.post("/enter", roomId=7)[0] == 200
    clock.now += 2
    status, problem = phone.post("/enter", roomId=7)
    assert (status, problem["code"]) == (401, "login-expired")


def test_nobody_enters_without_a_session_of_ours(phone: Phone, settings: Settings) -> None:
    """No token, another key's token, and a token with a changed character are all refused."""
    other = replace(settings, session_secret=b"another test secret of 32 bytes or more")
    genuine: str = new_session("anna", settings, 2e9)["token"]
    foreign: str = new_session("anna", other, 2e9)["token"]
    changed = ("A" if genuine[5] != "A" else "B").join((genuine[:5], genuine[6:]))
    wrong = ["", "x", ".", "é.é", foreign, changed, genuine[:-1], genuine.partition(".")[0]]
    for phone.token in wrong:
        for path in ("/enter", "/room-url"):
            status, problem = phone.post(path, roomId=7, answer={})
            assert (status, problem["code"]) == (401, "login-needed"), phone.token
        assert phone.get("/room?roomId=7")[0] == 401
    phone.token = genuine
    assert phone.post("/enter", roomId=7)[0] == 200


def test_the_demo_login_is_off_unless_it_is_switched_on(phone: Phone) -> None:
    """It is not even there."""
    assert phone.post("/demo-login", userId="anna")[0] == 404


def test_the_demo_login_names_no_wechat_user(settings: Settings) -> None:
    """Its userids begin with demo-, as no openid does."""
    phone = Phone(Client(application(replace(settings, demo_login=True))))
    assert phone.post("/demo-login", userId="anna")[1]["userId"] == "demo-anna"
    for wrong in ("a b", "x" * 28, None, {"a": 1}):
        assert phone.post("/demo-login", userId=wrong)[0] == 400


def test_without_a_wechat_account_the_login_says_so(settings: Settings) -> None:
    """WeChat is not asked on behalf of nobody."""
    demo_only = replace(settings, wechat_app_id="", wechat_app_secret="", demo_login=True)
    status, problem = Phone(Client(application(demo_only))).post("/login", code="anna.1")
    assert (status, problem["code"]) == (404, "not-found")
