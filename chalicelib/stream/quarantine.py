"""The quarantine: an S3 bucket for poison, the stream records that can never be processed.

Each batch with poison becomes one object of JSON lines. A line holds at least the ``sequence`` of
the stream record and the ``reason``, and also the whole ``record`` or the ``row`` made of it.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from chalicelib.aws_errors import error_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_s3 import S3Client

TIMEOUT_SECONDS: Final = 5.0
ATTEMPTS: Final = 3


def connect() -> S3Client:
    """Make a client; the environment names region, credentials and (locally) the endpoint."""
    config = Config(
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    return cast("S3Client", get_session().create_client("s3", config=config))


class QuarantineSink(Protocol):
    """Where a reader of the stream puts poison."""

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Store poison records (at least one). Returns whether that succeeded."""


class Quarantine:
    """One function's folder in the quarantine bucket.

    Args:
        client: makes an S3 client; called only when there is poison, which is rare.
        bucket: the bucket's name.
        prefix: of the function's object keys; its role may write below it alone.
        notify: called with an object's key, and the first reason in it or why storing failed.
    """

    def __init__(
        self,
        client: Callable[[], S3Client],
        bucket: str,
        prefix: str,
        notify: Callable[[str, str], None],
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._notify = notify

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Store poison records (at least one). Returns whether that succeeded.

        The object's key is made from the content, so a redelivered batch overwrites its object.
        """
        body = "".join(json.dumps(entry) + "\n" for entry in poison).encode()
        name = f"{poison[0]['sequence']}-{sha256(body).hexdigest()[:16]}.jsonl"
        key = f"{self._prefix}{name}"
        try:
            self._client().put_object(Bucket=self._bucket, Key=key, Body=body)
        except ClientError as error:
            self._notify(key, error_code(error))
            return False
        except BotoCoreError as error:
            self._notify(key, type(error).__name__)
            return False
        self._notify(key, poison[0]["reason"])
        return True
