"""The application and the caller of the local walk, made with the operator's command line."""

from __future__ import annotations

import json
import subprocess
import sys
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.auth.caller import Caller
from chalicelib.stores.names import Names
from infra.layout import ROOT, InfraError
from infra.smoke.show import say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infra.local.aws import LocalAws

SDK_APP_ID: Final = 1400000001


class Tenant(NamedTuple):
    """Who calls, for which application.

    Attributes:
        sdk_app_id: the application.
        api_key: of a caller that may do everything; it opens this local AWS only.
    """

    sdk_app_id: int
    api_key: str

    def __repr__(self) -> str:
        return f"Tenant({self.sdk_app_id}, {self.api_key[:8]}…)"


def settle(aws: LocalAws, stack: str, kept: Path) -> Tenant:
    """Make whatever is missing of application, key and caller.

    Args:
        aws: where.
        stack: the name of the installation.
        kept: file that remembers the API key, which Roomgate shows only once.

    Raises:
        InfraError: the command line refused.
    """
    names, operator = Names(stack), Operator(aws.environ, stack)
    app = str(SDK_APP_ID)
    if not _has_parameter(aws, names.settings(SDK_APP_ID)):
        operator.run("apps", "add", app)
    if not _has_secret(aws, names.key(SDK_APP_ID)):
        say("   a new P-256 key goes in over standard input")
        operator.run("keys", "import", app, "-", given=new_key())
    known = _read(kept)
    if not known or not _may_call(aws, names.caller(known["caller"])):
        rights = [word for action in ("issue", "inspect", "read") for word in ("--action", action)]
        caller = f"walk-{token_hex(3)}"
        known = operator.run("callers", "add", caller, "--application", app, *rights)
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(known))
    tenant = Tenant(SDK_APP_ID, known["apiKey"])
    say(f"   application {app}, API key {tenant.api_key[:8]}… (whole in {kept})")
    return tenant


class Operator:
    """The operator's command line.

    Args:
        environ: points it at an AWS.
        stack: the name of the installation.
    """

    def __init__(self, environ: Mapping[str, str], stack: str) -> None:
        self._environ = environ
        self._stack = stack

    def run(self, *words: str, given: str | None = None) -> dict[str, Any]:
        """Run one command and read its JSON answer.

        Args:
            words: the command and its arguments.
            given: what it reads from standard input.

        Raises:
            InfraError: it ended with an error; the text holds what it said.
        """
        say(f"   $ roomgate {' '.join(words)}")
        command = [sys.executable, "-m", "roomgate", "--stack", self._stack, "--json", *words]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._environ,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise InfraError(f"roomgate {' '.join(words)} failed: {done.stderr.strip()}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def new_key() -> str:
    """A fresh P-256 private key as PEM."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def _has_parameter(aws: LocalAws, name: str) -> bool:
    return bool(aws.cloud.ssm.get_parameters(Names=[name])["Parameters"])


def _may_call(aws: LocalAws, name: str) -> bool:
    found = aws.cloud.ssm.get_parameters(Names=[name])["Parameters"]
    return any(not Caller.from_json(each["Value"]).is_revoked for each in found)


def _has_secret(aws: LocalAws, name: str) -> bool:
    client = aws.cloud.secretsmanager
    try:
        client.describe_secret(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def _read(kept: Path) -> dict[str, Any]:
    if not kept.exists():
        return {}
    known: dict[str, Any] = json.loads(kept.read_text())
    return known
