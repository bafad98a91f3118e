"""Signed requests as relays and Tencent send them."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
from typing import Any, Final

from standardwebhooks import Webhook

from chalicelib.auth.relay import SECRET_BYTES, secret_of

OLD, NEW, OTHER = (secret_of(bytes([n]) * SECRET_BYTES) for n in (1, 2, 3))

# Tencent's published example (TRTC, "Verify Signature Example"): key, body, and the Sign of both.
KNOWN_KEY: Final = "123654"
KNOWN_BODY: Final = (
    b'{\n\t"EventGroupId":\t2,\n\t"EventType":\t204,\n\t"CallbackTs":\t1664209748188,\n'
    b'\t"EventInfo":\t{\n\t\t"RoomId":\t8489,\n\t\t"EventTs":\t1664209748,\n'
    b'\t\t"EventMsTs":\t1664209748180,\n\t\t"UserId":\t"user_85034614",\n\t\t"Reason":\t0\n\t}\n}'
)
KNOWN_SIGN: Final = "kkoFeO3Oh2ZHnjtg8tEAQhtXK16/KI05W3BQff8IvGA="


def relay_headers(
    raw: bytes, secret: str = NEW, *, now: float | None = None, message: str = "msg_1"
) -> dict[str, str]:
    """The headers with which a relay signs a body; ``now`` is unix time in seconds."""
    at = dt.datetime.now(dt.UTC) if now is None else dt.datetime.fromtimestamp(now, dt.UTC)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, at, raw.decode()),
    }


def sign(key: str, raw: bytes) -> str:
    """Tencent's Sign."""
    return base64.b64encode(hmac.digest(key.encode(), raw, "sha256")).decode()


def callback_body(now_ms: int, event_type: int = 103, **info: Any) -> bytes:
    """A callback of the room's group, of a moment ago."""
    at = {"EventTs": now_ms // 1000, "EventMsTs": now_ms - 200, "Reason": 1}
    body = {"EventGroupId": 1, "EventType": event_type, "CallbackTs": now_ms - 100}
    return json.dumps({**body, "EventInfo": {**at, **info}}).encode()
