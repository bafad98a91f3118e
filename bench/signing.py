"""Tickets against a bare signature and a bare verification with the same key."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.material import NOW, ROOM, SDK_APP_ID, TTL, USER_ID
from bench.rounds import figure, take_turns
from chalicelib.tickets import (
    issue_private_map_key,
    issue_user_sig,
    load_key,
    verify_private_map_key,
    verify_user_sig,
)
from chalicelib.trtc import ALL
from chalicelib.trtc.identifiers import parse_room

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.figures import Figure
    from bench.material import Material
    from chalicelib.tickets import SigningKey

ROUNDS: Final = 151
SIGN: Final = "bare private_key.sign, P-256"
VERIFY: Final = "bare public_key.verify, P-256"
_CONTENT: Final = b"TLS.name:value of a ticket's signed content..\n" * 3  # As long as a userSig's.
# Ours: what is measured -> (its peer, its bound).
_COMPARED: Final[dict[str, tuple[str, float | None]]] = {
    "userSig, ECDSA P-256": (SIGN, 1.9),
    "privateMapKey, ECDSA P-256": (SIGN, 2.1),
    "userSig, HMAC": (SIGN, None),
    "privateMapKey, HMAC": (SIGN, None),
    "verify userSig, P-256": (VERIFY, 1.4),
    "verify privateMapKey, P-256": (VERIFY, 1.4),
}


def bare_sign(material: Material) -> Callable[[], bytes]:
    """A bare signature, as cheap as the library makes it."""
    sign, algorithm = material.private.sign, ec.ECDSA(hashes.SHA256())
    return lambda: sign(_CONTENT, algorithm)


def signing_figures(material: Material) -> list[Figure]:
    """Issuing and verifying, one figure each."""
    key = load_key("ECDSA-SHA256", material.pem)
    secret = load_key("HMAC-SHA256", secrets.token_hex(32))
    subjects = {
        SIGN: bare_sign(material),
        VERIFY: _bare_verify(material),
        "userSig, ECDSA P-256": lambda: _user_sig(key),
        "privateMapKey, ECDSA P-256": lambda: _private_map_key(key),
        "userSig, HMAC": lambda: _user_sig(secret),
        "privateMapKey, HMAC": lambda: _private_map_key(secret),
        "verify userSig, P-256": _verify_user_sig(key),
        "verify privateMapKey, P-256": _verify_private_map_key(key),
    }
    series = take_turns(subjects, ROUNDS)
    return [figure(series, what, peer, bound) for what, (peer, bound) in _COMPARED.items()]


def _bare_verify(material: Material) -> Callable[[], None]:
    verify, algorithm = material.private.public_key().verify, ec.ECDSA(hashes.SHA256())
    signature = bare_sign(material)()
    return lambda: verify(signature, _CONTENT, algorithm)


def _user_sig(key: SigningKey) -> str:
    return issue_user_sig(key, sdk_app_id=SDK_APP_ID, user_id=USER_ID, now=NOW, ttl=TTL)


def _private_map_key(key: SigningKey) -> str:
    return issue_private_map_key(
        key,
        sdk_app_id=SDK_APP_ID,
        user_id=USER_ID,
        room=parse_room(ROOM),
        privileges=ALL,
        now=NOW,
        ttl=TTL,
    )


def _verify_user_sig(key: SigningKey) -> Callable[[], object]:
    ticket, keys = _user_sig(key), (key,)
    return lambda: verify_user_sig(
        ticket, keys, sdk_app_id=SDK_APP_ID, user_id=USER_ID, now=NOW + 1
    )


def _verify_private_map_key(key: SigningKey) -> Callable[[], object]:
    ticket, keys = _private_map_key(key), (key,)
    return lambda: verify_private_map_key(
        ticket, keys, sdk_app_id=SDK_APP_ID, user_id=USER_ID, room=parse_room(ROOM), now=NOW + 1
    )
