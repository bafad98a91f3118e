"""Reading Secrets Manager and SSM: through Lambda's extension if present, else with boto3.

StoreError                 reading failed
├── NotInStore             the store answers that there is no such thing
│   └── PerhapsNotInStore  it says no, and not why
└── StoreDown              the store does not answer, refuses, or answers with garbage
"""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

# A cold environment waits this long for the store; a refresh waits less (cache.WAIT_SECONDS).
TIMEOUT_SECONDS = 3.0


class StoreError(Exception):
    """Reading failed.

    Attributes:
        name: of the secret or parameter.
        reason: the store's error code, or the kind of failure; never a value.
        age: seconds since the value that goes on serving was read, or None where none does; told
            of a failed refresh.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason
        self.age: float | None = None


class NotInStore(StoreError):
    """There is no such secret, version or parameter."""


class PerhapsNotInStore(NotInStore):
    """A no without a reason, all that the extension gives: there is no such thing, most likely.

    It may also be a missing right or a throttled service, so a value that was read before must not
    be given up for it; and where no parameter was given yet at all, it is a StoreDown.
    """


class StoreDown(StoreError):
    """The store does not answer, refuses, or answers with garbage."""


class UnusableKey(StoreDown):
    """The store answered with a broken key, a disallowed algorithm or broken settings."""


class Secret:
    """One version of a secret; its repr does not show the value.

    Attributes:
        value: the secret string.
        version_id: the version's id in Secrets Manager.
        created: unix time in seconds at which the version was made, or None where the store does
            not say.
    """

    __slots__ = ("created", "value", "version_id")

    def __init__(self, value: str, version_id: str, created: int | None = None) -> None:
        self.value = value
        self.version_id = version_id
        self.created = created

    def __repr__(self) -> str:
        return f"Secret(version_id={self.version_id!r})"


class Store(Protocol):
    """Where keys, settings and callers are read from; each method raises StoreError."""

    preloads: bool
    """Whether it answers during INIT (the extension answers in the INVOKE phase only)."""

    def secret(self, name: str, stage: str = "AWSCURRENT") -> Secret:
        """The version of a secret that carries a staging label."""

    def parameter(self, name: str) -> str:
        """A parameter's value."""

    def parameter_names(self, path: str) -> list[str]:
        """The names under a path; empty where the store cannot list."""


class ExtensionStore:
    """The AWS Parameters and Secrets Lambda Extension, over HTTP on loopback (AWS Lambda docs).

    Args:
        port: PARAMETERS_SECRETS_EXTENSION_HTTP_PORT.
        token: AWS_SESSION_TOKEN, which the extension asks for in a header.
    """

    preloads = False

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._gave_a_parameter = False

    def secret(self, name: str, stage: str = "AWSCURRENT") -> Secret:
        """See Store."""
        query = {"secretId": name, "versionStage": stage}
        found = self._get("/secretsmanager/get", query, name)
        try:
            made = _unix_seconds(found.get("CreatedDate"))
            return Secret(_text(found["SecretString"]), found["VersionId"], made)
        except (KeyError, TypeError, AttributeError):
            raise StoreDown(name, "an answer without SecretString") from None

    def parameter(self, name: str) -> str:
        """See Store."""
        try:
            found = self._get("/systemsmanager/parameters/get", {"name": name}, name)
            value = _text(found["Parameter"]["Value"])
        except PerhapsNotInStore as error:
            if self._gave_a_parameter:
                raise
            # The first thing that a cold environment asks for is its caller. One that may read
            # nothing, or is throttled, must not tell it that its API key is wrong.
            raise StoreDown(name, error.reason) from None
        except (KeyError, TypeError):
            raise StoreDown(name, "an answer without Value") from None
        self._gave_a_parameter = True
        return value

    def parameter_names(self, path: str) -> list[str]:  # noqa: ARG002 (the extension cannot list)
        """See Store."""
        return []

    def _get(self, path: str, query: dict[str, str], name: str) -> Any:
        # Here and not above: it brings ssl and email along, which INIT need not pay for.
        from http.client import HTTPConnection, HTTPException  # noqa: PLC0415

        connection = HTTPConnection("localhost", self._port, timeout=TIMEOUT_SECONDS)
        headers = {"X-Aws-Parameters-Secrets-Token": self._token}
        try:
            connection.request("GET", f"{path}?{urlencode(query)}", headers=headers)
            response = connection.getresponse()
            status, body = response.status, response.read()
        except (OSError, HTTPException) as error:
            raise StoreDown(name, type(error).__name__) from None
        finally:
            connection.close()
        return _extension_answer(status, body, name)


