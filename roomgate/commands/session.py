"""What every command needs: the stack, how to answer, and clients of AWS, made when first used."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from chalicelib.stores.names import Names

if TYPE_CHECKING:
    from boto3.session import Session as BotoSession
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

    from roomgate.commands.output import Output

DEFAULT_STACK: Final = "roomgate"
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 20
_ATTEMPTS: Final = 3


class Session:
    """One run of the command line.

    Args:
        stack: the stack's name.
        output: how it answers.
        boto: a session of boto3, or None to make one as the usual AWS settings say.

    Attributes:
        stack: likewise.
        output: likewise.
        names: what things are called in the stack's stores.
    """

    def __init__(self, stack: str, output: Output, boto: BotoSession | None = None) -> None:
        self.stack = stack
        self.output = output
        self.names = Names(stack)
        self._boto = boto

    @cached_property
    def boto(self) -> BotoSession:
        """The account and region that the usual AWS settings name."""
        # Here and not above: --help and what works offline need not pay 0.3 s for it.
        from boto3.session import Session as BotoSession  # noqa: PLC0415

        return self._boto or BotoSession()

    @cached_property
    def ssm(self) -> SSMClient:
        """SSM, for settings and callers."""
        return self.boto.client("ssm", config=self._config)

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        """Secrets Manager, for keys."""
        return self.boto.client("secretsmanager", config=self._config)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """CloudFormation, for what is deployed."""
        return self.boto.client("cloudformation", config=self._config)

    @cached_property
    def awslambda(self) -> LambdaClient:
        """Lambda, for what rotates."""
        return self.boto.client("lambda", config=self._config)

    @cached_property
    def s3(self) -> S3Client:
        """S3, for the lake."""
        return self.boto.client("s3", config=self._config)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB, for the event table."""
        return self.boto.client("dynamodb", config=self._config)

    @cached_property
    def sts(self) -> STSClient:
        """STS, for who is asking."""
        return self.boto.client("sts", config=self._config)

    @cached_property
    def _config(self) -> Any:
        from botocore.config import Config  # noqa: PLC0415 (as boto3 above)

        return Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
            user_agent_extra="roomgate-cli",
        )
