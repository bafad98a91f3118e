"""Where poison goes: rows that are not as the schema says, and records that make no row.

One object a batch, a JSON object a line: ``partition`` and ``sequence`` of the stream's record, the
``reason``, and the ``row`` or the whole ``record``.
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
PREFIX: Final = "exporter/"


def connect() -> S3Client:
    """Make a client; the environment names region, credentials and (locally) the endpoint."""
    config = Config(
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    return cast("S3Client", get_session().create_client("s3", config=config))


class Keeps(Protocol):
    """What an exporter asks of a quarantine."""

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Store poison, of which there is some; whether it is stored."""


class Quarantine:
    """The quarantine of the exporter.

    Args:
        client: makes a client of S3 when one is needed, which is seldom.
        bucket: its name.
        tell: takes why something could not be put.
    """

    def __init__(
        self, client: Callable[[], S3Client], bucket: str, tell: Callable[[str, str], None]
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._tell = tell

    def put(self, poison: Sequence[dict[str, Any]]) -> bool:
        """Store poison; whether it is stored.

        The same poison makes the same object, however often it comes.
        """
        body = "".join(json.dumps(each) + "\n" for each in poison).encode()
        key = f"{PREFIX}{poison[0]['sequence']}-{sha256(body).hexdigest()[:16]}.jsonl"
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
