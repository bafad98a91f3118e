"""What operators write: application settings and callers (SSM), signing keys (Secrets Manager).

OperatorError      what an operator asked for can't be done; its text says what to do instead
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.callers.caller import hash_of
from chalicelib.keys.names import Names
from chalicelib.keys.settings import Settings
from chalicelib.tickets import BadKey, load_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boto3.session import Session

    from chalicelib.callers.caller import Caller
    from chalicelib.tickets import SigningKey

from contextlib import contextmanager

API_KEY_BYTES = 32


class OperatorError(Exception):
    """What an operator asked for can't be done; the text says what is wrong and what to do."""


class Stores:
    """The stores of one stack, for writing.

    Args:
        session: whose account, region and endpoint are used.
        stack: the stack's name.
    """

    def __init__(self, session: Session, stack: str) -> None:
        self._names = Names(stack)
        self._key_alias = f"alias/{stack}"
        self._ssm = session.client("ssm")
        self._secrets = session.client("secretsmanager")

    def add_application(self, sdk_app_id: int, settings: Settings) -> None:
        """Write a new application's settings; raises OperatorError."""
        name = self._names.settings(sdk_app_id)
        with _said_plainly(f"Application {sdk_app_id} is there already."):
            self._ssm.put_parameter(Name=name, Value=settings.to_json(), Type="String")

    def settings_of(self, sdk_app_id: int) -> Settings:
        """An application's settings; raises OperatorError."""
        missing = f"Application {sdk_app_id} is not set up: roomgate apps add {sdk_app_id}"
        with _said_plainly(missing):
            found = self._ssm.get_parameter(Name=self._names.settings(sdk_app_id))
        return Settings.from_json(found["Parameter"]["Value"])

    def import_key(self, sdk_app_id: int, algorithm: str, text: str) -> SigningKey:
        """Store an application's first signing key; it signs from now on.

        Args:
            sdk_app_id: the application, set up before.
            algorithm: ``ECDSA-SHA256`` or ``HMAC-SHA256``.
            text: the PEM, or the HMAC secret as Tencent's console shows it.

        Raises:
            OperatorError: the key can't be used, or the application has one.
        """
        settings = self.settings_of(sdk_app_id)
        if algorithm not in settings.algorithms:
            allowed = " or ".join(settings.algorithms)
            raise OperatorError(f"Application {sdk_app_id} signs with {allowed} only.")
        try:
            key = load_key(algorithm, text)
        except BadKey as error:
            raise OperatorError(f"This key can't be used: {error}") from None
        value = json.dumps({"algorithm": algorithm, "key": text.strip()})
        name = self._names.key(sdk_app_id)
        taken = (
            f"Application {sdk_app_id} has a key already. Another one is a rotation, "
            "which this version of Roomgate can't do yet."
        )
        with _said_plainly(taken):
            self._secrets.create_secret(Name=name, SecretString=value, KmsKeyId=self._key_alias)
        return key

    def add_caller(self, caller: Caller) -> str:
        """Write a new caller and return its API key, which is shown once and never stored.

        Args:
            caller: with no hashes yet.

        Raises:
            OperatorError: there is a caller of that id.
        """
        api_key = f"rg_{caller.id}_{secrets.token_urlsafe(API_KEY_BYTES)}"
        stored = caller._replace(hashes=(hash_of(api_key),))
        with _said_plainly(f"Caller {caller.id} is there already; choose another id."):
            self._ssm.put_parameter(
                Name=self._names.caller(caller.id), Value=stored.to_json(), Type="String"
            )
        return api_key


_EXPECTED = ("ParameterAlreadyExists", "ParameterNotFound", "ResourceExistsException")


@contextmanager
def _said_plainly(expected: str) -> Iterator[None]:
    """Turn AWS's errors into ours: ``expected`` for the one that the operator may cause."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _EXPECTED:
            raise OperatorError(expected) from None
        raise OperatorError(f"AWS refused: {code}: {error.response['Error']['Message']}") from None
    except BotoCoreError as error:
        raise OperatorError(f"AWS can't be reached: {error}") from None
