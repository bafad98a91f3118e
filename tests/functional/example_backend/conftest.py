"""The example backend in this process, with Roomgate and WeChat stood in on loopback."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from examples.backend.app import application
from examples.backend.settings import Settings
from infra.emulators.wechat import WechatEmulator
from tests.functional.example_backend.fake_roomgate import API_KEY, APP, FakeRoomgate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP_SECRET = "test-app-secret"
BEAT = 7.0  # Seconds between two heartbeats of the sample.


class Clock:
    """Unix time in seconds, which goes on when it is told to."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        """The time now."""
        return self.now


class Phone:
    """A client of the backend.

    Args:
        client: sends the requests.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.token = ""

    def post(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """POST JSON; the status and the answer's JSON."""
        response = self.client.post(path, json=body, headers=self._headers())
        return response.status_code, response.get_json()

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """GET; the status and the answer's JSON."""
        response = self.client.get(path, headers=self._headers())
        return response.status_code, response.get_json()

    def log_in(self, code: str) -> str:
        """Log in with a code of wx.login; the userid."""
        status, session = self.post("/login", code=code)
        assert status == 200, session
        self.token = session["token"]
        user_id: str = session["userId"]
        return user_id

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class Sample:
    """An old sample app: it posts JSON, and looks at ``code`` in the answer only."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def call(self, route: str, **body: Any) -> dict[str, Any]:
        """The answer to a call, whatever its HTTP status."""
        response = self.client.post(f"/weapp/webrtc_room/{route}", json=body)
        answer: dict[str, Any] = response.get_json()
        assert type(answer["code"]) is int
        assert (answer["code"] == 0) == (response.status_code == 200), answer
        return answer

    def done(self, route: str, **body: Any) -> dict[str, Any]:
        """The answer to a call that succeeds."""
        answer = self.call(route, **body)
        assert answer["code"] == 0, answer
        return answer

    def create(self, user_id: str = "anna", **more: Any) -> str:
        """A new room with its creator in it."""
        room_id: str = self.done("create_room", userID=user_id, roomInfo="a room", **more)["roomID"]
        return room_id

    def members(self, room_id: str) -> list[str]:
        """Who is in a room."""
        members = self.done("get_room_members", roomID=room_id)["members"]
        return [member["userID"] for member in members]

    def listed(self) -> list[str]:
        """The rooms' numbers."""
        rooms = self.done("get_room_list", index=0, count=100)["rooms"]
        return [room["roomID"] for room in rooms]


@pytest.fixture
def roomgate() -> Iterator[FakeRoomgate]:
    """Roomgate."""
    with FakeRoomgate() as running:
        yield running


@pytest.fixture
def wechat() -> Iterator[WechatEmulator]:
    """WeChat's login."""
    with WechatEmulator("wx-test", APP_SECRET) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    """The backend's clock."""
    return Clock()


@pytest.fixture
def settings(roomgate: FakeRoomgate, wechat: WechatEmulator, tmp_path: Path) -> Settings:
    """All that can be off is off."""
    return Settings(
        issuer=roomgate.url,
        rooms=roomgate.url,
        api_key=API_KEY,
        sdk_app_id=APP,
        session_secret=b"test session secret, 32 bytes or more",
        wechat_app_id="wx-test",
        wechat_app_secret=APP_SECRET,
        wechat_api=wechat.url,
        database=tmp_path / "weapp.sqlite3",
    )


@pytest.fixture
def phone(settings: Settings, clock: Clock) -> Phone:
    """A client of a backend of these settings."""
    return Phone(Client(application(settings, clock)))


@pytest.fixture
def on(settings: Settings) -> Settings:
    """The routes are on."""
    return replace(settings, weapp=True)


@pytest.fixture
def sample(on: Settings, clock: Clock) -> Sample:
    """A sample app and its backend."""
    return Sample(Client(application(on, clock)))
