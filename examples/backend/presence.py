"""Tells Roomgate of the old clients, which can't report for themselves: a relay.

What it rests on: a heartbeat under /weapp is a word of the member about itself, and nobody proves
who sent it. So whoever may call these routes decides what Roomgate's roster says of them. Each
member's list names those who are present by their own heartbeats.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import requests
from standardwebhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import Settings
    from .weapp_store import Departure, WeappStore

_PATIENCE: Final = 2.0  # Seconds at most; the client's heartbeat waits that long.
_HEARTBEAT_EVERY: Final = 20.0  # Seconds; the old clients send one every 7.

_log = logging.getLogger(__name__)


class Presence:
    """Relays what heartbeats say. What fails is logged, and said again with the next heartbeat.

    Args:
        settings: the relay and its secret.
        store: knows what was reported.
        clock: unix time in seconds.
    """

    def __init__(self, settings: Settings, store: WeappStore, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._http = requests.Session()

    def heard(self, room_id: int, user_id: str) -> None:
        """Report a present member, if its list has changed or a heartbeat is due."""
        report = self._store.due(room_id, user_id, _HEARTBEAT_EVERY, self._clock())
        if report is None:
            return
        if report.heartbeat:
            said: dict[str, Any] = {"heartbeat": True, "hash": _hash([user_id, *report.others])}
        else:
            userlist = [{"userid": other} for other in report.others]
            said = {"seq": report.seq, "userlist": userlist}
        answer = self._send(room_id, user_id, report.epoch, said)
        if answer is None or answer.get("resend"):
            self._store.not_reported(room_id, user_id, report)

    def departed(self, departures: list[Departure]) -> None:
        """Report those who are gone; up to the first that Roomgate does not take.

        A departure that is lost is made up for by the others' lists, or by the roster's own end of
        patience with a member that is not heard of.
        """
        for room_id, user_id, epoch, seq in departures:
            if self._send(room_id, user_id, epoch, {"seq": seq, "left": True}) is None:
                return

    def _send(
        self, room_id: int, user_id: str, epoch: int, said: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Sign and send one report, as Standard Webhooks describes; None if it was not taken."""
        whose = {"sdkAppId": self._settings.sdk_app_id, "roomId": room_id, "userId": user_id}
        body = json.dumps({**whose, "epoch": epoch, **said})
        message, at = f"msg_{uuid.uuid4().hex}", dt.datetime.fromtimestamp(self._clock(), dt.UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self._settings.relay_secret).sign(message, at, body),
        }
        url = f"{self._settings.webhook}/v1/relays/{self._settings.relay_id}/userlist-reports"
        try:
            response = self._http.post(
                url,
                data=body,
                headers=headers,
                timeout=min(_PATIENCE, self._settings.timeout),
                allow_redirects=False,
            )
            answer = response.json()
        except requests.RequestException as error:
            _log.warning("A report was not relayed: %s", type(error).__name__)
            return None
        if response.status_code == requests.codes.ok and isinstance(answer, dict):
            return answer
        _log.warning("A report was not taken: HTTP %d", response.status_code)
        return None


def _hash(users: list[str]) -> str:
    """The name of a set of userids, as Roomgate computes it."""
    return sha256("\n".join(sorted(users)).encode()).hexdigest()[:16]
