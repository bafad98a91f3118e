"""Secrets Manager, stood in on 127.0.0.1, because the local AWS's own only pretends to rotate.

It keeps the secrets (infra.emulators.secrets), drives the four steps of a rotation through the
function that the secret names, and asks the local AWS for what that is good at: who may do what,
and which secrets CloudFormation made.
"""

from __future__ import annotations

import json
import os
import threading
from copy import deepcopy
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final, Protocol

from infra.emulators.loopback import LoopbackServer
from infra.emulators.secrets import Refused, SecretsState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from infra.emulators.secrets import State

STEPS: Final = ("createSecret", "setSecret", "testSecret", "finishSecret")
_READS: Final = ("GetSecretValue", "DescribeSecret", "ListSecretVersionIds", "ListSecrets")
_MOST_BODY: Final = 256 * 1024


class Surroundings(Protocol):
    """The AWS around Secrets Manager."""

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Return if the caller of a request may do what it asks for; raises Refused."""

    def check_function(self, function_arn: str) -> None:
        """Return if Secrets Manager may invoke a function; raises Refused.

        AWS asks whether the caller may, too. A stand-in cannot: it cannot sign in its name.
        """

    def invoke(self, function_arn: str, event: Mapping[str, str]) -> bool:
        """Invoke it and wait; whether it did its step."""

    def find(self, secret_id: str) -> State | None:
        """Name, ARN and value (if any) of a secret that CloudFormation made, or None."""


class Nobody:
    """Surroundings without roles, functions and CloudFormation, for tests."""

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """See Surroundings."""

    def check_function(self, function_arn: str) -> None:
        """See Surroundings."""

    def invoke(self, function_arn: str, event: Mapping[str, str]) -> bool:  # noqa: ARG002 (nobody does nothing)
        """See Surroundings."""
        return False

    def find(self, secret_id: str) -> State | None:  # noqa: ARG002 (likewise)
        """See Surroundings."""
        return None


class SecretsManagerEmulator(LoopbackServer):
    """The stand-in; a context manager.

    Args:
        around: the AWS around it.
        kept: the file that keeps the secrets from run to run, or None.
        region: goes into the ARNs.
        account: likewise.
        port: to listen on; 0 is any free one.
    """

    def __init__(
        self,
        around: Surroundings,
        kept: Path | None = None,
        *,
        region: str = "us-east-1",
        account: str = "000000000000",
        port: int = 0,
    ) -> None:
        self.around = around
        self._kept = kept
        state = json.loads(kept.read_text()) if kept and kept.exists() else {}
        self._secrets = SecretsState(state, region, account)
        self._lock = threading.Lock()
        self._rotations: list[threading.Thread] = []
        super().__init__(_handler_for(self._answer), port)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let what rotates come to its end; stop."""
        self.settle()
        super().__exit__(kind, error, trace)

    def settle(self) -> None:
        """Wait until no rotation is under way."""
        for rotation in list(self._rotations):
            rotation.join()
            self._rotations.remove(rotation)

    def _answer(self, headers: Mapping[str, str], action: str, body: bytes) -> State:
        self.around.check(headers, body)
        asked: State = json.loads(body or b"{}")
        self._adopt(asked)
        if action == "RotateSecret":
            return self._rotate(asked)
        with self._lock:
            answer = deepcopy(self._operation(action)(asked))
            if action not in _READS:
                self._keep()
        return answer

    def _operation(self, action: str) -> Callable[[Mapping[str, Any]], State]:
        secrets = self._secrets
        operations: dict[str, Callable[[Mapping[str, Any]], State]] = {
            "CancelRotateSecret": secrets.cancel_rotation,
            "CreateSecret": secrets.create,
            "DeleteSecret": secrets.delete,
            "DescribeSecret": secrets.describe,
            "GetSecretValue": secrets.get,
            "ListSecretVersionIds": secrets.versions,
            "ListSecrets": secrets.list,
            "PutSecretValue": secrets.put,
            "UpdateSecretVersionStage": secrets.label,
        }
        if action not in operations:
            raise Refused("UnknownOperationException", f"The stand-in has no {action}.")
        return operations[action]

    def _adopt(self, asked: State) -> None:
        """Know a secret that CloudFormation made, and forget one that it deleted."""
        secret_id = asked.get("SecretId")
        if secret_id is None:
            return
        known = self._secrets.find(secret_id)
        if known is not None and not known.get("adopted"):
            return
        found = self.around.find(secret_id)
        with self._lock:
            if known is not None and (found is None or found["ARN"] != known["ARN"]):
                self._secrets.state.pop(known["Name"], None)
                known = None
            if found is not None and known is None and not self._secrets.find(found["Name"]):
                made = self._secrets.add(found["Name"], found["ARN"], adopted=True)
                if found.get("SecretString"):
                    value = {"SecretId": made["Name"], "SecretString": found["SecretString"]}
                    self._secrets.put(value)

    def _rotate(self, asked: State) -> State:
        with self._lock:
            known = self._secrets.named(asked["SecretId"])
        function_arn = asked.get("RotationLambdaARN") or known.get("RotationLambdaARN")
        if function_arn:
            self.around.check_function(function_arn)
        with self._lock:
            secret, token = self._secrets.begin_rotation(asked)
            self._keep()
        whole = asked.get("RotateImmediately") is not False
        steps = STEPS if whole else ("testSecret",)
        rotation = threading.Thread(target=self._drive, args=(secret, token, steps), daemon=True)
        self._rotations.append(rotation)
        rotation.start()
        return {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token}

    def _drive(self, secret: State, token: str, steps: tuple[str, ...]) -> None:
        event = {"SecretId": secret["ARN"], "ClientRequestToken": token}
        for step in steps:
            if not self.around.invoke(secret["RotationLambdaARN"], {**event, "Step": step}):
                break
        if steps != STEPS:
            with self._lock:
                self._secrets.end_test(secret, token)
                self._keep()

    def _keep(self) -> None:
        """Write all of it, at each change: a kill -9 loses no secret. Call it under the lock."""
        if self._kept is None:
            return
        half = self._kept.with_suffix(".half")
        half.touch(mode=0o600)
        half.write_text(self._secrets.to_json())
        os.replace(half, self._kept)  # noqa: PTH105 (its whole point is that it is one step)


def _handler_for(
    answer: Callable[[Mapping[str, str], str, bytes], State],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # Else each answer waits 40 ms for an acknowledgement.

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), _MOST_BODY)
            action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            try:
                body = self.rfile.read(length)
                self._send(200, answer(dict(self.headers.items()), action, body))
            except Refused as refused:
                self._send(400, {"__type": refused.code, "message": refused.message})
            except (ValueError, KeyError, TypeError) as error:
                said = f"{type(error).__name__}: {error}"
                self._send(400, {"__type": "ValidationException", "message": said})

        def _send(self, status: int, answered: State) -> None:
            content = json.dumps(answered).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's own name)
            """Say nothing."""

    return Handler
