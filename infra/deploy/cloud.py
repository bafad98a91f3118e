"""One account and region to deploy to: AWS as the environment says, or the local AWS."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient


class Cloud:
    """Clients of one account and region.

    Args:
        session: of boto3.
        endpoint: of the local AWS, or None for AWS.
        secrets_endpoint: of the local AWS's Secrets Manager, which is one of its own.

    Attributes:
        session: of boto3.
        endpoint: likewise.
    """

    def __init__(
        self, session: Session, endpoint: str | None = None, secrets_endpoint: str | None = None
    ) -> None:
        self.session = session
        self.endpoint = endpoint
        self._secrets_endpoint = secrets_endpoint or endpoint

    @property
    def local(self) -> bool:
        """Whether this is the local AWS."""
        return self.endpoint is not None

    @cached_property
    def apigateway(self) -> APIGatewayClient:
        """API Gateway (REST APIs)."""
        return self.session.client("apigateway", endpoint_url=self.endpoint)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """CloudFormation."""
        return self.session.client("cloudformation", endpoint_url=self.endpoint)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""
        return self.session.client("dynamodb", endpoint_url=self.endpoint)

    @cached_property
    def iam(self) -> Any:
        """IAM; its types are not installed for the sake of one call."""
        return self.session.client("iam", endpoint_url=self.endpoint)

    @cached_property
    def s3(self) -> S3Client:
        """S3."""
        return self.session.client("s3", endpoint_url=self.endpoint)

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        """Secrets Manager."""
        return self.session.client("secretsmanager", endpoint_url=self._secrets_endpoint)

    @cached_property
    def ssm(self) -> SSMClient:
        """SSM, for parameters."""
        return self.session.client("ssm", endpoint_url=self.endpoint)

    @cached_property
    def sts(self) -> STSClient:
        """STS."""
        return self.session.client("sts", endpoint_url=self.endpoint)


def aws() -> Cloud:
    """AWS, or whatever the usual AWS environment and profile name."""
    # boto3 knows AWS_DEFAULT_REGION alone; AWS's other tools know both, and prefer this one.
    return Cloud(boto3.session.Session(region_name=os.environ.get("AWS_REGION") or None))
