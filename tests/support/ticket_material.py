"""What the tests of tickets share: keys made at run time, and an issuer unlike ours.

The other issuer follows the wire facts with json and zlib as they come, so that its tickets are
what the world's issuers make, and it signs whatever it is told to, which ours refuses to.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.tickets import ECDSA, HMAC, SigningKey, load_key
from tests.support.keys import new_secret, pem_of_new_key

APP = 1400037025
USER = "webrtc98"
ROOM = 1234
NOW = 1_600_000_000
TTL = 300
WHO: dict[str, Any] = {"sdk_app_id": APP, "user_id": USER}
ORDER: dict[str, Any] = {**WHO, "now": NOW, "ttl": TTL}
ROOM_ORDER: dict[str, Any] = {**ORDER, "room": ROOM, "privileges": 255}

KEYS: dict[str, SigningKey] = {
    "P-256": load_key(ECDSA, pem_of_new_key()),
    "secp256k1": load_key(ECDSA, pem_of_new_key(ec.SECP256K1())),
    "HMAC": load_key(HMAC, new_secret()),
}
P256 = KEYS["P-256"]
SECRET = KEYS["HMAC"]

V1 = {
    "TLS.appid_at_3rd": "0",
    "TLS.account_type": "0",
    "TLS.identifier": USER,
    "TLS.sdk_appid": str(APP),
    "TLS.time": str(NOW),
    "TLS.expire_after": str(TTL),
    "TLS.version": "201512300000",
}
V2 = {
    "TLS.ver": "2.0",
    "TLS.identifier": USER,
    "TLS.sdkappid": APP,
    "TLS.expire": TTL,
    "TLS.time": NOW,
}
SIGNED_V1 = (
    "TLS.appid_at_3rd",
    "TLS.account_type",
    "TLS.identifier",
    "TLS.sdk_appid",
    "TLS.time",
    "TLS.expire_after",
    "TLS.userbuf",
)
SIGNED_V2 = ("TLS.identifier", "TLS.sdkappid", "TLS.time", "TLS.expire", "TLS.userbuf")


def b64(data: bytes) -> str:
    """Plain base64."""
    return base64.b64encode(data).decode()


def tencent(data: bytes) -> str:
    """Base64 in Tencent's alphabet."""
    return b64(data).translate(str.maketrans("+/=", "*-_"))


def userbuf(user_id: str = USER, app: int = APP, room: int | str = ROOM, **changed: int) -> str:
    """A userbuf as the wire facts describe it, in base64."""
    fields = {"ends": NOW + TTL, "privileges": 255, "account_type": 0, **changed}
    name = room.encode() if isinstance(room, str) else b""
    number = room if isinstance(room, int) else 0
    head = bytes([1 if name else 0]) + len(user_id).to_bytes(2, "big") + user_id.encode()
    numbers = (app, number, fields["ends"], fields["privileges"], fields["account_type"])
    tail = len(name).to_bytes(2, "big") + name if name else b""
    return b64(head + b"".join(value.to_bytes(4, "big") for value in numbers) + tail)


def content(members: dict[str, Any], names: tuple[str, ...]) -> bytes:
    """What is signed: a line for each member that is there."""
    return "".join(f"{name}:{members[name]}\n" for name in names if name in members).encode()


def signed(key: SigningKey, changed: dict[str, Any] | None = None) -> dict[str, Any]:
    """A ticket's members with some of them changed (None: left out), signed as they then are."""
    members = {**(V1 if key.algorithm == ECDSA else V2), **(changed or {})}
    members = {name: value for name, value in members.items() if value is not None}
    names = SIGNED_V1 if key.algorithm == ECDSA else SIGNED_V2
    return {**members, "TLS.sig": b64(key.sign(content(members, names)))}


def ticket(members: object, level: int = 6) -> str:
    """The envelope around members, or around any text or bytes."""
    text = members if isinstance(members, str | bytes) else json.dumps(members, indent=1)
    raw = text.encode() if isinstance(text, str) else text
    return tencent(zlib.compress(raw, level))


def foreign(key: SigningKey, level: int = 6, **changed: object) -> str:
    """A ticket of another issuer; members are named without ``TLS.``."""
    return ticket(signed(key, {f"TLS.{name}": value for name, value in changed.items()}), level)
