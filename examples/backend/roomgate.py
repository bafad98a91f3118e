"""Roomgate's HTTP API, as far as this backend needs it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.adapters import HTTPAdapter

from .errors import Problem

if TYPE_CHECKING:
    from .settings import Settings

_ATONCE: Final = 32  # Connections that are kept for the next request.
# What concerns the client or passes by itself goes on to the client. Everything else (401, 403,
# 404, 500 …) is between this backend and Roomgate.
_FOR_CLIENTS: Final = frozenset({400, 409, 410, 413, 422, 429, 503, 504})

_log = logging.getLogger(__name__)


class _ApiKey(requests.auth.AuthBase):
    """Sends the API key; a .netrc of the host can't take its place."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request


class Roomgate:
    """Calls Roomgate with the API key; safe to share between threads.

    Args:
        settings: the addresses, the API key and the application.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._auth = _ApiKey(settings.api_key)
        self._http = requests.Session()
        for scheme in ("https://", "http://"):
            self._http.mount(scheme, HTTPAdapter(pool_maxsize=_ATONCE))

    def issue(self, path: str, **request: Any) -> dict[str, Any]:
        """POST a request about this application to the issuer.

        Args:
            path: ``/v1/entries`` and so on.
            request: the body's other members.

        Raises:
            Problem: there is no answer, or no success.
        """
        body = {"sdkAppId": self._settings.sdk_app_id, **request}
        return self._call("POST", self._settings.issuer + path, json=body)

    def roster(self, room_id: int, user_id: str | None = None) -> dict[str, Any]:
        """Who is in a room; nobody where nobody reported from.

        Args:
            room_id: the room.
            user_id: adds the ``playUrl`` that this user's newest list gave the members.

        Raises:
            Problem: there is no answer, or no success.
        """
        path = f"/v1/apps/{self._settings.sdk_app_id}/rooms/{room_id}"
        query = {"for": user_id} if user_id else {}
        return self._call("GET", self._settings.rooms + path, params=query)

    def _call(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            response = self._http.request(
                method,
                url,
                auth=self._auth,
                timeout=self._settings.timeout,
                allow_redirects=False,
                **more,
            )
            answer = response.json()
        except requests.Timeout:
            _log.warning("Roomgate did not answer in time")
            raise Problem(504, "roomgate-timeout", "Roomgate did not answer in time.") from None
        except requests.RequestException as error:  # Not reached, or no JSON.
            _log.warning("Roomgate is not reached: %s", type(error).__name__)
            raise Problem(502, "roomgate-unreachable", "Roomgate is not reached.") from None
        if response.status_code == requests.codes.ok and isinstance(answer, dict):
            return answer
        raise _problem_of(response, answer if isinstance(answer, dict) else {})


def _problem_of(response: requests.Response, answer: dict[str, Any]) -> Problem:
    status, code = response.status_code, str(answer.get("code"))
    _log.warning("Roomgate answered %d %s, request %s", status, code, answer.get("requestId"))
    if status not in _FOR_CLIENTS or "code" not in answer:
        return Problem(502, "roomgate-refused", "Roomgate does not serve this backend.")
    retry_after = response.headers.get("Retry-After")
    return Problem(status, code, str(answer.get("detail", "")), retry_after=retry_after)
