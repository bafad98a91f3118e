"""rotation: the steps that Secrets Manager calls, and the schedule that starts them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
from botocore.exceptions import ClientError
from chalice.app import Chalice

from chalicelib.api.log import log
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
    """A step failed; the text names the step, the secret and the reason, and holds no value."""


@app.lambda_function(name="rotation")
def rotate(event: dict[str, Any], _context: object) -> None:
    """One of the four steps, for one secret."""
    try:
        done = rotation.step(event)
    except Exception as error:  # noqa: BLE001 (told, and raised again without its text)
        fail(event, error)
    facts = {"secret": done.name, "step": done.step, "version": done.token}
    tell("rotation-step", facts, {"RotationDone": 1} if done.promoted else {})


@app.schedule("rate(5 minutes)", name="schedule")
def look(_event: CloudWatchEvent) -> None:
    """Start the rotations whose candidates may count now."""
    try:
        applications = watch.applications()
    except StoreError as error:
        tell("rotation-watch", {"reason": reason_of(error)}, {"RotationFailed": 1})
        return
    for sdk_app_id in applications:
        look_at(sdk_app_id)


def look_at(sdk_app_id: int) -> None:
    """Look at one application; what is wrong with it must not keep the others waiting."""
    facts: dict[str, Any] = {"sdkAppId": sdk_app_id}
    try:
        sight = watch.look(sdk_app_id)
    except Exception as error:  # noqa: BLE001 (told, with a metric that an alarm watches)
        tell("rotation-watch", facts | {"reason": reason_of(error)}, {"RotationFailed": 1})
        return
    if sight.found is not Found.NOTHING:
        facts |= {"found": sight.found, "reason": sight.reason}
        tell("rotation-watch", facts, COUNTS[sight.found])


def fail(event: dict[str, Any], error: Exception) -> NoReturn:
    """Tell why a step failed, and let Secrets Manager know that it did."""
    facts = {
        "secret": event.get("SecretId"),
        "step": event.get("Step"),
        "version": event.get("ClientRequestToken"),
        "reason": reason_of(error),
    }
    tell("rotation-step", facts, {"RotationFailed": 1})
    raise StepFailed(f"{facts['step']} of {facts['secret']}: {facts['reason']}") from None


def reason_of(error: Exception) -> str:
    """Why it failed, and where unless it is foreseen; other texts could hold a value."""
    if isinstance(error, RotationRefused | StoreError):
        return error.reason
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "?"
    if isinstance(error, ClientError):
        return f"AWS refused {error.operation_name}: {error.response['Error']['Code']}"
    return f"{type(error).__name__} at {where}"


def tell(event: str, facts: dict[str, Any], counts: dict[str, int]) -> None:
    """Write a log line, with the metrics in it."""
    log(int(time.time() * 1000), event, {"function": app.app_name, **facts}, counts)
