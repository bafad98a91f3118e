"""The local AWS: ministack, a process of its own that listens on 127.0.0.1 only.

It enforces the roles of the templates (AUTH), so that a permission that is missing shows here and
not on AWS. Its state survives a graceful stop, and nothing else: a kill -9 loses what happened
since the start. Secrets Manager is a stand-in beside it, in this process, because ministack's own
does not rotate.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Final, Self
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.session import Session

from infra.deploy.cloud import Cloud
from infra.emulators.secretsmanager import SecretsManagerEmulator
from infra.layout import InfraError
from infra.local.streams import read_streams_from_the_start
from infra.local.surroundings import LocalSurroundings

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 20.0
_LOOK_EVERY: Final = 0.05  # seconds
_REGION: Final = "us-east-1"
_ACCOUNT: Final = "000000000000"
# Ministack's own root user (its README); no secret, since nothing beyond this host can reach it.
_ROOT: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_NO_FILES: Final = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
# Botocore's variables as (name in a file, name in the environment, value, conversion).
_NO_SETTINGS: Final = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


class LocalAws:
    """A local AWS whose state is kept in one folder; a context manager.

    Args:
        folder: keeps state, log, port and process id; is made.

    Attributes:
        folder: likewise.
        log: the log file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "aws.log"
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._secrets: SecretsManagerEmulator | None = None
        self._lock: IO[str] | None = None

    @property
    def endpoint(self) -> str:
        """The URL that answers for every service but Secrets Manager."""
        return f"http://{_HOST}:{self._port}"

    @property
    def secrets(self) -> SecretsManagerEmulator:
        """Its Secrets Manager, while it runs."""
        assert self._secrets is not None
        return self._secrets

    @property
    def pid(self) -> int:
        """The process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def cloud(self) -> Cloud:
        """Clients of it, which read neither the shell's AWS settings nor the user's AWS files."""
        return Cloud(_root_session(), self.endpoint, self.secrets.url)

    @property
    def environ(self) -> dict[str, str]:
        """The environment that points any AWS program at it, and no other."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | _NO_FILES | self.settings

    @property
    def settings(self) -> dict[str, str]:
        """The AWS settings, as environment variables, that name it."""
        return _ROOT | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.secrets.url,
            "AWS_DEFAULT_REGION": _REGION,
        }

    def __enter__(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            InfraError: another run uses the folder, or it did not come up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.folder / "lock")
        _pass_proxies_by()
        try:
            _stop_stray(self.folder / "pid")
            self._port = port_for(self.folder / "port")
            self._secrets = self._secrets_manager()
            self._secrets.__enter__()
            self._start()
            self._await_health()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it gracefully, so that it saves its state, and wait for its end."""
        if self._secrets:
            self._secrets.__exit__(kind, error, trace)
            self._secrets = None
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            (self.folder / "pid").unlink(missing_ok=True)
            self._process = None
        if self._lock:
            self._lock.close()

    def _secrets_manager(self) -> SecretsManagerEmulator:
        kept = self.folder / "secrets.json"
        port = port_for(self.folder / "secrets-port")
        around = LocalSurroundings(_root_session(), self.endpoint)
        return SecretsManagerEmulator(around, kept, region=_REGION, account=_ACCOUNT, port=port)

    def _start(self) -> None:
        # What Lambda workers of an earlier run left unpacked.
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        for name in ("state", "s3", "tmp"):
            (self.folder / name).mkdir(exist_ok=True)
        read_streams_from_the_start(self.folder / "state")
        with self.log.open("ab") as log:
            # In a session of its own: Ctrl-C is for us, and we then stop it in good order.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (self.folder / "pid").write_text(str(self._process.pid))

    def _environment(self) -> dict[str, str]:
        folder = self.folder.resolve()
        return _ROOT | {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "BIND_HOST": _HOST,
            "MINISTACK_HOST": _HOST,
            "GATEWAY_PORT": str(self._port),
            "MINISTACK_REGION": _REGION,
            # The functions take it over, as all that the process has.
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.secrets.url,
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder / "s3"),
            # Else it opens ports for MQTT and SFTP too, and tidies up in a Docker that it finds.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        }

    def _await_health(self) -> None:
        assert self._process is not None
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise InfraError(f"The local AWS ended at once; its log is {self.log}.")
            with contextlib.suppress(URLError, OSError):
                urlopen(f"{self.endpoint}/_ministack/health", timeout=1).close()  # noqa: S310 (loopback)
                return
            time.sleep(_LOOK_EVERY)
        raise InfraError(f"The local AWS is not up after {_START_SECONDS:.0f} s; see {self.log}.")


def _root_session() -> boto3.session.Session:
    """A session that reads neither the shell's AWS settings nor the user's AWS files."""
    return boto3.session.Session(
        aws_access_key_id=_ROOT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_ROOT["AWS_SECRET_ACCESS_KEY"],
        region_name=_REGION,
        botocore_session=Session(session_vars=_NO_SETTINGS),
    )


def _pass_proxies_by() -> None:
    """No proxy of this host's network can reach its loopback."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), _HOST)))


def _locked(path: Path) -> IO[str]:
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise InfraError(f"Another run uses {path.parent}; stop it first (Ctrl-C there).") from None
    return lock


def port_for(path: Path) -> int:
    """The port used last time if it is free, so that URLs stay; else any free one.

    Args:
        path: the file that remembers it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, int(path.read_text())))
        except (OSError, ValueError):
            probe.close()
            return _free_port(path)
        return int(path.read_text())


def _free_port(path: Path) -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
    path.write_text(str(port))
    return port


def _stop_stray(path: Path) -> None:
    """Stop a local AWS whose own run was killed; we hold the folder's lock, so it is nobody's."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(path.read_text())
        words = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        if "ministack" in words.stdout:
            os.kill(pid, signal.SIGTERM)
            _await_end(pid)
    path.unlink(missing_ok=True)


def _await_end(pid: int) -> None:
    until = time.monotonic() + _STOP_SECONDS
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < until:
            os.kill(pid, 0)
            time.sleep(_LOOK_EVERY)
