"""What API Gateway itself answers (unknown paths, throttling, …), as problems like Roomgate's own.

The answers go into the API's definition, so that its deployment carries them: as resources of their
own they would wait for the next deployment (API Gateway docs, "Set up gateway responses").
"""

from __future__ import annotations

import json
from typing import Any, Final

from chalicelib.api.problems import MEDIA_TYPE, problem_body

_NOWHERE = "The API has no such path and method."
_REFUSED = "The gateway refused the request."
_FAILED = "The request did not get through; trying again may help."

# Response type: (our code, detail). None of our routes has an authorizer of the gateway, so its
# complaints about signatures (DEFAULT_4XX among them) are about an Authorization header on a path
# that does not exist.
_ANSWERS: Final[dict[str, tuple[str, str]]] = {
    "MISSING_AUTHENTICATION_TOKEN": ("not-found", _NOWHERE),
    "RESOURCE_NOT_FOUND": ("not-found", _NOWHERE),
    "INVALID_SIGNATURE": ("not-found", _NOWHERE),
    "EXPIRED_TOKEN": ("not-found", _NOWHERE),
    "DEFAULT_4XX": ("not-found", _NOWHERE),
    "REQUEST_TOO_LARGE": ("body-too-large", "The gateway takes at most 10 MB."),
    "UNSUPPORTED_MEDIA_TYPE": ("unsupported-media-type", "Send Content-Type: application/json."),
    "BAD_REQUEST_BODY": ("invalid-request", "The gateway cannot read the body."),
    "BAD_REQUEST_PARAMETERS": ("invalid-request", "The gateway cannot read the parameters."),
    "THROTTLED": ("rate-limited", "The gateway's limit is reached; try again in a second."),
    "QUOTA_EXCEEDED": ("rate-limited", "The gateway's quota is used up; try again later."),
    "UNAUTHORIZED": ("api-key-invalid", _REFUSED),
    "INVALID_API_KEY": ("api-key-invalid", _REFUSED),
    "ACCESS_DENIED": ("action-not-allowed", _REFUSED),
    "WAF_FILTERED": ("action-not-allowed", _REFUSED),
    "INTEGRATION_FAILURE": ("internal-error", _FAILED),
    "INTEGRATION_TIMEOUT": ("internal-error", _FAILED),
    "API_CONFIGURATION_ERROR": ("internal-error", _FAILED),
    "AUTHORIZER_FAILURE": ("internal-error", _FAILED),
    "AUTHORIZER_CONFIGURATION_ERROR": ("internal-error", _FAILED),
    "DEFAULT_5XX": ("internal-error", _FAILED),
}


_ORIGIN_HEADER: Final = "gatewayresponse.header.Access-Control-Allow-Origin"
_ITS_ORIGIN: Final = "method.request.header.Origin"


def gateway_responses(*, cross_origin: bool = False) -> dict[str, Any]:
    """The OpenAPI extension ``x-amazon-apigateway-gateway-responses``.

    Args:
        cross_origin: pages of other origins may read these answers, where the template's condition
            CrossOrigin holds. The gateway can compare nothing, so any origin may: they are fixed
            texts (API Gateway docs, "Gateway response header parameters").
    """
    responses = {kind: _response(*answer) for kind, answer in _ANSWERS.items()}
    if cross_origin:
        header = {"Fn::If": ["CrossOrigin", _ITS_ORIGIN, {"Ref": "AWS::NoValue"}]}
        for response in responses.values():
            response["responseParameters"][_ORIGIN_HEADER] = header
    return responses


def _response(code: str, detail: str) -> dict[str, Any]:
    body = problem_body(code, detail, "$context.requestId")
    headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
    if code == "rate-limited":
        headers["Retry-After"] = "1"
    return {
        "statusCode": str(body["status"]),
        "responseParameters": {
            f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()
        },
        "responseTemplates": {"application/json": json.dumps(body)},
    }
