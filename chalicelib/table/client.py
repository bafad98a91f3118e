"""DynamoDB's client, and which of its failures are transient.

botocore alone suffices here; boto3 on top of it would add 0.1 s to INIT.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import get_session

from chalicelib.aws_errors import UNREACHABLE, error_code, is_transient
from chalicelib.table.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

TIMEOUT_SECONDS: Final = 1.0
ATTEMPTS: Final = 2
"""Each attempt may wait 1 s to connect and 1 s to read, with up to 1 s in between: 5 s at worst."""

_TRANSIENT: Final = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}
_CANCELED: Final = "TransactionCanceledException"
_TRANSIENT_REASONS: Final = {"ThrottlingError", "ProvisionedThroughputExceeded"}
"""Reasons for which a transaction may be canceled because of one of its items."""


def connect() -> DynamoDBClient:
    """Make a client; the environment names region, credentials and (locally) the endpoint."""
    config = Config(
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    return cast("DynamoDBClient", get_session().create_client("dynamodb", config=config))


@contextmanager
def transient_failures() -> Iterator[None]:
    """Turn transient failures into StoreUnavailable; others, like a missing table, are raised."""
    try:
        yield
    except ClientError as error:
        transient = is_transient(error, _TRANSIENT)
        if not transient and not cancellation_reasons(error) & _TRANSIENT_REASONS:
            raise
        raise StoreUnavailable from error
    except UNREACHABLE as error:
        raise StoreUnavailable from error


def cancellation_reasons(error: ClientError) -> set[str]:
    """The codes of the items for which a transaction was canceled; empty for other errors."""
    if error_code(error) != _CANCELED:
        return set()
    reasons: Any = error.response.get("CancellationReasons", [])
    return {reason.get("Code", "None") for reason in reasons} - {"None"}
