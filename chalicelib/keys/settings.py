"""One application's settings: what an operator decided about it."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

DAY: Final = 86_400
ALGORITHMS: Final = ("ECDSA-SHA256", "HMAC-SHA256")


class Bounds(NamedTuple):
    """How long a ticket may live, in seconds: at least, by default, at most."""

    least: int
    default: int
    most: int


class Settings(NamedTuple):
    """One application's settings, the SSM parameter ``/<stack>/apps/<sdkAppId>``.

    Attributes:
        algorithms: those that its key may have.
        user_sig_ttl: bounds of a userSig's ttl. Tencent advises a day at least; that is the
            default.
        private_map_key_ttl: bounds of a privateMapKey's ttl. The mini-program re-uses it after a
            network change.
        largest_room: most members of a room.
    """

    algorithms: tuple[str, ...] = ALGORITHMS
    user_sig_ttl: Bounds = Bounds(60, DAY, 7 * DAY)
    private_map_key_ttl: Bounds = Bounds(60, DAY, 7 * DAY)
    largest_room: int = 5_000

    def to_json(self) -> str:
        """The parameter's value."""
        return json.dumps(
            {
                "algorithms": list(self.algorithms),
                "userSigTtl": self.user_sig_ttl._asdict(),
                "privateMapKeyTtl": self.private_map_key_ttl._asdict(),
                "largestRoom": self.largest_room,
            }
        )

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
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an application's settings: {error!r}") from None


def _bounds(value: dict[str, Any]) -> Bounds:
    bounds = Bounds(int(value["least"]), int(value["default"]), int(value["most"]))
    if not 1 <= bounds.least <= bounds.default <= bounds.most:
        raise ValueError("ttl bounds must be 1 <= least <= default <= most")
    return bounds
