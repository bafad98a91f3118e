"""What a backend asks of the issuer: rights and bounds are checked first, then the result is made.

What joins callers, keys, tickets and room URLs into one result belongs here; HTTP, stores and byte
formats do not.
"""

from chalicelib.entries.inspector import InspectionRequest, Inspector
from chalicelib.entries.issuer import (
    Entry,
    EntryRequest,
    IssuedPrivateMapKey,
    IssuedUserSig,
    Issuer,
    ReportGrant,
    RoomTicketRequest,
    UserSigRequest,
)
from chalicelib.entries.room_url import RoomUrlRequest, room_url_for

__all__ = [
    "Entry",
    "EntryRequest",
    "InspectionRequest",
    "Inspector",
    "IssuedPrivateMapKey",
    "IssuedUserSig",
    "Issuer",
    "ReportGrant",
    "RoomTicketRequest",
    "RoomUrlRequest",
    "UserSigRequest",
    "room_url_for",
]
