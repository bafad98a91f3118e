"""``roomgate relays``: the backends that relay reports, and the secrets that they sign with."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from chalicelib.callers.relay import MOST_SECRETS, SECRET_BYTES, Relay, secret_of
from roomgate.errors import OperatorError
from roomgate.groups import Group
from roomgate.options import RELAY_ID, SDK_APP_ID
from roomgate.output import table, when

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_secretsmanager.type_defs import GetSecretValueResponseTypeDef

    from roomgate.session import Session

_NOT_YET: Final = "The webhook does not take relayed reports yet: this prepares the relay."


class StoredRelay(NamedTuple):
    """A relay as it is stored; its repr shows no secret, since Relay's does not.

    Attributes:
        relay: what the secret holds, or None where that can't be read.
        since: unix time in seconds at which it was added.
        changed: likewise, at which its secrets were last changed.
    """

    relay: Relay | None
    since: int
    changed: int


class Relays:
    """The relays of one stack.

    Args:
        session: whose stack and account are used.
    """

    def __init__(self, session: Session) -> None:
        self._client = session.secretsmanager
        self._names = session.names

    def add(self, relay_id: str, applications: frozenset[int]) -> str:
        """Store a new relay; return its secret.

        Raises:
            OperatorError: there is a relay of that id, or one that is being deleted.
        """
        secret = _new_secret()
        name = self._names.relay(relay_id)
        try:
            self._client.create_secret(
                Name=name,
                Description=f"Secrets with which relay {relay_id} signs reports, newest first",
                SecretString=Relay((secret,), applications).to_json(),
                KmsKeyId=f"alias/{self._names.stack}",
            )
        except self._client.exceptions.ResourceExistsException:
            raise OperatorError(
                f"Relay {relay_id} is there already. Choose another id, or give it a new secret: "
                f"roomgate relays rotate {relay_id}"
            ) from None
        except self._client.exceptions.InvalidRequestException as error:
            raise _not_for_now(error, name) from error
        return secret

    def rotate(self, relay_id: str) -> str:
        """Give a relay a second secret, before its older one; return it.

        Raises:
            OperatorError: there is no such relay, or it has two already.
        """
        relay = self.get(relay_id)
        if len(relay.secrets) >= MOST_SECRETS:
            raise OperatorError(
                f"Relay {relay_id} has {MOST_SECRETS} secrets already. Once it signs with the "
                f"newer one: roomgate relays revoke {relay_id} --older; then rotate again."
            )
        secret = _new_secret()
        self._put(relay_id, relay.rotated(secret))
        return secret

    def drop_older(self, relay_id: str) -> None:
        """Leave a relay its newest secret only; raises OperatorError where it has but one."""
        relay = self.get(relay_id)
        if len(relay.secrets) < MOST_SECRETS:
            raise OperatorError(
                f"Relay {relay_id} has one secret only, so there is no older one. To change over: "
                f"roomgate relays rotate {relay_id}; to shut it out: roomgate relays revoke "
                f"{relay_id}"
            )
        self._put(relay_id, relay.without_older())

    def delete(self, relay_id: str) -> None:
        """Delete a relay, broken ones too; raises OperatorError where there is none."""
        # A forced deletion of what is not there succeeds, so that has to be looked at before.
        self._found(relay_id)
        name = self._names.relay(relay_id)
        self._client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    def get(self, relay_id: str) -> Relay:
        """A relay; raises OperatorError."""
        try:
            return Relay.from_json(_text(self._found(relay_id)))
        except ValueError:
            raise OperatorError(
                f"What is stored of relay {relay_id} can't be read, so no signature of it can be "
                f"checked. roomgate relays revoke {relay_id}, then add it anew."
            ) from None

    def all(self) -> dict[str, StoredRelay]:
        """Relays by id, sorted."""
        prefix = self._names.relay_prefix
        pages = self._client.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": [prefix]}]
        )
        made = {
            each["Name"].removeprefix(prefix): int(each["CreatedDate"].timestamp())
            for page in pages
            for each in page["SecretList"]
            if each["Name"].startswith(prefix)
        }
        read = ((relay_id, self._read(relay_id, made[relay_id])) for relay_id in sorted(made))
        return {relay_id: stored for relay_id, stored in read if stored}

    def _read(self, relay_id: str, since: int) -> StoredRelay | None:
        """A relay that was listed; None where it is gone meanwhile, as lists lag behind."""
        try:
            found = self._found(relay_id)
        except OperatorError:
            return None
        changed = int(found["CreatedDate"].timestamp())
        try:
            return StoredRelay(Relay.from_json(_text(found)), since, changed)
        except ValueError:
            return StoredRelay(None, since, changed)

    def _found(self, relay_id: str) -> GetSecretValueResponseTypeDef:
        """What is stored; raises OperatorError where there is none, or none any more."""
        name = self._names.relay(relay_id)
        try:
            return self._client.get_secret_value(SecretId=name)
        except self._client.exceptions.ResourceNotFoundException:
            raise OperatorError(
                f"There is no relay {relay_id} in stack {self._names.stack}. "
                "See: roomgate relays list"
            ) from None
        except self._client.exceptions.InvalidRequestException as error:
            raise _not_for_now(error, name) from error

    def _put(self, relay_id: str, relay: Relay) -> None:
        name = self._names.relay(relay_id)
        self._client.put_secret_value(SecretId=name, SecretString=relay.to_json())


def _new_secret() -> str:
    return secret_of(secrets.token_bytes(SECRET_BYTES))


def _text(found: GetSecretValueResponseTypeDef) -> str:
    return found.get("SecretString", "")  # Nothing in one that somebody stored as bytes.


def _not_for_now(error: ClientError, name: str) -> Exception:
    if "delet" not in str(error):
        return error
    return OperatorError(
        f"The secret {name} is marked for deletion. If it was revoked just now, try again in a "
        f"minute; else take that back: aws secretsmanager restore-secret --secret-id {name}"
    )


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
    describes. The webhook does not take relayed reports yet: these commands prepare the relays.
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
    secret = Relays(session).add(relay_id, frozenset(applications))
    allowed = sorted(set(applications))
    facts = {"relay": relay_id, "applications": allowed, "secret": secret}
    text = (
        f"Relay {relay_id} is for applications: {_listed(allowed)}. {_NOT_YET}\n"
        f"Its secret, shown this once:\n{secret}"
    )
    session.output.answer(facts, text)


@relays.command("list")
@click.pass_obj
def show(session: Session) -> None:
    """Show the relays, never their secrets."""
    found = Relays(session).all()
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
    secret = Relays(session).rotate(relay_id)
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

    It is deleted at once and can't be brought back; a new one of the same id gets a new secret.
    """
    stored = Relays(session)
    if older:
        stored.drop_older(relay_id)
        text = f"The older secret of {relay_id} is dropped; the newer one goes on."
    else:
        stored.delete(relay_id)
        text = f"Relay {relay_id} is deleted, and its secrets with it."
    session.output.answer({"relay": relay_id, "revoked": "older" if older else "all"}, text)


def _listed(applications: list[int]) -> str:
    return " ".join(map(str, applications)) or "all"


def _described(relay_id: str, stored: StoredRelay) -> dict[str, Any]:
    times = {"since": stored.since, "changed": stored.changed}
    if stored.relay is None:
        return {"relay": relay_id, "unreadable": True, **times}
    applications = sorted(stored.relay.applications)
    secrets_held = len(stored.relay.secrets)
    return {"relay": relay_id, "secrets": secrets_held, "applications": applications, **times}


def _row(relay_id: str, stored: StoredRelay) -> list[str]:
    times = [when(stored.since), when(stored.changed)]
    if stored.relay is None:
        return [relay_id, "unreadable: revoke it, then add it anew", "", *times]
    applications = _listed(sorted(stored.relay.applications))
    return [relay_id, str(len(stored.relay.secrets)), applications, *times]
