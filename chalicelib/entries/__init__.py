"""What a backend asks for, composed: rights and bounds first, then tickets and URLs.

May enter: what joins callers, keys, tickets and rooms into one answer. Not: HTTP, stores, byte
formats.
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
