"""The fold with the real store: what is said goes through the event table."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.roster.callback import ENTERED, LEFT, ROOM_GROUP, parse_callback
from chalicelib.roster.signal import Kind, Source
from chalicelib.roster.timeouts import settled_members
from chalicelib.roster.view import View
from chalicelib.table.callback_items import StoredCallback
from chalicelib.table.item_keys import ReporterKey, RoomKey
from chalicelib.table.reports import Report
from chalicelib.table.table import EventTable
from chalicelib.table.writer import RoomWriter
from chalicelib.trtc.identifiers import parse_room
from infra.emulators.dynamodb import DynamoDBEmulator
from simulation.truth import Change, history

if TYPE_CHECKING:
    from random import Random

    from chalicelib.roster.signal import Signal
    from simulation.truth import Setting

REF = RoomKey(1_400_037_025, parse_room(107_688))
TABLE = "events"
PLAYURL = f"room://183.3.225.15:1935/webrtc/{REF.sdk_app_id}_{REF.room}_"
OPENID = 28
"""Characters of a userid."""


class Answered(NamedTuple):
    """What the sender is told.

    Attributes:
        outcome: what the signal did.
        resend: the list is wanted again.
    """

    outcome: str
    resend: bool


def openids(setting: Setting, chance: Random) -> list[Change]:
    """A history of users whose ids are as long as WeChat's."""
    return [
        Change(it.t, frozenset(map(openid, it.joined)), frozenset(map(openid, it.left)))
        for it in history(setting, chance)
    ]


def openid(user: str) -> str:
    """A userid as long as WeChat's, and as hard to compress; the same for the same user."""
    return f"o{urlsafe_b64encode(sha256(user.encode()).digest()).decode()}"[:OPENID]


def post(folder: RoomWriter, signal: Signal) -> Answered:
    """Let the webhook's folder take a signal as it comes in.

    Raises:
        Refusal: as the folder does.
    """
    now = signal.received
    if signal.source is Source.TENCENT:
        return Answered(folder.record_callback(callback_of_signal(signal), now), resend=False)
    if signal.kind is Kind.HEARTBEAT:
        heard = folder.apply(REF, signal, now)
        return Answered(heard.outcome, heard.resend)
    taken = folder.record(report_of_signal(signal), now)
    return Answered(taken.outcome, taken.resend)


def report_of_signal(signal: Signal) -> Report:
    """The report that a client sends: a list with playurls as Tencent makes them, or "I left"."""
    user, received = signal.user, signal.received
    view = None
    if signal.kind is Kind.LIST:
        others = {other: PLAYURL + other for other in signal.listed if other != user}
        view = View(user, others, signal.hash)
    place, age = ReporterKey(*REF, user), received - signal.t
    return Report(place, *signal.order, received, age, signal.source, view, signal.asked)


def callback_of_signal(signal: Signal) -> StoredCallback:
    """The callback that Tencent sends, as it comes in."""
    told: dict[str, Any] = {
        "EventGroupId": ROOM_GROUP,
        "EventType": ENTERED if signal.kind is Kind.ENTERED else LEFT,
        "CallbackTs": signal.received,
        "EventInfo": {"RoomId": REF.room, "EventMsTs": signal.t, "UserId": signal.user},
    }
    callback = parse_callback(json.dumps(told).encode())
    return StoredCallback(REF.sdk_app_id, signal.received, callback)


class Stored:
    """The fold, with the event table on a stand-in.

    Attributes:
        table: the event table.
    """

    name = "roomgate, stored"

    def __init__(self) -> None:
        self.table = EventTable(DynamoDBEmulator(), TABLE)  # type: ignore[arg-type]  # A stand-in.
        self._folder = RoomWriter(self.table)

    @property
    def emitted(self) -> list[tuple[str, bool]]:
        """Who came (True) and went (False), by the timeline."""
        head = self.table.room(REF).head
        changes = self.table.changes(REF, 0, head.version)
        return [(each.user, each.joined) for change in changes for each in change.transitions]

    def take(self, signal: Signal) -> bool:
        """Store it, if it is to be stored, and fold it."""
        return post(self._folder, signal).resend

    def shown(self, now: int) -> set[str]:
        """The settled view."""
        room = self.table.room(REF)
        return set(settled_members(room.head, now, self.table.members(room)))
