"""The API document (OpenAPI 3.1), made from the routes that the function serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.api.problems import MEDIA_TYPE, PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.api.gate import Route

API_VERSION = "1"

BODY_PROBLEMS = ("malformed-json", "invalid-request", "body-too-large", "unsupported-media-type")
COMMON_PROBLEMS = ("rate-limited", "internal-error")

SCHEMES: dict[str, dict[str, Any]] = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key: rg_<id>_<random>."},
    "reportToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The report token of an entry.",
    },
    "relaySignature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks, by one of the relay's secrets.",
    },
    "callbackSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Sign",
        "description": "base64(HMAC-SHA256(key, body)), by a callback key of the application.",
    },
}


def document(title: str, routes: Iterable[Route[Any, Any]]) -> dict[str, Any]:
    """The OpenAPI document of one function.

    Args:
        title: the function's name.
        routes: what its gate serves.
    """
    paths: dict[str, dict[str, Any]] = {}
    schemes = set()
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
        schemes.add(route.scheme)
    components: dict[str, Any] = {"schemas": {"Problem": PROBLEM}}
    used = {name: scheme for name, scheme in SCHEMES.items() if name in schemes}
    if used:
        components["securitySchemes"] = used
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Roomgate {title}", "version": API_VERSION, "license": LICENSE},
        "paths": paths,
        "components": components,
    }


LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem details (RFC 9457)",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": list(PROBLEMS)},
        "detail": {"type": "string"},
        "requestId": {"type": ["string", "null"]},
        "tencentCode": {
            "type": "integer",
            "description": "of roomsig-refused: the code with which Tencent refused",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "parameter": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["detail"],
            },
        },
    },
    "required": ["type", "title", "status", "code", "detail", "requestId"],
}

IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETags of answers that the caller has kept",
    "schema": {"type": "string"},
}
ETAG: dict[str, Any] = {
    "ETag": {"description": "names this answer", "required": True, "schema": {"type": "string"}}
}


def _operation(route: Route[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": route.summary, "responses": _responses(route)}
    if route.body:
        content = {"application/json": {"schema": route.body.json_schema()}}
        operation["requestBody"] = {"required": True, "content": content}
    if route.scheme:
        operation["security"] = [{route.scheme: []}]
    parameters = [*route.parameters, *([IF_NONE_MATCH] if route.tagged else [])]
    if parameters:
        operation["parameters"] = parameters
    return operation


def _responses(route: Route[Any, Any]) -> dict[str, Any]:
    schema = route.answer.json_schema() if route.answer else {"type": "object"}
    ok: dict[str, Any] = {
        "description": "Done",
        "content": {"application/json": {"schema": schema}},
    }
    codes = (*route.problems, *(BODY_PROBLEMS if route.body else ()), *COMMON_PROBLEMS)
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code][0], []).append(code)
    done = {"200": ok}
    if route.tagged:
        ok["headers"] = ETAG
        done["304"] = {"description": "The caller has it as it is", "headers": ETAG}
    problems = {str(status): _problem(by_status[status]) for status in sorted(by_status)}
    return done | problems


def _problem(codes: list[str]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": ", ".join(codes), "content": {MEDIA_TYPE: {"schema": schema}}}
