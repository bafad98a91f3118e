"""``make run``, as a newcomer types it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from infra.layout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from infra.local.aws import LocalAws

COMMAND = [sys.executable, "-m", "infra.local.run"]
SECONDS = 60
ENTRY_FROM_ENV = """
. {env}
curl -s "$ISSUER/v1/entries" -H "Authorization: Bearer $API_KEY" \
  -H 'Content-Type: application/json' \
  -d '{{"sdkAppId": '"$APP"', "userId": "dave", "roomId": 7}}'
"""
# In a shell that was set up for AWS before.
STATUS_FROM_AWS = """
export AWS_REGION=eu-west-1 AWS_PROFILE=nobody AWS_DEFAULT_PROFILE=nobody AWS_SESSION_TOKEN=over
export AWS_ENDPOINT_URL_SSM=http://127.0.0.1:1 AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true
. {aws}
.venv/bin/roomgate --json keys status 1400000001
"""


@pytest.mark.usefixtures("bundles")
def test_the_walk_stays_up_stops_in_good_order_and_goes_on(tmp_path: Path) -> None:
    """It walks to a room URL and the lists; SIGTERM saves the state, which the next run uses."""
    first = subprocess.Popen(
        [*COMMAND, "--folder", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        # The last line of all: what communicate reads is not what is buffered here.
        printed = _until(first, "analytics report")
        _assert_walked(printed)
        assert "make demo-data && .venv/bin/roomgate analytics report" in printed
        tries = printed.partition("== It stays up")[2].partition("A day of made-up rooms")[0]
        carol, room, document = _answers(tries.partition("\n")[2])
        assert (carol["userId"], room["size"]) == ("carol", 2)
        assert document["openapi"].startswith("3.1")
        listed = json.loads(_printed(STATUS_FROM_AWS.format(aws=tmp_path / "aws")))
        assert [key["state"] for key in listed["keys"]] == ["current", "previous"]
        (dave,) = _answers(ENTRY_FROM_ENV.format(env=tmp_path / "env"))
        assert dave["userId"] == "dave"
    finally:
        first.send_signal(signal.SIGTERM)
        rest, _ = first.communicate(timeout=SECONDS)
    assert first.returncode == 0, rest
    assert "apps add" in printed

    second = _run_once(tmp_path)
    assert second.returncode == 0, second.stderr
    up_after = re.search(r"up after ([\d.]+) s", second.stdout)
    assert up_after
    assert float(up_after[1]) < 10
    _assert_walked(second.stdout)
    assert "apps add" not in second.stdout
    # They hold the API key, and all secrets.
    private = ("env", "tenant.json", "secrets.json")
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in private} == {0o600}


@pytest.mark.usefixtures("bundles")
def test_a_second_run_on_the_same_state_is_refused(aws: LocalAws) -> None:
    """Two processes on one state would lose what one of them saved."""
    second = _run_once(aws.folder)
    assert second.returncode == 1
    assert "Another run uses" in second.stderr


def _run_once(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--once", "--folder", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def _until(process: subprocess.Popen[str], wanted: str) -> str:
    """What a process prints up to the line that holds some text, or its end."""
    assert process.stdout
    printed = ""
    for line in process.stdout:
        printed += line
        if wanted in line:
            break
    return printed


def _printed(script: str) -> str:
    """What a shell script prints, run from the repository."""
    command = ["sh", "-ec", script]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _answers(script: str) -> list[dict[str, Any]]:
    """The JSON objects that a shell script prints, one after the other."""
    answers, rest = [], _printed(script).strip()
    while rest:
        answer, end = json.JSONDecoder().raw_decode(rest)
        answers.append(answer)
        rest = rest[end:].strip()
    return answers


def _assert_keys_changed(printed: str) -> None:
    """Old key, candidate, new key, old key again; each by the tickets that it signs."""
    story = printed.partition("== A new key")[2]
    signed = re.findall(r"a ticket, signed with ([0-9a-f]{16})", story)
    (candidate,) = re.findall(r"([0-9a-f]{16}) is the candidate", story)
    old = signed[0]
    assert signed == [old, old, candidate, old]
    assert re.findall(r"verifies with ([0-9a-f]{16})", story) == [old, old]


def _assert_walked(printed: str) -> None:
    assert re.search(r"alice may enter: room://cloud\.tencent\.com\?\S+roomsig=", printed)
    assert '"code": "roomsig-refused"' in printed
    _assert_keys_changed(printed)
    stored = printed.partition("Anyone who may read")[2].partition("== A new key")[0]
    assert '"alice"' in stored
    assert '"bob"' in stored
    timeline = stored.partition("== Its timeline")[2]
    assert re.search(r"carol +left +by alice's word, (grace|witnessed)", timeline)
    assert re.search(r"bob +left +by its own word", timeline)
    assert re.search(r"== bob's sessions.*\n   room 20: from \S+, \d+\.\d s", timeline)
    assert not re.search(r'"(userSig|privateMapKey|token)": "[^"]{10,}"', printed)
