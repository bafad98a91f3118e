"""Who a client is: WeChat's login, and the session that the client carries afterwards."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import re
from typing import TYPE_CHECKING, Any, Final

import requests

from .errors import Problem

if TYPE_CHECKING:
    from .settings import Settings

SESSION_SECONDS: Final = 8 * 3600
_REFUSED: Final = frozenset({40029, 40163, 40226})  # WeChat: code invalid, used, user blocked.

is_user_id = re.compile(r"[A-Za-z0-9_-]{1,32}").fullmatch
"""Whether a text can be a userid of TRTC; an openid can."""

_log = logging.getLogger(__name__)
# At DEBUG it prints URLs, and the one that WeChat asks for holds the AppSecret.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


def openid_of(code: str, settings: Settings) -> str:
    """Ask WeChat (``code2session``) whose login code this is.

    WeChat's answer holds the session_key too. It is dropped here: nobody needs it to enter a room.

    Args:
        code: what ``wx.login`` gave the mini-program; good for one use within five minutes.
        settings: the mini-program's AppID and AppSecret.

    Raises:
        Problem: WeChat refuses the code or does not answer.
    """
    query = {
        "appid": settings.wechat_app_id,
        "secret": settings.wechat_app_secret,
        "js_code": code,
        "grant_type": "authorization_code",
    }
    url = f"{settings.wechat_api}/sns/jscode2session"
    try:
        response = requests.get(url, params=query, timeout=settings.timeout, allow_redirects=False)
        answer = response.json()
    except requests.RequestException as error:  # Its text would show the URL.
        _log.warning("WeChat's login is not reached: %s", type(error).__name__)
        raise Problem(502, "wechat-unreachable", "WeChat's login is not reached.") from None
    fields = answer if isinstance(answer, dict) else {}
    openid = fields.get("openid")
    if isinstance(openid, str) and is_user_id(openid):
        return openid
    _log.warning("code2session answered errcode %r", fields.get("errcode"))
    if fields.get("errcode") in _REFUSED:
        raise Problem(401, "login-refused", "WeChat refuses this login; call wx.login again.")
    raise Problem(502, "wechat-failed", "WeChat's login answered no openid.")


def new_session(user_id: str, settings: Settings, now: float) -> dict[str, Any]:
    """A session: the token that the client sends as ``Authorization: Bearer``, and its end."""
    expires_at = int(now) + SESSION_SECONDS
    payload = _encode(json.dumps({"user": user_id, "exp": expires_at}).encode())
    token = f"{payload}.{_signature(payload, settings)}"
    return {"userId": user_id, "token": token, "expiresAt": expires_at}


def user_of(authorization: str, settings: Settings, now: float) -> str:
    """The user whose session a request carries.

    Args:
        authorization: the header.
        settings: with which key it was signed.
        now: unix time in seconds.

    Raises:
        Problem: there is no session, it is not ours, or it is over.
    """
    scheme, _, token = authorization.partition(" ")
    payload, _, signature = token.strip().partition(".")
    genuine = hmac.compare_digest(signature.encode(), _signature(payload, settings).encode())
    if scheme.lower() != "bearer" or not genuine:
        raise Problem(401, "login-needed", "Log in first: POST /login.")
    fields = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if fields["exp"] <= now:
        raise Problem(401, "login-expired", "The session is over; log in again.")
    user_id: str = fields["user"]
    return user_id


def _signature(payload: str, settings: Settings) -> str:
    return _encode(hmac.digest(settings.session_secret, b"session." + payload.encode(), "sha256"))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
