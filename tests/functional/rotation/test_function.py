"""The rotation function's two Lambdas: what they log, count and raise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.keys.rotation import STEPS
from chalicelib.stores.settings import Settings
from chalicelib.stores.store import StoreDown
from tests.support.apps import load_app
from tests.support.rig import (
    APP,
    NAME,
    NAMES,
    Labels,
    Rig,
    ecdsa_value,
    key_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from infra.emulators.secretsmanager import SecretsManagerEmulator

TICK: dict[str, Any] = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "0",
    "time": "2026-01-01T00:00:00Z",
    "region": "eu-central-1",
    "resources": [],
    "detail": {},
}


@pytest.fixture
def function(
    standin: SecretsManagerEmulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    """The function, with its settings in moto's SSM and its secrets in the stand-in."""
    monkeypatch.setenv("ROOMGATE_STACK", NAMES.stack)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", standin.url)
    with mock_aws():
        set_up(APP)
        yield load_app("rotation")


def set_up(app: int) -> None:
    """Store an application's settings."""
    boto3.client("ssm").put_parameter(
        Name=NAMES.settings(app), Value=Settings().to_json(), Type="String"
    )


def step(function: ModuleType, rig: Rig, token: str, name: str) -> None:
    """Have Secrets Manager call a step."""
    event = {"Step": name, "SecretId": rig.versions().arn, "ClientRequestToken": token}
    function.rotate(event, None)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged since the last look."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_rotation_is_told_step_by_step_and_counted_once(
    function: ModuleType, strict: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """RotationDone comes with the step that made the new key current, and not with its repeat."""
    old, new = ecdsa_value(), ecdsa_value()
    strict.settle(old, new)
    token = strict.begin()
    for each in (*STEPS, "finishSecret"):
        step(function, strict, token, each)
    logged = lines(capsys)
    assert [line["step"] for line in logged] == [*STEPS, "finishSecret"]
    assert [line.get("RotationDone") for line in logged] == [None, None, None, 1, None]
    assert {(line["function"], line["secret"], line["version"]) for line in logged} == {
        ("rotation", NAME, token)
    }
    assert strict.labels() == Labels(new, old, None, None)


def test_a_failure_is_counted_and_raised_with_its_reason(
    function: ModuleType, strict: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """Secrets Manager must know, and so must the operator; nobody needs the value for it."""
    strict.settle(ecdsa_value(), key_value("plainly no key"))
    token = strict.begin()
    step(function, strict, token, "createSecret")
    with pytest.raises(function.StepFailed, match=r"testSecret of .* can't be used"):
        step(function, strict, token, "testSecret")
    (failed,) = [line for line in lines(capsys) if "RotationFailed" in line]
    assert "can't be used" in failed["reason"]
    assert "plainly" not in json.dumps(failed)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({}, "KeyError"),
        ({"Step": "createSecret", "SecretId": NAME, "ClientRequestToken": "t"}, "AWS refused"),
        ({"Step": "fly", "SecretId": NAME, "ClientRequestToken": "t"}, "no such rotation step"),
    ],
)
def test_what_is_no_event_of_secrets_manager_fails_plainly(
    function: ModuleType,
    strict: Rig,
    capsys: pytest.CaptureFixture[str],
    event: dict[str, str],
    reason: str,
) -> None:
    """With a log line too, whatever it was."""
    assert strict
    with pytest.raises(function.StepFailed, match=reason):
        function.rotate(event, None)
    assert [line["RotationFailed"] for line in lines(capsys)] == [1]


def test_one_broken_application_does_not_keep_the_others_waiting(
    function: ModuleType, strict: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is wrong with it is counted; the next one's rotation begins all the same."""
    broken = APP - 1
    boto3.client("ssm").put_parameter(
        Name=NAMES.settings(broken), Value="plainly broken", Type="String"
    )
    for app in (broken, APP):
        name = NAMES.key(app)
        strict.client.create_secret(Name=name, SecretString=ecdsa_value())
        strict.client.put_secret_value(
            SecretId=name, SecretString=ecdsa_value(), VersionStages=["NEXT"]
        )
    function.look(TICK, None)
    told = {line["sdkAppId"]: line for line in lines(capsys)}
    assert told[broken]["RotationFailed"] == 1
    assert "plainly" not in json.dumps(told)
    assert told[APP]["found"] == "started"
    assert strict.versions().pending


def test_a_candidate_that_waits_is_counted(
    function: ModuleType, strict: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """And an application with nothing to do is not mentioned at all."""
    set_up(APP + 1)
    strict.settle(ecdsa_value(), ecdsa_value())
    strict.begin()
    function.look(TICK, None)
    (line,) = lines(capsys)
    assert (line["sdkAppId"], line["RotationWaiting"]) == (APP, 1)


def test_a_store_that_is_down_is_counted(
    function: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The schedule comes again in five minutes."""

    def down() -> list[int]:
        raise StoreDown(NAMES.applications, "ThrottlingException")

    monkeypatch.setattr(function.watch, "applications", down)
    function.look(TICK, None)
    (line,) = lines(capsys)
    assert (line["RotationFailed"], line["reason"]) == (1, "ThrottlingException")
