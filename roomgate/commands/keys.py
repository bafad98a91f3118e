"""``roomgate keys``: signing keys, from a new file to the rotation and back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from chalicelib.trtc.algorithms import ALGORITHMS, ECDSA
from roomgate.commands.groups import Group
from roomgate.commands.options import SDK_APP_ID, SECONDS
from roomgate.commands.output import span, table, when
from roomgate.operator.deployed import follows_within
from roomgate.operator.errors import OperatorError
from roomgate.operator.files import Given, TextFile
from roomgate.operator.keyfiles import read_key, write_new_key

if TYPE_CHECKING:
    from chalicelib.tickets import SigningKey
    from roomgate.commands.session import Session
    from roomgate.operator.keystore import ApplicationKeys, KeyStore, StoredKey

_ROTATION_SECONDS: Final = 120
_HEAD: Final = ("state", "keyId", "algorithm", "since", "age")


@click.group(
    cls=Group,
    examples=(
        (
            "roomgate keys import 1400000001 private_key.pem",
            "the first key signs at once; a later one waits",
        ),
        ("roomgate keys status 1400000001", "see them, and what to do next"),
        ("roomgate keys rotate 1400000001", "the key that waits signs from now on"),
        ("roomgate keys rollback 1400000001", "the key before it signs again"),
    ),
)
def keys() -> None:
    """Signing keys: which one signs, and changing it.

    An application has a current key (it signs), a previous one (it still verifies), and while a
    change is prepared a candidate.
    """


@keys.command("generate")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def generate(session: Session, file: Path) -> None:
    """Write a new P-256 private key to FILE.

    For applications that let you upload a public key of your own: what is shown is what Tencent's
    console wants. FILE must not be there yet, and can be read by you alone; keep it until it is
    imported, then delete it.
    """
    key = write_new_key(file)
    public: str = getattr(key, "public_pem", "")
    facts = {"file": str(file), "keyId": key.key_id, "publicKey": public}
    text = (
        f"{file} holds the new private key {key.key_id}. Its public key, for the console:\n"
        f"{public}Then: roomgate keys import SDK_APP_ID {file}"
    )
    session.output.answer(facts, text)


@keys.command("import")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.argument("file", type=TextFile("the key"), required=False)
@click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS),
    help="By default ECDSA-SHA256 for a PEM file, else HMAC-SHA256.",
)
@click.option(
    "--kms-key-id",
    metavar="ID",
    help="Instead of FILE: id or ARN of a key that lives in KMS (ECC, for signing).",
)
@click.option("--replace", is_flag=True, help="Replace the candidate that waits.")
@click.pass_obj
def import_(
    session: Session,
    sdk_app_id: int,
    file: Given | None,
    algorithm: str | None,
    kms_key_id: str | None,
    *,
    replace: bool,
) -> None:
    """Store a key of SDK_APP_ID from FILE (- is standard input).

    FILE holds the private key in PEM (ECDSA-SHA256) or the console's secret (HMAC-SHA256). The
    first key of an application signs at once. A later one becomes the candidate: nothing signs
    with it until the rotation, which tries it first.
    """
    if (file is None) == (kms_key_id is None):
        raise click.UsageError("Give either a FILE (or - for standard input) or --kms-key-id.")
    key, value = _from_kms(kms_key_id) if kms_key_id else _from_file(session, file, algorithm)
    found = _store(session).add(sdk_app_id, key, value, replace=replace)
    state = "current" if found.key_id("current") == key.key_id else "candidate"
    facts = {
        "sdkAppId": sdk_app_id,
        "keyId": key.key_id,
        "algorithm": key.algorithm,
        "state": state,
    }
    session.output.answer(facts, _imported(sdk_app_id, key, state))


@keys.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """Show the keys of all applications, by their ids."""
    from roomgate.operator.applications import ApplicationStore  # noqa: PLC0415 (with the store, which brings botocore)

    stored, now = _store(session), time.time()
    found = {app: stored.find(app) for app in ApplicationStore(session).all()}
    facts = {"applications": [_described(app, keys) for app, keys in found.items()]}
    rows = []
    for app, its in found.items():
        rows += [[str(app), *_row(key, now)] for key in (its.keys if its else ())]
        if not its or not its.keys:
            rows.append([str(app), "none", "import one: roomgate keys import", "", "", ""])
    none = "There are no applications yet. Set one up: roomgate apps add SDK_APP_ID"
    session.output.answer(facts, table(("sdkAppId", *_HEAD), rows) if rows else none)


@keys.command("status")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.pass_obj
def status(session: Session, sdk_app_id: int) -> None:
    """Show the keys of SDK_APP_ID, and what to do next.

    With --json the public keys too; a secret part is never shown.
    """
    found = _store(session).get(sdk_app_id)
    next_step = _next_step(found)
    facts = _described(sdk_app_id, found) | {"next": next_step}
    now = time.time()
    shown = table(_HEAD, [_row(key, now) for key in found.keys])
    faults = [
        f"\nThe {key.state} key can't be used: {key.fault}."
        for key in found.keys
        if key.fault and key.state != "pending"  # That one may just be coming into being.
    ]
    session.output.answer(facts, f"{shown}{''.join(faults)}\nNext: {next_step}")


@keys.command("rotate")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.option(
    "--timeout",
    type=SECONDS,
    default=_ROTATION_SECONDS,
    show_default=True,
    help="Seconds to wait for the outcome; the rotation itself goes on.",
)
@click.pass_obj
def rotate(session: Session, sdk_app_id: int, timeout: int) -> None:
    """Let the candidate of SDK_APP_ID sign from now on.

    Do it once Tencent takes the new key; the command waits until it signs. The rotation function
    tries the candidate first; one that fails never signs. The key that signed until now still
    verifies, and can be rolled back to.
    """
    from roomgate.operator.keystore import wait_for  # noqa: PLC0415 (brings botocore)

    stored = _store(session)
    before, version_id = stored.start(sdk_app_id)
    with session.output.waiting("the rotation") as draw:
        after = wait_for(lambda: stored.rotated(sdk_app_id, version_id), draw, timeout)
    after = after or stored.rotated(sdk_app_id, version_id, tidied=False)
    if after is None:
        raise OperatorError(
            f"The rotation has not succeeded within {timeout} s; key {before.key_id('current')} "
            f"signs as before. See how it stands: roomgate keys status {sdk_app_id}, and why in "
            f"the log of the function {session.stack}-rotation. To drop it: roomgate keys abort "
            f"{sdk_app_id}"
        )
    _changed(session, before, after, "rotated")


@keys.command("rollback")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.pass_obj
def rollback(session: Session, sdk_app_id: int) -> None:
    """Let the previous key of SDK_APP_ID sign again, at once.

    For a key that Tencent turns out not to take: a burst of 70009 and 87.
    """
    before, after = _store(session).roll_back(sdk_app_id)
    if after.of("candidate"):
        session.output.note(
            f"A candidate ({after.key_id('candidate')}) still waits, and will be rotated to. If it "
            f"should not: roomgate keys abort {sdk_app_id}"
        )
    _changed(session, before, after, "rolled back")


@keys.command("abort")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.pass_obj
def abort(session: Session, sdk_app_id: int) -> None:
    """Drop the candidate, and a rotation that got stuck.

    The key of SDK_APP_ID that signs stays as it is.
    """
    before, after = _store(session).abort(sdk_app_id)
    dropped = [key for key in before.keys if key.state in {"candidate", "pending"}]
    facts = {
        "sdkAppId": sdk_app_id,
        "dropped": [
            {"state": key.state, "keyId": key.key.key_id if key.key else None} for key in dropped
        ],
        "current": after.key_id("current"),
    }
    gone = " and ".join(key.named for key in dropped)
    text = f"Dropped: {gone}. Key {after.key_id('current')} signs as before."
    session.output.answer(facts, text)


def _store(session: Session) -> KeyStore:
    # Here and not above: it brings botocore, which `keys generate` and --help do not need.
    from roomgate.operator.keystore import KeyStore  # noqa: PLC0415

    return KeyStore(session)


def _from_file(
    session: Session, file: Given | None, algorithm: str | None
) -> tuple[SigningKey, dict[str, str]]:
    assert file is not None
    given = read_key(file, algorithm)
    if given.trimmed:
        session.output.note(
            f"{file.name}: white space around the secret (such as a newline at its end) was left "
            "out; it is no part of it."
        )
    return given.key, {"algorithm": given.key.algorithm, "key": given.text}


def _from_kms(kms_key_id: str) -> tuple[SigningKey, dict[str, str]]:
    from chalicelib.keys.material import KeyReader  # noqa: PLC0415 (brings boto3)
    from chalicelib.stores.store import StoreDown  # noqa: PLC0415 (likewise)

    value = {"algorithm": ECDSA, "kmsKeyId": kms_key_id}
    try:
        return KeyReader().read(json.dumps(value), "kms"), value
    except StoreDown as error:
        raise OperatorError(
            f"The key in KMS can't be used: {error.reason}. Needed is the id or ARN of an "
            "asymmetric key for signing (ECC_NIST_P256 or ECC_SECG_P256K1) that carries the tag "
            "of this stack, and kms:GetPublicKey on it (docs/operations.md, Keys in KMS)."
        ) from None


def _imported(sdk_app_id: int, key: SigningKey, state: str) -> str:
    if state == "current":
        return f"Application {sdk_app_id} now signs with {key.algorithm} key {key.key_id}."
    return (
        f"Key {key.key_id} ({key.algorithm}) is the candidate of application {sdk_app_id}. The "
        "rotation's schedule takes it up within 5 minutes (with a probe: once Tencent accepts "
        f"it); to do it now: roomgate keys rotate {sdk_app_id}"
    )


def _changed(session: Session, before: ApplicationKeys, after: ApplicationKeys, how: str) -> None:
    was, now = before.key_id("current"), after.key_id("current")
    within = follows_within(session)
    facts = {
        "sdkAppId": after.sdk_app_id,
        "before": {"current": was, "previous": before.key_id("previous")},
        "after": {"current": now, "previous": after.key_id("previous")},
        "followsWithin": within,
    }
    text = (
        f"Application {after.sdk_app_id} is {how}: it signed with {was}, now it signs with {now}. "
        f"Every function follows within {within:g} seconds."
    )
    session.output.answer(facts, text)


def _described(sdk_app_id: int, found: ApplicationKeys | None) -> dict[str, Any]:
    from roomgate.operator.keystore import described  # noqa: PLC0415 (brings botocore)

    return {"sdkAppId": sdk_app_id, "keys": [described(key) for key in found.keys] if found else []}


def _row(stored: StoredKey, now: float) -> list[str]:
    made = stored.version.created
    return [
        stored.state,
        stored.key_id,
        stored.key.algorithm if stored.key else "can't be used",
        when(made) if made else "-",
        span(now - made) if made else "-",
    ]


def _next_step(found: ApplicationKeys) -> str:
    app, current, candidate = found.sdk_app_id, found.of("current"), found.of("candidate")
    if current is None:
        return f"no key signs: roomgate keys import {app} FILE"
    if candidate and candidate.fault:  # Whether or not a rotation to it is under way.
        return f"drop the candidate: roomgate keys abort {app}; then import the right one"
    if found.of("pending"):
        return (
            "a rotation is under way; if this stays so for minutes, it is stuck: "
            f"roomgate keys abort {app}"
        )
    if candidate:
        return f"once Tencent takes the candidate: roomgate keys rotate {app}"
    if current.fault:
        return f"let a key sign that can: {found.way_back}"
    return f"nothing. For a new key: roomgate keys import {app} FILE"
