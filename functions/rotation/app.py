"""rotation: the steps that Secrets Manager calls, and the schedule that starts rotations."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
from chalice.app import Chalice

from chalicelib import aws_errors
from chalicelib.api.log import function_log
from chalicelib.auth.secret_kinds import SecretKinds
from chalicelib.keys.material import KeyReader
from chalicelib.keys.rotation import Rotation, RotationRefused
from chalicelib.keys.watch import Found, Watch
from chalicelib.stores.names import Names
from chalicelib.stores.store import AwsStore, StoreError, aws_settings

if TYPE_CHECKING:
    from chalice.app import CloudWatchEvent

    from chalicelib.keys.probe import Verdict
    from chalicelib.stores.settings import Probe
    from chalicelib.tickets import SigningKey

app = Chalice(app_name="rotation")
log = function_log(app.app_name)

client = boto3.session.Session().client("secretsmanager", config=aws_settings())
store = AwsStore()
names = Names(os.environ["ROOMGATE_STACK"])
reader = KeyReader()
rotation = Rotation(client, SecretKinds(store, names, reader, time.time).of)

COUNTS = {
    Found.STARTED: {},
    Found.WAITING: {"RotationWaiting": 1},
    Found.STUCK: {"RotationFailed": 1},
}


def ask(probe: Probe, key: SigningKey, sdk_app_id: int, now: int) -> Verdict:
    """Ask the live probe."""
    # Here and not above: only the schedule needs requests, and only for some applications.
    from chalicelib.keys import probe as probing  # noqa: PLC0415

    return probing.ask(probe, key, sdk_app_id, now)


watch = Watch(client, store, names, reader=reader, ask=ask, clock=time.time)


class StepFailed(Exception):
    """A step failed; the text names the step, the secret's name and the reason, and no value."""


@app.lambda_function(name="rotation")
def rotate(event: dict[str, Any], _context: object) -> None:
    """Take one of the four steps of a rotation, for one secret."""
    try:
        result = rotation.step(event)
    except Exception as error:  # noqa: BLE001 (logged, and raised again without its text)
        fail(event, error)
    facts = {"secret": result.name, "step": result.step, "version": result.token}
    log("rotation-step", facts, {"RotationDone": 1} if result.promoted else {})


@app.schedule("rate(5 minutes)", name="schedule")
def look(_event: CloudWatchEvent) -> None:
    """Start the rotations whose candidates may become current now."""
    try:
        applications = watch.applications()
    except StoreError as error:
        log("rotation-watch", {"reason": reason_of(error)}, {"RotationFailed": 1})
        return
    for sdk_app_id in applications:
        look_at(sdk_app_id)


def look_at(sdk_app_id: int) -> None:
    """Look at one application. Its failure must not hold up the other applications."""
    facts: dict[str, Any] = {"sdkAppId": sdk_app_id}
    try:
        sight = watch.look(sdk_app_id)
    except Exception as error:  # noqa: BLE001 (logged, with a metric that an alarm watches)
        log("rotation-watch", facts | {"reason": reason_of(error)}, {"RotationFailed": 1})
        return
    if sight.found is not Found.NOTHING:
        facts |= {"found": sight.found, "reason": sight.reason}
        log("rotation-watch", facts, COUNTS[sight.found])


def fail(event: dict[str, Any], error: Exception) -> NoReturn:
    """Log why a step failed, and raise StepFailed, so that Secrets Manager sees the failure."""
    facts = {
        "secret": event.get("SecretId"),
        "step": event.get("Step"),
        "version": event.get("ClientRequestToken"),
        "reason": reason_of(error),
    }
    log("rotation-step", facts, {"RotationFailed": 1})
    raise StepFailed(f"{facts['step']} of {facts['secret']}: {facts['reason']}") from None


def reason_of(error: Exception) -> str:
    """Why it failed, for a log line; no text of an unexpected error, which could hold a value."""
    if isinstance(error, RotationRefused | StoreError):
        return error.reason
    return aws_errors.reason_of(error)
