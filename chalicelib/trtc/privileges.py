"""The privileges of a privateMapKey in its room: as bits, by name or by role.

Tencent calls the bits dwPrivilegeMap.

::

    ValueError
    └── BadPrivileges   .reason   privileges that don't exist
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PRIVILEGES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "createRoom": 1,
        "enter": 2,
        "sendAudio": 4,
        "receiveAudio": 8,
        "sendVideo": 16,
        "receiveVideo": 32,
        "sendScreen": 64,
        "receiveScreen": 128,
    }
)
"""Name -> bit. Tencent calls the screen the sub-stream."""

ALL: Final = sum(PRIVILEGES.values())
ENTER: Final = PRIVILEGES["enter"]

ROLES: Final[Mapping[str, int]] = MappingProxyType(
    {"anchor": ALL, "audience": ENTER | PRIVILEGES["receiveAudio"] | PRIVILEGES["receiveVideo"]}
)
"""Role -> bits. An anchor may do everything; an audience member enters, hears and sees."""


_SENDS: Final = sum(bit for name, bit in PRIVILEGES.items() if name.startswith("send"))


def role_of(bits: int) -> str:
    """The role of one with these privileges: who may send anything is an anchor."""
    return "anchor" if bits & _SENDS else "audience"


class BadPrivileges(ValueError):
    """Privileges that don't exist.

    Attributes:
        reason: a sentence that a caller can act on; it never repeats the value.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def bits_of(names: Iterable[str]) -> int:
    """Return the bits of privileges given by name, 1 to 255; raises `BadPrivileges`."""
    bits = 0
    for name in names:
        if name not in PRIVILEGES:
            raise BadPrivileges(f"must be among {', '.join(PRIVILEGES)}")
        bits |= PRIVILEGES[name]
    return check_privileges(bits)


def check_privileges(value: object) -> int:
    """Return privileges given as bits, an int from 1 to 255; else raise `BadPrivileges`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= ALL:
        raise BadPrivileges(f"must be at least one, as bits a whole number from 1 to {ALL}")
    return value


def names_of(bits: int) -> list[str]:
    """Return the names of the bits that have one, in the order of the bits."""
    return [name for name, bit in PRIVILEGES.items() if bits & bit]
