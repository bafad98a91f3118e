"""The deployed functions, asked over HTTPS as a backend asks them.

Only Roomgate's own routes can be asked, each by its name here: this is no way to send a roomsig
request, which only a user's own client may send.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import click

from roomgate.operator.errors import OperatorError

if TYPE_CHECKING:
    import requests

Route = Literal["/v1/entries", "/v1/user-sigs", "/v1/inspections", "/readyz"]

API_KEY_VARIABLE: Final = "ROOMGATE_API_KEY"
URL_VARIABLE: Final = "ROOMGATE_ISSUER_URL"
_SECONDS: Final = 20.0
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_OK: Final = 200
# What helps against a problem of the API, by its code.
_ADVICE: Final = {
    "api-key-missing": f"Set {API_KEY_VARIABLE}.",
    "api-key-invalid": "Is it this stack's, and not revoked? See: roomgate callers list",
    "api-key-ended": "Make a new caller: roomgate callers add",
    "action-not-allowed": "Make a caller that may: roomgate callers add --action …",
    "application-not-allowed": "Make a caller that may: roomgate callers add --application …",
    "unknown-application": "Set it up: roomgate apps add",
    "no-signing-key": "See: roomgate keys status",
    "store-unavailable": "Try again; see: roomgate doctor",
}


class Api:
    """One function's routes.

    Args:
        url: base URL of the function, https but on loopback.
        api_key: of the caller, or empty for routes that need none.

    Raises:
        OperatorError: the URL can't be used.
    """

    def __init__(self, url: str, api_key: str = "") -> None:
        self._url = _checked(url)
        self._api_key = api_key

    def __repr__(self) -> str:
        return f"Api({self._url!r})"

    def post(self, route: Route, body: dict[str, Any]) -> dict[str, Any]:
        """Ask a route.

        Raises:
            OperatorError: it can't be reached, or answers with a problem.
        """
        response = self._send("POST", route, body)
        answer = _json_of(response)
        if response.status_code != _OK or answer is None:
            raise _problem(response, answer)
        return answer

    def ready(self) -> tuple[int, Any]:
        """Status and JSON (or None) of /readyz; raises OperatorError where it can't be reached."""
        response = self._send("GET", "/readyz", None)
        return response.status_code, _json_of(response)

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # As a function and not as a header, which requests would replace by what ~/.netrc says.
        if self._api_key:
            request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request

    def _send(self, method: str, route: Route, body: dict[str, Any] | None) -> requests.Response:
        import requests  # noqa: PLC0415 (0.1 s, which --help and what works offline need not pay)

        try:
            with requests.Session() as client:
                # No proxy can reach this host's loopback.
                client.trust_env = urlsplit(self._url).hostname not in _LOOPBACK
                # No redirects: the API has none, and an API key is nobody else's business.
                return client.request(
                    method,
                    self._url + route,
                    json=body,
                    auth=self._authorize,
                    timeout=_SECONDS,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise OperatorError(
                f"{self._url} can't be reached ({type(error).__name__}). Check the URL, the "
                "network and the proxy (HTTPS_PROXY)."
            ) from None


def api_key(*, from_stdin: bool) -> str:
    """The API key from the environment or standard input; raises OperatorError."""
    if from_stdin:
        if sys.stdin.isatty():
            return str(click.prompt("API key", hide_input=True, err=True)).strip()
        given = sys.stdin.readline().strip()
    else:
        given = os.environ.get(API_KEY_VARIABLE, "").strip()
    if not given:
        raise OperatorError(
            f"There is no API key. Set {API_KEY_VARIABLE}, or give it on standard input with "
            "--api-key-stdin. To make one: roomgate callers add. To work offline: --key-file."
        )
    return given


def _checked(url: str) -> str:
    parts = urlsplit(url)
    local = parts.hostname in _LOOPBACK and parts.scheme == "http"
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise OperatorError(
            "The issuer's URL must look like https://rooms.example.com/issuer (see the output Url "
            "of the stack's issuer)."
        )
    if parts.scheme != "https" and not local:
        raise OperatorError("The issuer's URL must begin with https://: an API key goes there.")
    return url.rstrip("/")


def _json_of(response: requests.Response) -> dict[str, Any] | None:
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _problem(response: requests.Response, answer: dict[str, Any] | None) -> OperatorError:
    code = str((answer or {}).get("code", ""))
    if answer is None or not code:
        return OperatorError(
            f"The answer was {response.status_code}, and not Roomgate's. Is the URL that of the "
            "issuer (its base, without /v1)?"
        )
    said = [str(answer.get("detail", ""))]
    for each in answer.get("errors", []):
        # A single one says what the whole says.
        detail = str(each.get("detail", ""))
        if detail != said[0]:
            said.append(f"{each.get('pointer', '')} {detail.rstrip('.')}.")
    advice = _ADVICE.get(code, "")
    request = f"(request {answer.get('requestId', 'unknown')})"
    text = " ".join([*said, advice, request] if advice else [*said, request])
    return OperatorError(f"The issuer refused, {response.status_code} {code}: {text}")