_NOT_FOUND = (b"ResourceNotFoundException", b"ParameterNotFound", b"ParameterVersionNotFound")
"""How the stores name a missing thing."""

_NO_REASON = b"unexpected error occurred while executing request"
"""What the extension says, with status 400, of a missing parameter, secret or label, and of a
missing right: so other projects recorded it; AWS does not document it."""


def _extension_answer(status: int, body: bytes, name: str) -> Any:
    if status == HTTPStatus.OK:
        return _json(body, name)
    if any(code in body for code in _NOT_FOUND):
        raise NotInStore(name, "not found")
    if _NO_REASON in body:
        raise PerhapsNotInStore(name, "the extension says no, and not why")
    raise StoreDown(name, f"HTTP {status}")


def _json(body: bytes, name: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise StoreDown(name, "an answer that is not JSON") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _unix_seconds(date: object) -> int | None:
    """The time of a date as the services' own JSON has it: seconds, or ISO 8601."""
    from datetime import datetime  # noqa: PLC0415 (INIT need not pay for it)

    try:
        if isinstance(date, str):
            return int(datetime.fromisoformat(date).timestamp())
        return int(date) if isinstance(date, int | float) else None
    except (ValueError, OverflowError):
        return None


class AwsStore:
    """Secrets Manager and SSM with boto3, which the Lambda runtime brings."""

    preloads = True

    def __init__(self) -> None:
        # Here and not above: the issuer with the extension must not pay 0.2 s for boto3.
        import boto3  # noqa: PLC0415

        config = aws_settings()
        session = boto3.session.Session()
        self._secrets = session.client("secretsmanager", config=config)
        self._parameters = session.client("ssm", config=config)

    def secret(self, name: str, stage: str = "AWSCURRENT") -> Secret:
        """See Store."""
        call = self._secrets.get_secret_value
        found = _aws_call(name, call, SecretId=name, VersionStage=stage)
        if "SecretString" not in found:
            raise StoreDown(name, "a secret without SecretString")
        made = int(found["CreatedDate"].timestamp()) if "CreatedDate" in found else None
        return Secret(found["SecretString"], found["VersionId"], made)

    def parameter(self, name: str) -> str:
        """See Store."""
        found = _aws_call(name, self._parameters.get_parameter, Name=name, WithDecryption=True)
        try:
            return _text(found["Parameter"]["Value"])
        except (KeyError, TypeError):
            raise StoreDown(name, "an answer without Value") from None

    def parameter_names(self, path: str) -> list[str]:
        """See Store."""
        pages = self._parameters.get_paginator("get_parameters_by_path")
        found = _aws_call(path, lambda: list(pages.paginate(Path=path)))
        listed = [each for page in found for each in page.get("Parameters", [])]
        return [parameter["Name"] for parameter in listed if "Name" in parameter]


def aws_settings(read_timeout: float = TIMEOUT_SECONDS) -> Any:
    """How Roomgate's functions call AWS: bounded in time (seconds), with one retry."""
    from botocore.config import Config  # noqa: PLC0415 (only where boto3 is imported anyway)

    # At DEBUG botocore logs whole answers, keys included, whoever turns DEBUG on and why.
    logging.getLogger("botocore").setLevel(logging.INFO)
    return Config(
        connect_timeout=read_timeout,
        read_timeout=read_timeout,
        retries={"total_max_attempts": 2, "mode": "standard"},
    )


# What botocore lets through where an answer is of another shape than the service's.
GARBLED = (AttributeError, KeyError, TypeError, ValueError)


def _aws_call(name: str, call: Any, **arguments: Any) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (loaded by now, if AWS is called)
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 (no BotoCoreError, alas)

    try:
        return call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code.encode() in _NOT_FOUND:
            raise NotInStore(name, code) from None
        raise StoreDown(name, code) from None
    except (BotoCoreError, ResponseParserError, *GARBLED) as error:
        raise StoreDown(name, type(error).__name__) from None


def store_of(environ: Mapping[str, str]) -> Store:
    """The store that the environment names: the extension where its port is set, else boto3."""
    port = environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT")
    if port:
        return ExtensionStore(int(port), environ.get("AWS_SESSION_TOKEN", ""))
    return AwsStore()
