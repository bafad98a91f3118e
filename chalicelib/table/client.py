"""DynamoDB's client, and which of its failures are the store's and pass.

botocore alone does what is needed here; boto3 on top of it would cost INIT 0.1 s more.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.session import get_session

from chalicelib.table.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

TIMEOUT_SECONDS: Final = 1.0
ATTEMPTS: Final = 2
"""A call may wait to connect and to read, each attempt, and up to 1 s in between: 5 s at worst."""

_PASSING: Final = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}
_CANCELED: Final = "TransactionCanceledException"
_PASSING_REASONS: Final = {"ThrottlingError", "ProvisionedThroughputExceeded"}
"""Of a transaction that was canceled, for one of its items."""


def connect() -> DynamoDBClient:
    """Make a client; the environment names region, credentials and (locally) the endpoint."""
    config = Config(
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    return cast("DynamoDBClient", get_session().create_client("dynamodb", config=config))


@contextmanager
def passing_failures() -> Iterator[None]:
    """Turn failures that pass into StoreUnavailable; others (a missing table or right) are ours."""
    try:
        yield
    except ClientError as error:
        if not _passes(error):
            raise
        raise StoreUnavailable from error
    except (HTTPClientError, BotocoreConnectionError) as error:
        raise StoreUnavailable from error


def cancellation_reasons(error: ClientError) -> set[str]:
    """Why a transaction was canceled, by the codes of its items; nothing for other errors."""
    if error_code(error) != _CANCELED:
        return set()
    reasons: Any = error.response.get("CancellationReasons", [])
    return {reason.get("Code", "None") for reason in reasons} - {"None"}


def _passes(error: ClientError) -> bool:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if error_code(error) in _PASSING or status >= 500:  # noqa: PLR2004 (HTTP's own number)
        return True
    return bool(cancellation_reasons(error) & _PASSING_REASONS)


def error_code(error: ClientError) -> str:
    """DynamoDB's name of an error."""
    return error.response["Error"]["Code"]
