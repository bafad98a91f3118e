"""One application's settings: what an operator decided about it."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from chalicelib.trtc import check_user_id

DAY: Final = 86_400
ROOMSIG_COMMAND: Final = "jsonvideoapp"
LARGEST_ROOM: Final = 5_001
"""Members that a room may have at most: a list that names 5,000 others, and its reporter."""

ALGORITHMS: Final = ("ECDSA-SHA256", "HMAC-SHA256")


class Bounds(NamedTuple):
    """How long a ticket may live, in seconds: at least, by default, at most."""

    least: int
    default: int
    most: int


class Probe(NamedTuple):
    """How to ask whether Tencent takes a candidate's tickets, before a rotation to it.

    Attributes:
        url: what is asked (POST), https. ``{sdkAppId}``, ``{userId}``, ``{userSig}`` and
            ``{random}`` stand for the values of the one probe.
        user_id: the user whose ticket is presented.
        accepted: the values of ``ErrorCode`` that mean that the ticket was accepted.
    """

    url: str
    user_id: str
    accepted: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, value: Any) -> Probe:
        """Read it from its JSON.

        Raises:
            ValueError: it is no probe, or one that may not be sent.
        """
        probe = cls(value["url"], check_user_id(value["userId"]), tuple(value["accepted"]))
        if not probe.accepted or not all(type(code) is int for code in probe.accepted):
            raise ValueError("a probe needs a list of numbers that mean accepted")
        _check_probe_url(probe.url)
        return probe

    def to_value(self) -> dict[str, Any]:
        """Its JSON."""
        return {"url": self.url, "userId": self.user_id, "accepted": list(self.accepted)}


class Settings(NamedTuple):
    """One application's settings, the SSM parameter ``/<stack>/apps/<sdkAppId>``.

    Attributes:
        algorithms: those that its key may have.
        user_sig_ttl: bounds of a userSig's ttl. Tencent advises a day at least; that is the
            default.
        private_map_key_ttl: bounds of a privateMapKey's ttl. The mini-program re-uses it after a
            network change.
        largest_room: most members of a room; a list of more is refused, and who would be one too
            many joins when others have left.
        probe: how a candidate is tried before it is rotated to, or None.
    """

    algorithms: tuple[str, ...] = ALGORITHMS
    user_sig_ttl: Bounds = Bounds(60, DAY, 7 * DAY)
    private_map_key_ttl: Bounds = Bounds(60, DAY, 7 * DAY)
    largest_room: int = LARGEST_ROOM
    probe: Probe | None = None

    def to_json(self) -> str:
        """The parameter's value."""
        value: dict[str, Any] = {
            "algorithms": list(self.algorithms),
            "userSigTtl": self.user_sig_ttl._asdict(),
            "privateMapKeyTtl": self.private_map_key_ttl._asdict(),
            "largestRoom": self.largest_room,
        }
        if self.probe:
            value["probe"] = self.probe.to_value()
        return json.dumps(value)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read the parameter's value.

        Raises:
            ValueError: it is not what to_json writes.
        """
        try:
            value = json.loads(text)
            return cls(
                algorithms=tuple(value["algorithms"]),
                user_sig_ttl=_bounds(value["userSigTtl"]),
                private_map_key_ttl=_bounds(value["privateMapKeyTtl"]),
                largest_room=int(value["largestRoom"]),
                probe=Probe.of(value["probe"]) if value.get("probe") else None,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an application's settings: {error!r}") from None


def _check_probe_url(url: object) -> None:
    """Refuse a URL that a ticket may not be sent to; raises ValueError."""
    if not isinstance(url, str):
        raise TypeError("a probe's URL is text")
    parts = urlsplit(url)
    loopback = parts.hostname == "127.0.0.1"  # A stand-in of the local AWS and of tests.
    if parts.scheme != "https" and not (loopback and parts.scheme == "http"):
        raise ValueError("a probe's URL begins with https://")
    if not parts.hostname or "{" in parts.netloc + parts.path or "{userSig}" not in parts.query:
        raise ValueError("a probe's URL names a host and a path, and its query holds {userSig}")
    # Asked by a server it would route the call wrongly: only a user's own client may send it.
    if ROOMSIG_COMMAND in unquote(parts.path).lower():
        raise ValueError("a probe may not be the roomsig request")


def _bounds(value: dict[str, Any]) -> Bounds:
    bounds = Bounds(int(value["least"]), int(value["default"]), int(value["most"]))
    if not 1 <= bounds.least <= bounds.default <= bounds.most:
        raise ValueError("ttl bounds must be 1 <= least <= default <= most")
    return bounds
