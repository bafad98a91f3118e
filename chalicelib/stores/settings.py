"""One application's settings: what an operator decided about it."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from chalicelib.schema import Array, Checked, Collection, Field, Integer, OneOf, Record
from chalicelib.stores.stored import Stored
from chalicelib.trtc.algorithms import ALGORITHMS
from chalicelib.trtc.identifiers import check_user_id

DAY: Final = 86_400
ROOMSIG_COMMAND: Final = "jsonvideoapp"
LARGEST_ROOM: Final = 5_001
"""Members that an operator may allow at most: a list that names 5,000 others, and its reporter."""
CALL: Final = 300
"""Members that a room may have by default: Tencent's limit of a call (TRTC, "Limits")."""


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


class Settings(NamedTuple):
    """One application's settings, the SSM parameter ``/<stack>/apps/<sdkAppId>``.

    Attributes:
        algorithms: those that its key may have.
        user_sig_ttl: bounds of a userSig's ttl. Tencent advises a day at least; that is the
            default.
        private_map_key_ttl: bounds of a privateMapKey's ttl. The mini-program re-uses it after a
            network change.
        largest_room: most members of a room. Reports that name more are refused.
        probe: how a candidate is tried before it is rotated to, or None.
    """

    algorithms: tuple[str, ...] = ALGORITHMS
    user_sig_ttl: Bounds = Bounds(60, DAY, 7 * DAY)
    private_map_key_ttl: Bounds = Bounds(60, DAY, 7 * DAY)
    largest_room: int = CALL
    probe: Probe | None = None

    def to_json(self) -> str:
        """The parameter's value."""
        return _STORED.write(self)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read the parameter's value.

        Raises:
            BadStoredValue: it is not what to_json writes.
        """
        return _STORED.read(text)


def _check_probe_url(url: object) -> str:
    """A URL that a ticket may be sent to; raises ValueError."""
    if not isinstance(url, str):
        raise ValueError("must be a string")  # noqa: TRY004 (as of any wrong value)
    parts = urlsplit(url)
    loopback = parts.hostname == "127.0.0.1"  # A stand-in of the local AWS and of tests.
    if parts.scheme != "https" and not (loopback and parts.scheme == "http"):
        raise ValueError("a probe's URL begins with https://")
    if not parts.hostname or "{" in parts.netloc + parts.path or "{userSig}" not in parts.query:
        raise ValueError("a probe's URL names a host and a path, and its query holds {userSig}")
    # Asked by a server it would route the call wrongly: only a user's own client may send it.
    if ROOMSIG_COMMAND in unquote(parts.path).lower():
        raise ValueError("a probe may not be the roomsig request")
    return url


def _bounds(least: int, default: int, most: int) -> Bounds:
    if not least <= default <= most:
        raise ValueError("must be ordered: least, default, most")
    return Bounds(least, default, most)


def _probe(url: str, user_id: str, accepted: tuple[int, ...]) -> Probe:
    if not accepted:
        raise ValueError("needs at least one code that means accepted")
    return Probe(url, user_id, accepted)


_SECONDS = Integer(1, 2**31 - 1)
_BOUNDS = Record(
    _bounds,
    Field("least", _SECONDS, "least"),
    Field("default", _SECONDS, "default"),
    Field("most", _SECONDS, "most"),
)
PROBE = Record(
    _probe,
    Field("url", Checked(_check_probe_url, {}), "url"),
    Field("userId", Checked(check_user_id, {}), "user_id"),
    Field("accepted", Collection(Array(Integer(-(2**31), 2**31), 100), tuple), "accepted"),
)
_ALGORITHMS = Array(OneOf({name: name for name in ALGORITHMS}), len(ALGORITHMS), unique=True)
_STORED = Stored(
    "an application's settings",
    Record(
        Settings,
        Field("algorithms", Collection(_ALGORITHMS, tuple), "algorithms"),
        Field("userSigTtl", _BOUNDS, "user_sig_ttl"),
        Field("privateMapKeyTtl", _BOUNDS, "private_map_key_ttl"),
        Field("largestRoom", Integer(1, LARGEST_ROOM), "largest_room"),
        Field("probe", PROBE, "probe", required=False),
    ),
    secret=False,
)
