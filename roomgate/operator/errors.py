"""What went wrong, in a sentence that says what to do; the one place that explains AWS's errors.

OperatorError      what an operator asked for can't be done (exit code 1)
"""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any, Final

import click

from chalicelib.table.errors import HistoryGone, StoreUnavailable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

NO_CREDENTIALS: Final = (
    "There are no AWS credentials. Log in (aws sso login --profile NAME, then export "
    "AWS_PROFILE=NAME), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
)
LOGIN_OVER: Final = (
    "The AWS login is over, or not this account's. Log in again: aws sso login (or renew the "
    "access key, or the session token that goes with it)."
)
NO_REGION: Final = "There is no AWS region. Set it, for example: export AWS_REGION=ap-southeast-1"
CLOCK_OFF: Final = (
    "AWS refuses this machine's clock: it is minutes off. Let it be set from the network "
    "(timedatectl set-ntp true)."
)
UNREACHABLE: Final = (
    "AWS can't be reached. Check the network, the proxy (HTTPS_PROXY), AWS_REGION and "
    "AWS_ENDPOINT_URL."
)
NO_ENDPOINT: Final = (
    "AWS_ENDPOINT_URL must be a URL, as http://127.0.0.1:4566; for AWS itself: unset it."
)
BUSY: Final = "AWS is busy and refused for now. Try again in a minute."

# By the names of botocore's exceptions, so that they need not be imported to be told apart.
_BOTOCORE: Final = {
    "NoCredentialsError": NO_CREDENTIALS,
    "PartialCredentialsError": NO_CREDENTIALS,
    "NoAuthTokenError": NO_CREDENTIALS,
    "CredentialRetrievalError": LOGIN_OVER,
    "SSOTokenLoadError": LOGIN_OVER,
    "UnauthorizedSSOTokenError": LOGIN_OVER,
    "TokenRetrievalError": LOGIN_OVER,
    "RefreshWithMFAUnsupportedError": LOGIN_OVER,
    "NoRegionError": NO_REGION,
    "ProfileNotFound": "There is no such AWS profile. See: aws configure list-profiles",
}
_CODES: Final = {
    "ExpiredToken": LOGIN_OVER,
    "ExpiredTokenException": LOGIN_OVER,
    "UnrecognizedClientException": LOGIN_OVER,
    "InvalidClientTokenId": LOGIN_OVER,
    "InvalidAccessKeyId": LOGIN_OVER,
    "SignatureDoesNotMatch": LOGIN_OVER,
    "InvalidSignatureException": LOGIN_OVER,
    "RequestTimeTooSkewed": CLOCK_OFF,
    "RequestExpired": CLOCK_OFF,
    "Throttling": BUSY,
    "ThrottlingException": BUSY,
    "TooManyUpdates": BUSY,
    "TooManyRequestsException": BUSY,
    "InternalServiceError": BUSY,
    "ServiceUnavailable": BUSY,
}
_DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


class OperatorError(click.ClickException):
    """What an operator asked for can't be done; the text says what is wrong and what to do."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on standard error."""
        click.echo(f"{click.style('roomgate:', fg='red')} {self.message}", file=file, err=True)


def code_of(error: ClientError) -> str:
    """The code by which AWS names an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def explained(error: BaseException) -> str | None:
    """What an error of AWS or of the event table means, and what to do; None for any other."""
    if isinstance(error, StoreUnavailable | HistoryGone):
        return _explained_refusal(error)
    exceptions = sys.modules.get("botocore.exceptions")
    if exceptions is None:
        return None
    if isinstance(error, exceptions.ClientError):
        return _explained_answer(error)
    if not isinstance(error, exceptions.BotoCoreError):
        # The one setting for which botocore has no error of its own.
        return NO_ENDPOINT if str(error).startswith("Invalid endpoint: ") else None
    name = type(error).__name__
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return f"{UNREACHABLE} ({name})"
    return _BOTOCORE.get(name) or f"AWS can't be asked: {error}"


def _explained_refusal(error: StoreUnavailable | HistoryGone) -> str:
    if isinstance(error, HistoryGone):
        return error.detail
    return (error.__cause__ and explained(error.__cause__)) or BUSY


def _explained_answer(error: ClientError) -> str:
    code = code_of(error)
    said = str(error.response.get("Error", {}).get("Message", ""))
    if "Signature expired" in said or "Signature not yet current" in said:
        return CLOCK_OFF
    if code in _CODES:
        return f"{_CODES[code]} ({code})"
    if code in _DENIED:
        return (
            f"AWS does not let you do {error.operation_name}: {said} Ask for the stack's policy "
            "for operators (docs/operations.md, Permissions)."
        )
    return f"AWS refused {error.operation_name}: {code}: {said}"
