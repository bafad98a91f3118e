"""Errors of AWS calls: their codes, whether they pass, and what a log line may say of a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotocoreConnectionError

from chalicelib.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Collection

UNREACHABLE: Final = (HTTPClientError, BotocoreConnectionError)
"""What botocore raises where a service can't be reached, or its answer is lost."""

_SERVER_ERROR: Final = 500
"""HTTP statuses from here on are the service's own fault (RFC 9110, 15.6)."""


def error_code(error: ClientError) -> str:
    """The service's name of an error: ``ThrottlingException``."""
    code: str = error.response["Error"]["Code"]
    return code


def is_transient(error: ClientError, codes: Collection[str]) -> bool:
    """Whether the same call may succeed later.

    Args:
        error: what the service answered.
        codes: its transient errors; every HTTP status from 500 on counts as transient too.
    """
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return error_code(error) in codes or status >= _SERVER_ERROR


def reason_of(error: Exception) -> str:
    """Why something failed, for a log line.

    The reason holds no text of the error, because that could repeat a stored value or a key: it is
    the code of an ApiError, the operation and code of a ClientError, or else the error's class and
    the function and line that raised it.
    """
    if isinstance(error, ApiError):
        return error.code
    if isinstance(error, ClientError):
        return f"AWS refused {error.operation_name}: {error_code(error)}"
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {place}"
