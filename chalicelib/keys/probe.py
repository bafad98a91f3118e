"""The live probe: whether Tencent takes a ticket of the candidate, before a rotation to it.

It is asked by rotation's own schedule, never on a caller's path. Imported there only: it needs
requests, which takes 0.1 s to import.
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import requests

from chalicelib.tickets import issue_user_sig
from chalicelib.trtc.js import js_encode

if TYPE_CHECKING:
    from chalicelib.stores.settings import Probe
    from chalicelib.tickets import SigningKey

TIMEOUT_SECONDS: Final = (3.0, 5.0)  # to connect, and between two bytes
TICKET_SECONDS: Final = 300
_MOST_BYTES: Final = 64 * 1024
_MOST_RANDOM: Final = 2**32


class Verdict(NamedTuple):
    """What the probe says.

    Attributes:
        accepted: whether the ticket was accepted.
        said: the ErrorCode, or what came instead of one; never holds the ticket.
    """

    accepted: bool
    said: str


class NoVerdict(ValueError):
    """The answer is none that a probe can read; the text says what came."""


def ask(probe: Probe, key: SigningKey, sdk_app_id: int, now: int) -> Verdict:
    """Present a ticket of the probe's user, made with a key.

    Args:
        probe: whom to ask.
        key: the candidate.
        sdk_app_id: the application.
        now: unix time in seconds.
    """
    ticket = issue_user_sig(
        key, sdk_app_id=sdk_app_id, user_id=probe.user_id, now=now, ttl=TICKET_SECONDS
    )
    values = {
        "{sdkAppId}": str(sdk_app_id),
        "{userId}": probe.user_id,
        "{userSig}": ticket,
        "{random}": str(secrets.randbelow(_MOST_RANDOM)),
    }
    url = probe.url
    for placeholder, value in values.items():
        url = url.replace(placeholder, js_encode(value))
    try:
        code = _error_code(url)
    except NoVerdict as error:
        return Verdict(accepted=False, said=str(error))
    except (requests.RequestException, OSError, ValueError) as error:
        # Its text would hold the URL, and so the ticket.
        return Verdict(accepted=False, said=type(error).__name__)
    return Verdict(code in probe.accepted, f"ErrorCode {code}")


def _error_code(url: str) -> int:
    """Tencent's REST API answers every request with 200 and an ErrorCode; raises ValueError."""
    with requests.Session() as session:
        session.trust_env = False  # No proxy and no .netrc of whoever runs this sees a ticket.
        # A redirect would hand the ticket to a host that nobody configured.
        asked = session.post(
            url, json={}, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
        )
        with asked as response:
            if response.status_code != requests.codes.ok:
                raise NoVerdict(f"HTTP {response.status_code}")
            return _code_in(json.loads(response.raw.read(_MOST_BYTES, decode_content=True)))


def _code_in(answer: Any) -> int:
    code = answer.get("ErrorCode") if isinstance(answer, dict) else None
    if type(code) is not int:
        raise NoVerdict("an answer without ErrorCode")
    return code
