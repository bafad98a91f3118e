"""What is said of errors of AWS calls."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws_errors import is_transient, reason_of
from chalicelib.errors import ApiError


def refused(code: str, status: int) -> ClientError:
    """A service's refusal of a call."""
    response: Any = {
        "Error": {"Code": code, "Message": "of a value"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "GetItem")


def divide(value: int) -> float:
    """Raise an error whose traceback ends here."""
    return value / 0


def raised() -> ZeroDivisionError:
    """An unexpected error as it is caught."""
    try:
        divide(42)
    except ZeroDivisionError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ApiError("history-gone", "a detail"), "history-gone"),
        (refused("AccessDenied", 400), "AWS refused GetItem: AccessDenied"),
        (ValueError("of a value"), "ValueError at ?"),
    ],
)
def test_a_reason_holds_no_text_of_the_error(error: Exception, reason: str) -> None:
    """A text may repeat what is stored, or a key."""
    assert reason_of(error) == reason


def test_an_unexpected_error_names_the_line_that_raised_it() -> None:
    """The innermost function of the traceback, and its line."""
    line = divide.__code__.co_firstlineno + 2
    assert reason_of(raised()) == f"ZeroDivisionError at divide:{line}"


@pytest.mark.parametrize(
    ("code", "status", "transient"),
    [("Busy", 400, True), ("Denied", 400, False), ("Unknown", 499, False), ("Unknown", 500, True)],
)
def test_named_codes_and_server_errors_pass(code: str, status: int, *, transient: bool) -> None:
    """All else will fail the same way again."""
    assert is_transient(refused(code, status), {"Busy"}) is transient
