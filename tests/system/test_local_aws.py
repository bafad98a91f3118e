"""The local AWS itself: who reaches it, and what it keeps."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.layout import ROOT
from infra.local.aws import LocalAws

if TYPE_CHECKING:
    from pathlib import Path

# Starts one, writes a parameter, tells so, and waits to be killed.
KILLED = """
import sys, time
from pathlib import Path
from infra.local.aws import LocalAws
with LocalAws(Path(sys.argv[1])) as aws:
    aws.cloud.ssm.put_parameter(Name="/kept", Value="yes", Type="String")
    print(aws.pid, flush=True)
    sys.stdin.read()
"""
SECONDS = 60


@pytest.mark.skipif(not shutil.which("ss"), reason="needs ss (iproute2)")
@pytest.mark.usefixtures("deployed")
def test_the_local_aws_listens_on_loopback_only(aws: LocalAws) -> None:
    """Nobody beyond this host can reach it, whatever ports its services open."""
    listening = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout
    own = [line.split()[3] for line in listening.splitlines() if f"pid={aws.pid}," in line]
    assert own == [aws.endpoint.removeprefix("http://")]
    assert aws.secrets.url.startswith("http://127.0.0.1:")


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
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_DEFAULT_REGION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
    }
    assert aws.cloud.sts.get_caller_identity()["Account"] == "000000000000"


def test_credentials_are_checked(aws: LocalAws) -> None:
    """The local AWS enforces who may do what; else the walk would say nothing about the roles."""
    stranger = boto3.client(
        "ssm",
        endpoint_url=aws.endpoint,
        region_name="us-east-1",
        aws_access_key_id="stranger",
        aws_secret_access_key="stranger",
    )
    with pytest.raises(ClientError) as refused:
        stranger.get_parameter(Name="/systest/apps/1")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
    assert refused.value.response["Error"]["Code"] != "ParameterNotFound"


def test_one_whose_run_was_killed_is_stopped_and_its_state_taken_over(tmp_path: Path) -> None:
    """A kill -9 leaves the local AWS running; the next run must not fight it for the state."""
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert killed.stdout
    stray = int(killed.stdout.readline())
    killed.kill()
    killed.communicate(timeout=SECONDS)
    with LocalAws(tmp_path) as aws:
        assert aws.pid != stray
        with pytest.raises(ProcessLookupError):
            os.kill(stray, 0)
        found = aws.cloud.ssm.get_parameter(Name="/kept")["Parameter"]["Value"]
    assert found == "yes"


def test_it_keeps_its_port_while_that_is_free(tmp_path: Path) -> None:
    """URLs stay the same from run to run, and a port that another program took is given up."""
    with LocalAws(tmp_path) as first:
        used = first.endpoint
    with LocalAws(tmp_path) as second:
        assert second.endpoint == used
    with socket.socket() as other:
        # What is left of closed connections must not be in the way.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(used.rpartition(":")[2])))
        other.listen()
        with LocalAws(tmp_path) as third:
            assert third.endpoint != used
