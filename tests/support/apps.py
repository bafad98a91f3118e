"""Loading a function's app.py as Lambda does: afresh, with its environment."""

from __future__ import annotations

import importlib.util
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def load_app(function: str) -> ModuleType:
    """A new instance of ``functions/<function>/app.py``; it reads os.environ now."""
    path = ROOT / "functions" / function / "app.py"
    name = f"app_of_{function}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def api_event(
    method: str,
    resource: str,
    *,
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
    path: dict[str, str] | None = None,
    query: dict[str, list[str]] | None = None,
) -> dict[str, Any]:
    """A request as API Gateway's REST API hands it to Lambda (proxy integration, payload 1.0)."""
    encoded = isinstance(body, bytes)
    return {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": resource,
            "requestId": "request-1",
            "stage": "v",
        },
        "httpMethod": method,
        "resource": resource,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "multiValueQueryStringParameters": query,
        "pathParameters": path,
        "stageVariables": None,
        "body": b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": encoded,
    }
