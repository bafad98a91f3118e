"""The example backend beside the deployed bundle, as ``make example`` starts it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import requests

from infra.emulators.miniprogram import ask_for_roomsig, userlist_event
from infra.emulators.wechat import openid_of
from infra.layout import ROOT
from infra.local.run import _write_env, _write_settings
from infra.smoke.tenant import Tenant as Caller
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.deploy.deployment import Deployed
    from infra.local.aws import LocalAws
    from tests.system.conftest import Tenant

SECONDS = 60


class Example(NamedTuple):
    """What ``make example`` printed.

    Attributes:
        url: of the backend.
        tencent: of Tencent's stand-in.
        commands: what to try in a second terminal.
    """

    url: str
    tencent: str
    commands: str

    def call(self, path: str, token: str = "", **body: Any) -> dict[str, Any]:
        """POST JSON; the answer, which is a success."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = requests.post(self.url + path, json=body, headers=headers, timeout=SECONDS)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def room(self, room_id: int, token: str) -> requests.Response:
        """The answer to who is in a room."""
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.url}/room?roomId={room_id}"
        return requests.get(url, headers=headers, timeout=SECONDS)


@pytest.fixture(scope="module")
def folder(
    aws: LocalAws, deployed: Deployed, tenant: Tenant, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What ``make run`` leaves for other programs."""
    path = tmp_path_factory.mktemp("local")
    _write_env(path / "env", deployed.urls, Caller(tenant.sdk_app_id, tenant.api_key), 0)
    _write_settings(path / "aws", aws)
    return path


@pytest.fixture(scope="module")
def example(folder: Path, deployed: Deployed) -> Iterator[Example]:
    """``make example``; afterwards it has stopped, and its backend with it."""
    command = [sys.executable, "-m", "infra.local.example"]
    options = ["--folder", str(folder), "--stack", deployed.stack]
    process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    printed = ""
    try:
        for line in process.stdout:
            printed += line
            if "get_login_info" in line:  # The last command.
                break
        found = re.search(r"^BACKEND=(\S+)$", printed, re.MULTILINE)
        tencent = re.search(r"roomsig on (\S+)", printed)
        assert found, printed
        assert tencent, printed
        commands = printed[found.start() :].partition("\n\n")[0]
        yield Example(found[1], tencent[1], commands)
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, rest
    assert "have stopped" in rest
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{found[1]}/healthz", timeout=SECONDS)


def test_what_is_printed_to_try_works(example: Example) -> None:
    """A newcomer copies it into a second terminal."""
    done = subprocess.run(
        ["sh", "-euc", example.commands], capture_output=True, text=True, check=True
    )
    entry, login = done.stdout.strip().splitlines()
    assert '"rtcUrl": "room://cloud.tencent.com/rtc?' in entry
    assert '"code": 0' in login


def test_a_user_logs_in_enters_reports_and_sees_the_room(example: Example, tenant: Tenant) -> None:
    """The whole way of a mini-program, with Tencent's roomsig on it."""
    room = 40_001
    session = example.call("/login", code="anna.system")
    token = session["token"]
    entry = example.call("/enter", token, roomId=room)
    assert entry["userId"] == session["userId"] == openid_of("anna")
    answer = ask_for_roomsig(entry["roomsigRequest"], example.tencent)
    url = example.call("/room-url", token, roomId=room, answer=answer)["roomUrl"]
    assert url.startswith(f"room://cloud.tencent.com?sdkappid={tenant.sdk_app_id}&roomid={room}&")
    assert example.room(room, token).status_code == 403
    report = entry["report"]
    event = userlist_event(tenant.sdk_app_id, room, ["berta"])
    headers = {"Authorization": f"Bearer {report['token']}"}
    body = {"seq": 0, "event": event}
    requests.post(report["url"], json=body, headers=headers, timeout=SECONDS).raise_for_status()
    members = {each["userId"]: each for each in example.room(room, token).json()["members"]}
    assert set(members) == {"berta", session["userId"]}
    assert members["berta"]["playUrl"].endswith(f"_{room}_berta")
    stranger = example.call("/demo-login", userId="carol")["token"]
    assert example.room(room, stranger).status_code == 403


def test_what_roomgate_refuses_reaches_the_client_in_its_words(example: Example) -> None:
    """A roomsig that Tencent refused is a problem with Roomgate's code."""
    token = example.call("/login", code="anna.refused")["token"]
    refused = {"RspHead": {"ErrorCode": 86, "ErrorInfo": "expired"}}
    response = requests.post(
        f"{example.url}/room-url",
        json={"roomId": 7, "answer": refused},
        headers={"Authorization": f"Bearer {token}"},
        timeout=SECONDS,
    )
    assert (response.status_code, response.json()["code"]) == (422, "roomsig-refused")


def test_old_sample_apps_are_on_roomgates_roster(
    example: Example, deployed: Deployed, tenant: Tenant
) -> None:
    """Their heartbeats are relayed: whoever may read sees them come and go."""

    def call(route: str, **body: Any) -> dict[str, Any]:
        answer = example.call(f"/weapp/webrtc_room/{route}", **body)
        assert answer["code"] == 0, answer
        return answer

    login = call("get_login_info", userID="old-anna")
    assert (login["sdkAppID"], login["userID"]) == (tenant.sdk_app_id, "old-anna")
    room_id = call("create_room", userID="old-anna", nickName="Anna", roomInfo="room")["roomID"]
    call("enter_room", userID="old-berta", nickName="Berta", roomID=room_id)
    url = f"{deployed.urls['rooms']}/v1/apps/{tenant.sdk_app_id}/rooms/{room_id}"

    def on_the_roster() -> list[str]:
        response = requests.get(url, headers=tenant.headers, timeout=SECONDS)
        return [member["userId"] for member in response.json()["members"]]

    for user in ("old-anna", "old-berta"):
        call("heartbeat", userID=user, roomID=room_id)
    assert on_the_roster() == ["old-anna", "old-berta"]
    assert room_id in [room["roomID"] for room in call("get_room_list", index=0, count=20)["rooms"]]
    members = [{"userID": "old-anna", "nickName": "Anna"}]
    both = [*members, {"userID": "old-berta", "nickName": "Berta"}]
    assert call("get_room_members", roomID=room_id)["members"] == both
    call("quit_room", userID="old-berta", roomID=room_id)
    assert call("get_room_members", roomID=room_id)["members"] == members
    assert until(lambda: on_the_roster() == ["old-anna"])


def test_it_says_what_it_lacks(tmp_path: Path) -> None:
    """Without a running ``make run`` there is nothing to stand beside."""
    command = [sys.executable, "-m", "infra.local.example", "--folder", str(tmp_path)]
    dead = "ISSUER=http://127.0.0.1:1\nROOMS=x\nWEBHOOK=x\nAPP=1400000001\nAPI_KEY=x\n"
    for env in (None, dead):
        if env:
            (tmp_path / "env").write_text(env)
        started = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, "make run" in done.stderr) == (1, True)
        assert time.monotonic() - started < SECONDS
