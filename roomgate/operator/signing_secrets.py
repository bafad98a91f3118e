"""The secrets of those who sign what they send, one a signer, with two values valid at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, NamedTuple, Protocol, Self, TypeVar

from chalicelib.stores.stored import BadStoredValue
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.exceptions import ClientError
    from mypy_boto3_secretsmanager.type_defs import GetSecretValueResponseTypeDef

    from roomgate.commands.session import Session

MOST: Final = 2  # The old one and the new one, while the signer changes over.


class Signer(Protocol):
    """What is stored of a signer; its repr shows no secret."""

    def to_json(self) -> str:
        """The secret's value."""

    def rotated(self, secret: str, /) -> Self:
        """The signer with a new secret first and its last one second."""

    def without_older(self) -> Self:
        """The signer with its newest secret only."""


S = TypeVar("S", bound=Signer)


class SignerKind(NamedTuple, Generic[S]):
    """A kind of signer.

    Attributes:
        group: its commands: ``roomgate <group> …``.
        names: what one is called in a sentence, by its id.
        word: what its secrets are called, in the singular.
        add: the command that makes one.
        taken: what to do where there is one already.
        prefix: of the secrets' names; the id follows.
        read: a secret's value; raises ValueError.
        held: how many secrets it has.
        describe: for the secret's description, by its id.
    """

    group: str
    names: Callable[[str], str]
    word: str
    add: str
    taken: str
    prefix: str
    read: Callable[[str], S]
    held: Callable[[S], int]
    describe: Callable[[str], str]


class Stored(NamedTuple, Generic[S]):
    """A signer as it is stored.

    Attributes:
        signer: what the secret holds, or None where that can't be read.
        since: unix time in seconds at which it was added.
        changed: unix time in seconds at which its secrets were last changed.
        fault: why the secret can't be read, or None.
    """

    signer: S | None
    since: int
    changed: int
    fault: BadStoredValue | None = None


class SigningSecrets(Generic[S]):
    """The signers of one kind, of one stack.

    Args:
        session: whose stack and account are used.
        kind: of signer.

    Attributes:
        kind: likewise.
    """

    def __init__(self, session: Session, kind: SignerKind[S]) -> None:
        self._client = session.secretsmanager
        self._stack = session.names.stack
        self.kind = kind

    def add(self, signer_id: str, signer: S) -> None:
        """Store a new one.

        Raises:
            OperatorError: there is one of that id, or one that is being deleted.
        """
        group, name = self.kind.group, self.kind.prefix + signer_id
        try:
            self._client.create_secret(
                Name=name,
                Description=self.kind.describe(signer_id),
                SecretString=signer.to_json(),
                KmsKeyId=f"alias/{self._stack}",
            )
        except self._client.exceptions.ResourceExistsException:
            raise OperatorError(
                f"{self.named(signer_id)} is there already. {self.kind.taken}: "
                f"roomgate {group} rotate {signer_id}"
            ) from None
        except self._client.exceptions.InvalidRequestException as error:
            raise _not_for_now(error, name) from error

    def rotate(self, signer_id: str, secret: str) -> None:
        """Give one a second secret, before its older one.

        Raises:
            OperatorError: there is no such signer, or it has two already.
        """
        signer, group = self.get(signer_id), self.kind.group
        if self.kind.held(signer) >= MOST:
            raise OperatorError(
                f"{self.named(signer_id)}: there are {MOST} {self.kind.word}s already. Once the "
                f"newer one signs: roomgate {group} revoke {signer_id} --older; then rotate again."
            )
        self._put(signer_id, signer.rotated(secret))

    def drop_older(self, signer_id: str) -> None:
        """Leave one its newest secret only; raises OperatorError where it has but one."""
        signer, group = self.get(signer_id), self.kind.group
        if self.kind.held(signer) < MOST:
            raise OperatorError(
                f"{self.named(signer_id)}: there is one {self.kind.word} only, so there is no "
                f"older one. To change over: roomgate {group} rotate {signer_id}; to shut it out: "
                f"roomgate {group} revoke {signer_id}"
            )
        self._put(signer_id, signer.without_older())

    def delete(self, signer_id: str) -> None:
        """Delete one, broken ones too; raises OperatorError where there is none."""
        # A forced deletion of what is not there succeeds, so that has to be looked at before.
        self._found(signer_id)
        name = self.kind.prefix + signer_id
        self._client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    def get(self, signer_id: str) -> S:
        """One of them; raises OperatorError."""
        try:
            return self.kind.read(_text(self._found(signer_id)))
        except ValueError:
            group = self.kind.group
            raise OperatorError(
                f"What is stored of {self.kind.names(signer_id)} can't be read, so no signature "
                f"of it can be checked. roomgate {group} revoke {signer_id}, then: roomgate "
                f"{group} {self.kind.add} {signer_id}"
            ) from None

    def all(self) -> dict[str, Stored[S]]:
        """All of them by id, sorted."""
        prefix = self.kind.prefix
        pages = self._client.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": [prefix]}]
        )
        made = {
            each["Name"].removeprefix(prefix): int(each["CreatedDate"].timestamp())
            for page in pages
            for each in page["SecretList"]
            if each["Name"].startswith(prefix)
        }
        read = ((signer_id, self._read(signer_id, made[signer_id])) for signer_id in sorted(made))
        return {signer_id: stored for signer_id, stored in read if stored}

    def named(self, signer_id: str) -> str:
        """What one is called at the beginning of a sentence."""
        text = self.kind.names(signer_id)
        return text[0].upper() + text[1:]

    def _read(self, signer_id: str, since: int) -> Stored[S] | None:
        """One that was listed; None where it is gone meanwhile, as lists lag behind."""
        try:
            found = self._found(signer_id)
        except OperatorError:
            return None
        changed = int(found["CreatedDate"].timestamp())
        try:
            return Stored(self.kind.read(_text(found)), since, changed)
        except BadStoredValue as fault:
            return Stored(None, since, changed, fault)

    def _found(self, signer_id: str) -> GetSecretValueResponseTypeDef:
        """What is stored; raises OperatorError where there is none, or none any more."""
        name = self.kind.prefix + signer_id
        try:
            return self._client.get_secret_value(SecretId=name)
        except self._client.exceptions.ResourceNotFoundException:
            raise OperatorError(
                f"There is no {self.kind.names(signer_id)} in stack {self._stack}. "
                f"See: roomgate {self.kind.group} list"
            ) from None
        except self._client.exceptions.InvalidRequestException as error:
            raise _not_for_now(error, name) from error

    def _put(self, signer_id: str, signer: S) -> None:
        name = self.kind.prefix + signer_id
        self._client.put_secret_value(SecretId=name, SecretString=signer.to_json())


def _text(found: GetSecretValueResponseTypeDef) -> str:
    return found.get("SecretString", "")  # Nothing in one that somebody stored as bytes.


def _not_for_now(error: ClientError, name: str) -> Exception:
    if "delet" not in str(error):
        return error
    return OperatorError(
        f"The secret {name} is marked for deletion. If it was revoked just now, try again in a "
        f"minute; else take that back: aws secretsmanager restore-secret --secret-id {name}"
    )
