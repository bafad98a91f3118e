"""What is deployed: the stacks of one installation, and the URLs of its functions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from chalicelib.stores.cache import REFRESH_SECONDS, WAIT_SECONDS
from roomgate.operator.api import URL_VARIABLE
from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    from roomgate.commands.session import Session

STACKS: Final = ("shared", "lake", "webhook", "rooms", "issuer", "keeper", "exporter", "rotation")
HTTPS: Final = ("issuer", "webhook", "rooms")


class Stack(NamedTuple):
    """One CloudFormation stack.

    Attributes:
        status: as CloudFormation says.
        outputs: by name.
        parameters: likewise.
    """

    status: str
    outputs: dict[str, str]
    parameters: dict[str, str]


def stack_of(session: Session, part: str) -> Stack | None:
    """A stack of the installation, or None where there is none."""
    name = f"{session.stack}-{part}"
    client = session.cloudformation
    try:
        (found,) = client.describe_stacks(StackName=name)["Stacks"]
    except client.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
    parameters = {
        each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])
    }
    return Stack(found["StackStatus"], outputs, parameters)


def follows_within(session: Session) -> float:
    """Seconds within which the functions follow a change: a refresh of theirs, and the wait for it.

    The refresh is the issuer's, as it was deployed; the default where the stack can't be read: what
    an operator has just done must not look undone for that.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (only needed here)

    try:
        stack = stack_of(session, "issuer")
    except (BotoCoreError, ClientError):
        stack = None
    told = stack.parameters.get("RefreshSeconds") if stack else None
    return float(told or REFRESH_SECONDS) + WAIT_SECONDS


def url_of(session: Session, outputs: dict[str, str]) -> str | None:
    """A function's base URL from its stack's outputs, on AWS or on the local AWS."""
    endpoint = session.cloudformation.meta.endpoint_url
    if ".amazonaws." not in endpoint and "RestAPIId" in outputs:
        return f"{endpoint}/restapis/{outputs['RestAPIId']}/api/_user_request_"
    return outputs.get("Url")


def issuer_url(session: Session, given: str | None) -> str:
    """The issuer's base URL: as given, from the environment, or from the deployed stack.

    Raises:
        OperatorError: there is none.
    """
    known = given or os.environ.get(URL_VARIABLE)
    if known:
        return known
    stack = stack_of(session, "issuer")
    url = url_of(session, stack.outputs) if stack else None
    if url is None:
        raise OperatorError(
            f"There is no issuer in stack {session.stack}. Name it (--api URL, or {URL_VARIABLE}), "
            "deploy it (make deploy), or work offline with --key-file."
        )
    return url
