"""Nothing secret shows in what the rotation function prints, logs or raises."""

from __future__ import annotations

import base64
import json
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

from chalicelib.keys.rotation import STEPS
from chalicelib.keys.versions import Versions, put_candidate
from chalicelib.stores.names import Names
from chalicelib.stores.settings import Settings
from infra.emulators.secretsmanager import Nobody, SecretsManagerEmulator
from tests.functional.rotation.conftest import ask
from tests.support.apps import load_app
from tests.support.keys import new_secret, pem_of_new_key
from tests.support.reports import KEY, STACK
from tests.support.rig import (
    APP,
    key_value,
)
from tests.support.secrecy import own_part, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from mypy_boto3_secretsmanager import SecretsManagerClient

NAMES = Names(STACK)
NAME = NAMES.key(APP)
TOKEN_KEY = base64.urlsafe_b64encode(KEY).decode().rstrip("=")


class Rotated(NamedTuple):
    """The function, and the Secrets Manager that it rotates in."""

    function: ModuleType
    client: SecretsManagerClient

    def steps(self, name: str) -> str:
        """Rotate as far as it goes; what was raised on the way."""
        token, raised = ask(self.client, name), []
        arn = self.client.describe_secret(SecretId=name)["ARN"]
        for step in STEPS:
            event = {"Step": step, "SecretId": arn, "ClientRequestToken": token}
            try:
                self.function.rotate(event, None)
            except self.function.StepFailed as error:
                raised.append("".join(traceback.format_exception(error)))
        return "\n".join(raised)


@pytest.fixture
def rotated(load: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Rotated]:
    """The function on the strict stand-in, with an application and the keys of report tokens."""
    assert callable(load)
    ssm = boto3.client("ssm")
    ssm.put_parameter(
        Name=NAMES.settings(APP), Value=Settings().to_json(), Type="String", Overwrite=True
    )
    with SecretsManagerEmulator(Nobody()) as standin:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", standin.url)
        client = boto3.client("secretsmanager")
        tokens = {"keys": [{"kid": "1", "key": TOKEN_KEY, "notAfter": None}]}
        client.create_secret(Name=NAMES.report_token, SecretString=json.dumps(tokens))
        yield Rotated(load_app("rotation"), client)


def candidates() -> list[str]:
    """A good key, and bad ones that hold a key all the same."""
    return [
        key_value(new_secret()),
        key_value(pem_of_new_key(), "ECDSA-SHA256"),
        key_value(pem_of_new_key()),
        key_value(new_secret(), "ECDSA-SHA256"),
        key_value(f"{new_secret()} {new_secret()}"),
        json.dumps({"algorithm": new_secret(), "kmsKeyId": new_secret()}),
        new_secret(),
    ]


@pytest.mark.parametrize("candidate", candidates(), ids=range(len(candidates())))
def test_a_rotation_shows_neither_key(
    rotated: Rotated, capfd: pytest.CaptureFixture[str], candidate: str
) -> None:
    """Whether it succeeds or fails, in logs as in tracebacks."""
    current = pem_of_new_key()
    rotated.client.create_secret(Name=NAME, SecretString=key_value(current, "ECDSA-SHA256"))
    put_candidate(rotated.client, Versions.read(rotated.client, NAME), candidate)
    raised = rotated.steps(NAME)
    secrets = [own_part(current), own_part(_key_of(candidate))]
    printed = "".join(capfd.readouterr())
    assert "rotation-step" in printed
    assert shown(secrets, printed + raised) == []


def test_the_keys_of_report_tokens_do_not_show(
    rotated: Rotated, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the old one nor the new one."""
    raised = rotated.steps(NAMES.report_token)
    stored = rotated.client.get_secret_value(SecretId=NAMES.report_token)["SecretString"]
    keys = [each["key"] for each in json.loads(stored)["keys"]]
    assert len(keys) == 2
    printed = "".join(capfd.readouterr())
    assert "rotation-step" in printed
    assert shown(keys, printed + raised) == []


def _key_of(value: str) -> str:
    try:
        found = json.loads(value)
    except ValueError:
        return value
    key: str = found.get("key") or found["kmsKeyId"]
    return key
