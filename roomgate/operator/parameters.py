"""The stack's parameters in SSM, read and written for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from roomgate.operator.errors import OperatorError, code_of

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class Parameters:
    """Parameters by name.

    Args:
        client: of SSM.
    """

    def __init__(self, client: SSMClient) -> None:
        self._client = client

    def get(self, name: str) -> str | None:
        """A parameter's value, or None."""
        try:
            return self._client.get_parameter(Name=name)["Parameter"]["Value"]
        except self._client.exceptions.ParameterNotFound:
            return None

    def under(self, path: str) -> dict[str, str]:
        """All parameters directly under a path: value by the last part of the name, sorted."""
        pages = self._client.get_paginator("get_parameters_by_path").paginate(Path=path)
        found = [parameter for page in pages for parameter in page["Parameters"]]
        return {
            name.rpartition("/")[2]: value
            for name, value in sorted((each["Name"], each["Value"]) for each in found)
        }

    def add(self, name: str, value: str, taken: str) -> None:
        """Write a new parameter; raises OperatorError ``taken`` where there is one."""
        try:
            self._client.put_parameter(Name=name, Value=value, Type="String")
        except ClientError as error:
            if code_of(error) == "ParameterAlreadyExists":
                raise OperatorError(taken) from None
            raise

    def put(self, name: str, value: str) -> None:
        """Write a parameter over the one there is."""
        self._client.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def delete(self, name: str) -> None:
        """Delete a parameter."""
        self._client.delete_parameter(Name=name)
