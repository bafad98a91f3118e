"""``make run``, as a newcomer types it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import requests

from infra.layout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from infra.local_aws import LocalAws
    from infra.package import Bundle

COMMAND = [sys.executable, "-m", "infra.run"]
SECONDS = 60


@pytest.mark.usefixtures("bundles")
def test_the_walk_stays_up_stops_in_good_order_and_goes_on(tmp_path: Path) -> None:
    """It walks to a room URL and the lists; SIGTERM saves the state, which the next run uses."""
    first = subprocess.Popen(
        [*COMMAND, "--folder", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout
        printed = ""
        for line in first.stdout:
            printed += line
            if "openapi.json" in line:
                break
        _assert_walked(printed)
        # The printed curl line is ready to use: its URL answers.
        url = printed.rpartition("curl -s ")[2].strip()
        assert requests.get(url, timeout=SECONDS).status_code == 200
    finally:
        first.send_signal(signal.SIGTERM)
        rest, _ = first.communicate(timeout=SECONDS)
    assert first.returncode == 0, rest
    assert "apps add" in printed

    started = time.monotonic()
    second = subprocess.run(
        [*COMMAND, "--once", "--folder", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert second.returncode == 0, second.stderr
    assert time.monotonic() - started < 10
    _assert_walked(second.stdout)
    assert "apps add" not in second.stdout


def test_a_second_run_on_the_same_state_is_refused(aws: LocalAws, bundles: list[Bundle]) -> None:
    """Two processes on one state would lose what one of them saved."""
    assert bundles
    second = subprocess.run(
        [*COMMAND, "--once", "--folder", str(aws.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert second.returncode == 1
    assert "Another run uses" in second.stderr


@pytest.mark.skipif(not shutil.which("ss"), reason="needs ss (iproute2)")
@pytest.mark.usefixtures("deployed")
def test_the_local_aws_listens_on_loopback_only(aws: LocalAws) -> None:
    """Nobody beyond this host can reach it, whatever ports its services open."""
    listening = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout
    own = [line.split()[3] for line in listening.splitlines() if f"pid={aws.pid}," in line]
    assert own == [aws.endpoint.removeprefix("http://")]


def test_secrets_of_the_shell_do_not_reach_the_local_aws(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs pointed at it carry no other AWS setting, such as a real account's profile."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    names = {name for name in aws.environ if name.startswith("AWS_")}
    assert names == {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ENDPOINT_URL",
        "AWS_DEFAULT_REGION",
    }
    assert os.environ["AWS_PROFILE"] not in aws.environ.values()


def _assert_walked(printed: str) -> None:
    assert re.search(r"alice may enter: room://cloud\.tencent\.com\?\S+roomsig=", printed)
    assert '"code": "roomsig-refused"' in printed
    stored = printed.partition("Anyone who may read")[2]
    assert '"alice"' in stored
    assert '"bob"' in stored
    assert not re.search(r'"(userSig|privateMapKey|token)": "[^"]{10,}"', printed)
