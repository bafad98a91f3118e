"""The four steps on the strict stand-in, several at once, and what it refuses."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.keys.rotation import STEPS, Rotation, RotationRefused
from chalicelib.keys.versions import (
    Versions,
    VersionsError,
    abort,
    put_candidate,
    roll_back,
    start_rotation,
)
from infra.emulators.secretsmanager import Nobody, SecretsManagerEmulator
from tests.support.rig import (
    FUNCTION_ARN,
    NAME,
    NAMES,
    Labels,
    Rig,
    ecdsa_value,
    key_value,
    rig_token_keys,
    token_keys,
)
from tests.support.rotation import RotationContract

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mypy_boto3_secretsmanager import SecretsManagerClient

RULES: Any = {"AutomaticallyAfterDays": 1000}
BAD = key_value("plainly no key")


@pytest.fixture
def rig(strict: Rig) -> Rig:
    """An empty account."""
    return strict


class TestOnTheStandIn(RotationContract):
    """Strict where moto is not."""


class Function(Nobody):
    """The rotation function, invoked in this process."""

    def __init__(self, rotation: Rotation) -> None:
        self._rotation = rotation
        self.called: list[str] = []

    def invoke(self, function_arn: str, event: Mapping[str, str]) -> bool:
        """See Surroundings."""
        assert function_arn == FUNCTION_ARN
        self.called.append(event["Step"])
        try:
            self._rotation.step(event)
        except RotationRefused:
            return False
        return True


@pytest.fixture
def function(rig: Rig, standin: SecretsManagerEmulator) -> Function:
    """What RotateSecret has called from now on."""
    standin.around = function = Function(rig.rotation)
    return function


def test_rotate_secret_calls_all_steps(
    rig: Rig, standin: SecretsManagerEmulator, function: Function
) -> None:
    """One after the other, to the end."""
    old, new = ecdsa_value(), ecdsa_value()
    rig.settle(old, new)
    token = start_rotation(rig.client, rig.versions(), FUNCTION_ARN)
    standin.settle()
    assert function.called == list(STEPS)
    current = rig.versions().current
    assert current
    assert current.id == token
    assert rig.labels() == Labels(new, old, None, None)


def test_a_bad_candidate_blocks_until_it_is_aborted(
    rig: Rig, standin: SecretsManagerEmulator, function: Function
) -> None:
    """The failing step is the last one called; what is pending is in the way, and says so."""
    old = ecdsa_value()
    rig.settle(old, BAD)
    start_rotation(rig.client, rig.versions(), FUNCTION_ARN)
    standin.settle()
    assert function.called == ["createSecret", "setSecret", "testSecret"]
    assert rig.labels() == Labels(old, None, BAD, BAD)
    with pytest.raises(ClientError, match="previous rotation isn't complete"):
        rig.begin()
    abort(rig.client, rig.versions())
    assert rig.labels() == Labels(old, None, None, None)


def test_rotating_later_only_tests(
    rig: Rig, standin: SecretsManagerEmulator, function: Function
) -> None:
    """RotateImmediately=false runs testSecret on a version made for the test, and removes it."""
    rig_token_keys(rig)
    before = token_keys(rig)
    asked: dict[str, Any] = {"SecretId": NAMES.report_token, "RotationLambdaARN": FUNCTION_ARN}
    rig.client.rotate_secret(**asked, RotationRules=RULES, RotateImmediately=False)
    standin.settle()
    assert function.called == ["testSecret"]
    assert token_keys(rig) == before
    assert rig.versions(NAMES.report_token).pending is None


def test_one_of_two_rotations_at_once_is_told_of_the_other(rig: Rig) -> None:
    """The schedule and an operator may both call RotateSecret; the slower one is refused."""
    rig.settle(ecdsa_value(), ecdsa_value())
    seen = rig.versions()
    start_rotation(rig.client, seen, FUNCTION_ARN)
    with pytest.raises(VersionsError, match="under way"):
        start_rotation(rig.client, seen, FUNCTION_ARN)


def test_every_step_may_run_many_times_at_once(rig: Rig, standin: SecretsManagerEmulator) -> None:
    """Secrets Manager may call a step while an earlier call of it still runs."""
    old, new = ecdsa_value(), ecdsa_value()
    rig.settle(old, new)
    rig_token_keys(rig)
    tokens = {name: rig.begin(name) for name in (NAME, NAMES.report_token)}
    rigs = [Rig(boto3.client("secretsmanager", endpoint_url=standin.url), rig.ask) for _ in "abcd"]
    with ThreadPoolExecutor(len(rigs)) as pool:
        for name, token in tokens.items():
            for step in STEPS:
                together = Barrier(len(rigs))
                calls = [pool.submit(_at_once, together, r, step, token, name) for r in rigs]
                for call in calls:
                    call.result()
    assert rig.labels() == Labels(new, old, None, None)
    assert len(token_keys(rig)) == 2


def _at_once(together: Barrier, rig: Rig, step: str, token: str, name: str) -> None:
    arn = rig.versions(name).arn
    together.wait()
    rig.rotation.step({"Step": step, "SecretId": arn, "ClientRequestToken": token})


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_in_whatever_order_a_good_key_signs(rig: Rig, seed: int) -> None:
    """Imports, good and bad, rotations, steps, rollbacks and aborts, as chance has it."""
    chance = random.Random(seed)  # noqa: S311 (a walk, no secret)
    good = {ecdsa_value() for _ in range(3)}
    rig.settle(chance.choice(sorted(good)))
    tokens = ["x" * 32]
    actions: list[Callable[[], object]] = [
        lambda: put_candidate(rig.client, rig.versions(), chance.choice([*sorted(good), BAD])),
        lambda: tokens.append(rig.begin()),
        lambda: tokens.append(start_rotation(rig.client, rig.versions(), FUNCTION_ARN)),
        lambda: rig.step(chance.choice(STEPS), chance.choice(tokens)),
        lambda: rig.steps(tokens[-1]),
        lambda: rig.step("createSecret", tokens[-1]),
        lambda: rig.step("finishSecret", tokens[-1]),
        lambda: roll_back(rig.client, rig.versions()),
        lambda: abort(rig.client, rig.versions()),
    ]
    for _ in range(25):
        try:
            chance.choice(actions)()
        except (RotationRefused, VersionsError):
            pass
        except ClientError as error:
            assert "previous rotation" in str(error)  # noqa: PT017 (what came is one of three)
        assert rig.labels().current in good
        carried = [stage for version in rig.versions().all for stage in version.stages]
        assert len(carried) == len(set(carried))


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda c, _v: c.rotate_secret(SecretId=NAME), "InvalidRequestException"),
        (
            lambda c, _v: c.rotate_secret(SecretId=NAME, RotationLambdaARN=FUNCTION_ARN),
            "InvalidRequestException",
        ),
        (
            lambda c, _v: c.rotate_secret(
                SecretId=NAME,
                RotationLambdaARN=FUNCTION_ARN,
                RotationRules={"AutomaticallyAfterDays": 1001},
            ),
            "InvalidParameterException",
        ),
        (
            lambda c, v: c.put_secret_value(
                SecretId=NAME, SecretString="other", ClientRequestToken=v.current.id
            ),
            "ResourceExistsException",
        ),
        (
            lambda c, v: c.update_secret_version_stage(
                SecretId=NAME, VersionStage="AWSCURRENT", MoveToVersionId=v.candidate.id
            ),
            "InvalidParameterException",
        ),
        (
            lambda c, v: c.update_secret_version_stage(
                SecretId=NAME, VersionStage="AWSCURRENT", RemoveFromVersionId=v.current.id
            ),
            "InvalidParameterException",
        ),
        (
            lambda c, v: c.update_secret_version_stage(
                SecretId=NAME, VersionStage="NEXT", RemoveFromVersionId=v.current.id
            ),
            "InvalidParameterException",
        ),
        (
            lambda c, _v: c.get_secret_value(SecretId=NAME, VersionStage="AWSPREVIOUS"),
            "ResourceNotFoundException",
        ),
        (lambda c, _v: c.get_secret_value(SecretId="nobody's"), "ResourceNotFoundException"),
        (lambda c, _v: c.create_secret(Name=NAME, SecretString="x"), "ResourceExistsException"),
        (lambda c, _v: c.restore_secret(SecretId=NAME), "UnknownOperationException"),
    ],
)
def test_the_stand_in_refuses_what_aws_refuses(
    rig: Rig, call: Callable[[Any, Versions], object], code: str
) -> None:
    """And changes nothing by it."""
    rig.settle(ecdsa_value(), ecdsa_value())
    before = rig.versions()
    with pytest.raises(ClientError) as refused:
        call(rig.client, before)
    assert refused.value.response["Error"]["Code"] == code
    assert rig.versions() == before


def test_a_version_that_loses_its_last_label_is_gone(rig: Rig) -> None:
    """Secrets Manager may delete it at any time, so nothing may count on it."""
    rig.settle(ecdsa_value(), ecdsa_value())
    gone = rig.versions().candidate
    abort(rig.client, rig.versions())
    assert gone
    with pytest.raises(ClientError, match="can't find"):
        rig.client.get_secret_value(SecretId=NAME, VersionId=gone.id)


def test_secrets_outlive_the_stand_in(tmp_path: Path) -> None:
    """Each change is on disk before its answer, in a file that nobody else can read."""
    kept = tmp_path / "secrets.json"
    with SecretsManagerEmulator(Nobody(), kept) as first:
        _client(first).create_secret(Name=NAME, SecretString="kept")
        assert kept.stat().st_mode & 0o777 == 0o600
        with SecretsManagerEmulator(Nobody(), kept) as second:
            found = _client(second).get_secret_value(SecretId=NAME)
    assert found["SecretString"] == "kept"


def _client(standin: SecretsManagerEmulator) -> SecretsManagerClient:
    return boto3.client("secretsmanager", endpoint_url=standin.url)
