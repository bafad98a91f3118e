"""What the local AWS's API Gateway does not do by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from infra.deploy.gateway import gateway_responses

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigateway.literals import GatewayResponseTypeType


def put_gateway_responses(client: APIGatewayClient, api: str) -> None:
    """Give a REST API its gateway responses.

    Unlike AWS, ministack does not read them from the API's definition.
    """
    for kind, response in gateway_responses().items():
        named = cast("GatewayResponseTypeType", kind)
        client.put_gateway_response(restApiId=api, responseType=named, **response)
    client.create_deployment(restApiId=api, stageName="api")
