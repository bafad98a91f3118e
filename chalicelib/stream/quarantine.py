"""Where poison goes: what a reader of the stream can never work off, for people to look at.

One object a batch, a JSON object a line: at least the ``sequence`` of the stream's record, and the
``reason``; with them the whole ``record``, or what was made of it.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

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
    """What a reader of the stream asks of a quarantine."""

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Store poison, of which there is some; whether it is stored."""


class Quarantine:
    """One function's part of the bucket.

    Args:
        client: makes a client of S3 when one is needed, which is seldom.
        bucket: its name.
        prefix: of the function's objects, as its role allows them.
        tell: takes an object's key, and the first reason in it or why it could not be put.
    """

    def __init__(
        self,
        client: Callable[[], S3Client],
        bucket: str,
        prefix: str,
        tell: Callable[[str, str], None],
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._tell = tell

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Store poison, of which there is some; whether it is stored.

        The same poison makes the same object, however often it comes.
        """
        body = "".join(json.dumps(each) + "\n" for each in poison).encode()
        name = f"{poison[0]['sequence']}-{sha256(body).hexdigest()[:16]}.jsonl"
        key = f"{self._prefix}{name}"
        try:
            self._client().put_object(Bucket=self._bucket, Key=key, Body=body)
        except ClientError as error:
            self._tell(key, error.response["Error"]["Code"])
            return False
        except BotoCoreError as error:
            self._tell(key, type(error).__name__)
            return False
        self._tell(key, poison[0]["reason"])
        return True
