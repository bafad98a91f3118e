"""Tickets: issue, verify and explain userSig and privateMapKey.

`chalicelib.tickets.errors` draws the tree of exceptions; all of them are exported here. The package
is pure: clock, keys and expectations are arguments. Only OpenSSL's ECDSA nonce is random.
"""

from chalicelib.tickets.codec import Codec, SigningKey, VerifyingKey
from chalicelib.tickets.codecs import CODECS, load_key
from chalicelib.tickets.ecdsa_sha256 import EcdsaKey, EcdsaPublicKey, load_public_key
from chalicelib.tickets.errors import (
    BadBase64,
    BadDeflate,
    BadJson,
    BadKey,
    BadMember,
    BadSignature,
    EmptyTicket,
    Expired,
    InconsistentUserbuf,
    LacksEnter,
    MalformedTicket,
    Mismatch,
    NoKey,
    NotYetValid,
    OversizedTicket,
    StringRoomNeedsHmac,
    TicketError,
    TicketRefused,
    Unsignable,
    WrongAlgorithm,
    WrongAlphabet,
    WrongApplication,
    WrongKind,
    WrongRoom,
    WrongUser,
)
from chalicelib.tickets.explain import Check, Explanation, explain
from chalicelib.tickets.hmac_sha256 import HmacKey
from chalicelib.tickets.issue import issue_private_map_key, issue_user_sig
from chalicelib.tickets.ticket import PRIVATE_MAP_KEY, USER_SIG
from chalicelib.tickets.verify import (
    PrivateMapKey,
    UserSig,
    verify_private_map_key,
    verify_user_sig,
)
from chalicelib.trtc.algorithms import ALGORITHMS, ECDSA, HMAC

__all__ = [
    "ALGORITHMS",
    "CODECS",
    "ECDSA",
    "HMAC",
    "PRIVATE_MAP_KEY",
    "USER_SIG",
    "BadBase64",
    "BadDeflate",
    "BadJson",
    "BadKey",
    "BadMember",
    "BadSignature",
    "Check",
    "Codec",
    "EcdsaKey",
    "EcdsaPublicKey",
    "EmptyTicket",
    "Expired",
    "Explanation",
    "HmacKey",
    "InconsistentUserbuf",
    "LacksEnter",
    "MalformedTicket",
    "Mismatch",
    "NoKey",
    "NotYetValid",
    "OversizedTicket",
    "PrivateMapKey",
    "SigningKey",
    "StringRoomNeedsHmac",
    "TicketError",
    "TicketRefused",
    "Unsignable",
    "UserSig",
    "VerifyingKey",
    "WrongAlgorithm",
    "WrongAlphabet",
    "WrongApplication",
    "WrongKind",
    "WrongRoom",
    "WrongUser",
    "explain",
    "issue_private_map_key",
    "issue_user_sig",
    "load_key",
    "load_public_key",
    "verify_private_map_key",
    "verify_user_sig",
]
