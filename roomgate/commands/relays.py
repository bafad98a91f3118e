"""``roomgate relays``: the backends that relay reports, and the secrets that they sign with."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import click

from chalicelib.auth.relay import MOST_SECRETS, SECRET_BYTES, Relay, secret_of
from roomgate.commands.groups import Group
from roomgate.commands.options import RELAY_ID, SDK_APP_ID
from roomgate.commands.output import table, when
from roomgate.operator.deployed import follows_within
from roomgate.operator.signing_secrets import SignerKind, SigningSecrets

if TYPE_CHECKING:
    from roomgate.commands.session import Session
    from roomgate.operator.signing_secrets import Stored


def relays_of(session: Session) -> SigningSecrets[Relay]:
    """The relays of one stack."""
    kind = SignerKind(
        group="relays",
        names=lambda relay_id: f"relay {relay_id}",
        word="secret",
        add="add",
        taken="Choose another id, or give it a new secret",
        prefix=session.names.relay_prefix,
        read=Relay.from_json,
        held=lambda relay: len(relay.secrets),
        describe=lambda relay_id: f"Secrets with which relay {relay_id} signs, newest first",
    )
    return SigningSecrets(session, kind)


@click.group(
    cls=Group,
    examples=(
        (
            "roomgate relays add my-relay --application 1400000001",
            "make one, and see its secret",
        ),
        ("roomgate relays rotate my-relay", "a second secret, to change over to"),
        ("roomgate relays revoke my-relay --older", "after that: the first secret is dropped"),
        ("roomgate relays revoke my-relay", "delete it altogether"),
    ),
)
def relays() -> None:
    """Backends that relay reports, and what they sign with.

    A relay passes members' reports on, and signs each with its secret, as Standard Webhooks
    describes: to POST /v1/relays/RELAY_ID/userlist-reports of the webhook.
    """


@relays.command("add")
@click.argument("relay_id", type=RELAY_ID)
@click.option(
    "--application",
    "applications",
    type=SDK_APP_ID,
    multiple=True,
    help="May report of this application (may be repeated); of all by default.",
)
@click.pass_obj
def add(session: Session, relay_id: str, applications: tuple[int, ...]) -> None:
    """Make the relay RELAY_ID and show its secret, once.

    Put the secret where the relaying backend keeps its own; Standard Webhooks' libraries take it
    as it is, whsec_ and all.
    """
    secret = _new_secret()
    relays_of(session).add(relay_id, Relay((secret,), frozenset(applications)))
    allowed = sorted(set(applications))
    facts = {"relay": relay_id, "applications": allowed, "secret": secret}
    text = (
        f"Relay {relay_id} is for applications: {_listed(allowed)}.\n"
        f"Its secret, shown this once:\n{secret}"
    )
    session.output.answer(facts, text)


@relays.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """Show the relays, never their secrets."""
    found = relays_of(session).all()
    facts = [_described(relay_id, stored) for relay_id, stored in found.items()]
    rows = [_row(relay_id, stored) for relay_id, stored in found.items()]
    head = ("relay", "secrets", "applications", "since", "changed")
    none = "There are no relays yet. Make one: roomgate relays add RELAY_ID"
    session.output.answer({"relays": facts}, table(head, rows) if rows else none)


@relays.command("rotate")
@click.argument("relay_id", type=RELAY_ID)
@click.pass_obj
def rotate(session: Session, relay_id: str) -> None:
    """Give RELAY_ID a second secret and show it, once.

    The older one goes on. Put the new secret into the backend, then: roomgate relays revoke
    --older.
    """
    secret = _new_secret()
    relays_of(session).rotate(relay_id, secret)
    text = (
        f"Relay {relay_id} has a new secret. The older one goes on until: "
        f"roomgate relays revoke {relay_id} --older\n"
        f"The new one, shown this once:\n{secret}"
    )
    facts = {"relay": relay_id, "secret": secret, "secrets": MOST_SECRETS}
    session.output.answer(facts, text)


@relays.command("revoke")
@click.argument("relay_id", type=RELAY_ID)
@click.option("--older", is_flag=True, help="Only the older of its two secrets; it goes on.")
@click.pass_obj
def revoke(session: Session, relay_id: str, *, older: bool) -> None:
    """Delete the relay RELAY_ID, or its older secret.

    How soon that counts is told; it takes functions that can read the store. What is deleted can't
    be brought back; a new one of the same id gets a new secret.
    """
    stored = relays_of(session)
    if older:
        stored.drop_older(relay_id)
        what = f"The older secret of {relay_id} is dropped; it stops"
    else:
        stored.delete(relay_id)
        what = f"Relay {relay_id} is deleted; its secrets stop"
    within = follows_within(session)
    facts = {"relay": relay_id, "revoked": "older" if older else "all", "stopsWithin": within}
    session.output.answer(facts, f"{what} within {within:g} seconds.")


def _new_secret() -> str:
    return secret_of(secrets.token_bytes(SECRET_BYTES))


def _listed(applications: list[int]) -> str:
    return " ".join(map(str, applications)) or "all"


def _described(relay_id: str, stored: Stored[Relay]) -> dict[str, Any]:
    times = {"since": stored.since, "changed": stored.changed}
    if stored.signer is None:
        return {"relay": relay_id, "unreadable": True, **times}
    applications = sorted(stored.signer.applications)
    secrets_held = len(stored.signer.secrets)
    return {"relay": relay_id, "secrets": secrets_held, "applications": applications, **times}


def _row(relay_id: str, stored: Stored[Relay]) -> list[str]:
    times = [when(stored.since), when(stored.changed)]
    if stored.signer is None:
        return [relay_id, "unreadable: revoke it, then add it anew", "", *times]
    applications = _listed(sorted(stored.signer.applications))
    return [relay_id, str(len(stored.signer.secrets)), applications, *times]
