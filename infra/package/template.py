"""What ``chalice package`` lays over its own template, and what a template says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from infra.deploy.alarms import alarms
from infra.deploy.gateway import gateway_responses
from infra.layout import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.layout import Function
    from infra.package.target import Target


def merge_document(function: Function, target: Target) -> dict[str, Any]:
    """All that Chalice cannot say: https.json, the function's own file, the target's choices."""
    shared = json.loads((TEMPLATES / "https.json").read_text()) if function.http else {}
    own = json.loads((TEMPLATES / f"{function.name}.json").read_text())
    merged: dict[str, Any] = deep_merge(deep_merge(shared, own), _decided(function, target))
    return dict(deep_merge(merged, alarms(function, merged["Resources"])))


def deep_merge(base: Any, over: Any) -> Any:
    """Merge as Chalice does: objects member by member, anything else is replaced by ``over``."""
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: deep_merge(base.get(key), value) for key, value in over.items()}
    return over


def environment(
    template: Mapping[str, Any], conditions: Mapping[str, bool], handler: str = "APIHandler"
) -> dict[str, str]:
    """The environment that a template gives its function.

    Args:
        template: a packaged template. A parameter without a default gets a made-up value.
        conditions: how the template's conditions turn out.
        handler: which Lambda of the template.
    """
    defaults = {name: each.get("Default", "x") for name, each in template["Parameters"].items()}
    properties = template["Resources"][handler]["Properties"]
    variables = properties["Environment"]["Variables"]
    values = {name: _value(value, conditions, defaults) for name, value in variables.items()}
    return {name: value for name, value in values.items() if value is not None}


def _value(value: Any, conditions: Mapping[str, bool], parameters: Mapping[str, Any]) -> str | None:
    if isinstance(value, str):
        return value
    if "Fn::If" in value:
        condition, then, otherwise = value["Fn::If"]
        return _value(then if conditions[condition] else otherwise, conditions, parameters)
    if value == {"Ref": "AWS::NoValue"}:
        return None
    return str(parameters[value["Ref"]])


def _decided(function: Function, target: Target) -> dict[str, Any]:
    decided: dict[str, Any] = {"Resources": {}}
    for handler in function.handlers:
        first = handler == function.handlers[0]
        own = "" if first else handler
        name = function.name if first else f"{function.name}-{handler.lower()}"
        decided["Resources"] |= {
            handler: {
                "Properties": {
                    "FunctionName": {"Fn::Sub": f"${{Stack}}-{name}"},
                    "Runtime": target.runtime,
                    "Architectures": [target.architecture],
                }
            },
            f"{own}LogGroup": {"Properties": {"LogGroupName": {"Fn::Sub": f"/${{Stack}}/{name}"}}},
            f"{own}Role": {
                "Properties": {"RoleName": {"Fn::Sub": f"${{Stack}}-{name}-${{AWS::Region}}"}}
            },
        }
    if not function.http:
        return decided
    return dict(deep_merge(decided, _api_decided(function.name)))


def _api_decided(name: str) -> dict[str, Any]:
    domain_url = {"Fn::Sub": f"https://${{DomainName}}/{name}"}
    gateway_url = {"Fn::Sub": "https://${RestAPI}.execute-api.${AWS::Region}.${AWS::URLSuffix}/api"}
    # The gateway's metrics go by the API's name: two installations in one account must differ.
    api_name = {"Fn::Sub": f"${{Stack}}-{name}"}
    definition = {
        "info": {"title": api_name},
        "x-amazon-apigateway-gateway-responses": gateway_responses(cross_origin=name == "webhook"),
    }
    return {
        "Resources": {
            "RestAPI": {"Properties": {"Name": api_name, "DefinitionBody": definition}},
            "BasePath": {"Properties": {"BasePath": name}},
        },
        "Outputs": {"Url": {"Value": {"Fn::If": ["HasDomain", domain_url, gateway_url]}}},
    }
