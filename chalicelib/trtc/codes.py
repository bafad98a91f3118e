"""Tencent's error codes on the way into a room, and their meanings."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Code(NamedTuple):
    """One of Tencent's codes; the name is ours, in kebab-case, and stable."""

    number: int
    name: str
    meaning: str


_ALL: Final = (
    Code(0, "ok", "Nothing is wrong."),
    # userSig, as the login and the gateway answer.
    Code(70001, "user-sig-expired", "The userSig has ended: issue a new one."),
    Code(70002, "user-sig-empty", "The userSig is empty."),
    Code(70003, "user-sig-unreadable", "The userSig is cut short or can't be parsed."),
    Code(70005, "user-sig-unparsable", "The userSig is cut short or can't be parsed."),
    Code(
        70009,
        "user-sig-key-mismatch",
        "The userSig was signed with another key, or for another sdkAppId; often ECDSA and HMAC"
        " are mixed up.",
    ),
    Code(70013, "user-sig-other-user", "The userSig belongs to another userId."),
    Code(70014, "user-sig-other-application", "The userSig belongs to another sdkAppId."),
    Code(70016, "no-key", "The application has no key."),
    Code(70050, "user-sig-rate-limited", "Too many checks in too short a time: try again later."),
    Code(70051, "user-sig-user-blocked", "The userId is on the application's block list."),
    Code(70052, "user-sig-voided", "The userSig was voided: issue a new one."),
    # privateMapKey, as the roomsig request answers inside RspHead.
    Code(80, "private-map-key-empty", "The privateMapKey is empty."),
    Code(82, "private-map-key-parameter", "A parameter of the roomsig request is wrong."),
    Code(86, "private-map-key-expired", "The privateMapKey has ended: issue a new one."),
    Code(
        87,
        "private-map-key-wrong",
        "The privateMapKey is wrong: another key, application, user or room, or damaged.",
    ),
    Code(88, "no-package", "The application has no package that allows this."),
    # Entering the room.
    Code(-3317, "bad-sdk-app-id", "The sdkAppId is not a usable one."),
    Code(-3318, "bad-room-id", "The roomId is not a usable one."),
    Code(-3319, "bad-user-id", "The userId is not a usable one."),
    Code(-3320, "bad-user-sig", "The userSig is not a usable one."),
    Code(-100006, "privilege-check-failed", "The privateMapKey doesn't allow entering the room."),
    Code(-100018, "user-sig-check-failed", "The userSig failed its check on entering the room."),
    Code(-102052, "room-full", "The room is full."),
)

CODES: Final[Mapping[int, Code]] = MappingProxyType({code.number: code for code in _ALL})
"""Number -> code, 0 (ok) included."""
