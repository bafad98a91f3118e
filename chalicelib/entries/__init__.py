"""What a backend asks for, composed: rights and bounds first, then tickets and URLs.

May enter: what joins callers, keys, tickets and rooms into one answer. Not: HTTP, stores, byte
formats.
"""

from chalicelib.entries.inspector import InspectionRequest, Inspector
from chalicelib.entries.issuer import EntryRequest, Issuer, RoomTicketRequest, UserSigRequest
from chalicelib.entries.room_url import RoomUrlRequest, room_url_for

__all__ = [
    "EntryRequest",
    "InspectionRequest",
    "Inspector",
    "Issuer",
    "RoomTicketRequest",
    "RoomUrlRequest",
    "UserSigRequest",
    "room_url_for",
]
