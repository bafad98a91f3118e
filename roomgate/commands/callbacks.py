"""``roomgate callbacks``: the keys with which Tencent signs an application's callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from chalicelib.auth.callback_keys import MOST_KEYS, CallbackKeys, is_key, new_key
from roomgate.commands.groups import Group
from roomgate.commands.options import SDK_APP_ID
from roomgate.commands.output import table, when
from roomgate.operator.applications import ApplicationStore
from roomgate.operator.deployed import follows_within
from roomgate.operator.errors import OperatorError
from roomgate.operator.files import TextFile
from roomgate.operator.signing_secrets import SignerKind, SigningSecrets

if TYPE_CHECKING:
    from roomgate.commands.session import Session
    from roomgate.operator.files import Given
    from roomgate.operator.signing_secrets import Stored

_SHORT: Final = 16  # characters; of random letters and digits, 95 bits

_KEY_FILE: Final = TextFile("the key")


def callback_keys_of(session: Session) -> SigningSecrets[CallbackKeys]:
    """The callback keys of one stack's applications, by sdkAppId."""
    kind = SignerKind(
        group="callbacks",
        names=lambda app: f"callback key of application {app}",
        word="key",
        add="set",
        taken="Give it a second one",
        prefix=session.names.callback_prefix,
        read=CallbackKeys.from_json,
        held=lambda its: len(its.keys),
        describe=lambda app: f"Keys with which Tencent signs callbacks of {app}, newest first",
    )
    return SigningSecrets(session, kind)


@click.group(
    cls=Group,
    examples=(
        ("roomgate callbacks set 1400000001", "make a key, and see it, for Tencent's console"),
        ("roomgate callbacks set 1400000001 key.txt", "take the key that the console has already"),
        ("roomgate callbacks rotate 1400000001", "a second key, to change over to"),
        ("roomgate callbacks revoke 1400000001 --older", "after that: the first key is dropped"),
    ),
)
def callbacks() -> None:
    """The keys with which Tencent signs its callbacks.

    Tencent's servers tell who enters a room and who leaves it. In the application's console, set
    the address (POST /v1/trtc-callbacks of the webhook) and the key; what no key signed is refused.
    Two are valid at once, while the console's changes.
    """


@callbacks.command("set")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.argument("file", type=_KEY_FILE, required=False)
@click.pass_obj
def set_(session: Session, sdk_app_id: int, file: Given | None) -> None:
    """Set the first callback key of SDK_APP_ID.

    FILE holds the key that the console has (- for standard input). Without it a key is made, and
    shown this once.
    """
    ApplicationStore(session).settings_of(sdk_app_id)  # Says so if there is no application.
    key = _chosen(session, file)
    callback_keys_of(session).add(str(sdk_app_id), CallbackKeys((key,)))
    _tell(session, sdk_app_id, key, 1, made=file is None)


@callbacks.command("rotate")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.argument("file", type=_KEY_FILE, required=False)
@click.pass_obj
def rotate(session: Session, sdk_app_id: int, file: Given | None) -> None:
    """Give SDK_APP_ID a second callback key.

    The older one goes on. Put the new one into Tencent's console, then: roomgate callbacks revoke
    --older. FILE holds it (- for standard input); without it one is made, and shown this once.
    """
    stored, app = callback_keys_of(session), str(sdk_app_id)
    key = _chosen(session, file)
    if key in stored.get(app).keys:
        raise OperatorError(f"Application {sdk_app_id} has this callback key already.")
    stored.rotate(app, key)
    _tell(session, sdk_app_id, key, MOST_KEYS, made=file is None)


@callbacks.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """Show whose callbacks are taken, never the keys."""
    stored = callback_keys_of(session).all()
    found = dict(sorted((int(app), each) for app, each in stored.items() if app.isdecimal()))
    facts = [_described(app, stored) for app, stored in found.items()]
    rows = [_row(app, stored) for app, stored in found.items()]
    none = "No application has a callback key yet. Set one: roomgate callbacks set SDK_APP_ID"
    head = ("sdkAppId", "keys", "since", "changed")
    session.output.answer({"callbacks": facts}, table(head, rows) if rows else none)


@callbacks.command("revoke")
@click.argument("sdk_app_id", type=SDK_APP_ID)
@click.option("--older", is_flag=True, help="Only the older of its two keys; the newer goes on.")
@click.pass_obj
def revoke(session: Session, sdk_app_id: int, *, older: bool) -> None:
    """Delete the callback keys of SDK_APP_ID, or the older one.

    They can't be brought back; how soon that counts is told, and it takes functions that can read
    the store. Without a key all its callbacks are refused.
    """
    stored, app = callback_keys_of(session), str(sdk_app_id)
    if older:
        stored.drop_older(app)
        what = f"The older callback key of application {app} is dropped; it stops"
    else:
        stored.delete(app)
        what = f"Application {app} has no callback key any more; its callbacks stop"
    within = follows_within(session)
    facts = {"sdkAppId": sdk_app_id, "revoked": "older" if older else "all"}
    session.output.answer({**facts, "stopsWithin": within}, f"{what} within {within:g} seconds.")


def _chosen(session: Session, given: Given | None) -> str:
    """The key of a file, or a new one; raises OperatorError for what Tencent would not take."""
    if given is None:
        return new_key()
    key = given.text.strip()
    if not is_key(key):
        raise OperatorError(
            f"This is no callback key ({given.name}): Tencent takes 1 to 32 letters and digits."
        )
    if len(key) < _SHORT:
        session.output.note(
            f"This key is short ({len(key)} characters): who has seen one callback may guess it. "
            "Take 32, or have one made."
        )
    return key


def _tell(session: Session, sdk_app_id: int, key: str, held: int, *, made: bool) -> None:
    facts: dict[str, Any] = {"sdkAppId": sdk_app_id, "keys": held}
    text = f"Callbacks of application {sdk_app_id} count if this key signs them."
    if held > 1:
        text += f" The older one goes on until: roomgate callbacks revoke {sdk_app_id} --older"
    if made:
        facts["key"] = key
        text += f"\nPut it into Tencent's console; it is shown this once:\n{key}"
    session.output.answer(facts, text)


def _described(app: int, stored: Stored[CallbackKeys]) -> dict[str, Any]:
    times = {"since": stored.since, "changed": stored.changed}
    if stored.signer is None:
        return {"sdkAppId": app, "unreadable": True, **times}
    return {"sdkAppId": app, "keys": len(stored.signer.keys), **times}


def _row(app: int, stored: Stored[CallbackKeys]) -> list[str]:
    held = str(len(stored.signer.keys)) if stored.signer else "unreadable: revoke it, then set it"
    return [str(app), held, when(stored.since), when(stored.changed)]
