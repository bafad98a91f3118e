"""Members' clients, each on a thread of its own: they report, retry, beat and obey `resend`."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import requests

from simulation.live.rooms import HEARTBEAT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulation.live.rooms import Script, Sight

TIMEOUT: Final = 20
"""Seconds that a client waits for an answer before it sends again."""
_TENCENTS_PAUSES: Final = (0.1, 10, 10, 10)
"""Seconds between Tencent's tries: one more at once, then every 10 s until a minute has gone."""
ENTRY_TRIES: Final = 5
PAUSE: Final = 0.5
"""Seconds before a client sends again what was not acknowledged."""


class Doors(NamedTuple):
    """Where a call takes place.

    Attributes:
        urls: the functions' base URLs, by name.
        api_key: of a caller that may issue and read.
        sdk_app_id: the application.
        callback_key: with which Tencent would sign.
    """

    urls: Mapping[str, str]
    api_key: str
    sdk_app_id: int
    callback_key: str

    def __repr__(self) -> str:
        return f"Doors({self.sdk_app_id})"

    def enter(self, user: str, room: int) -> str:
        """Take an entry; its report token."""
        for attempt in range(ENTRY_TRIES):
            with contextlib.suppress(requests.Timeout, requests.ConnectionError):
                response = requests.post(
                    f"{self.urls['issuer']}/v1/entries",
                    headers={"Authorization": f"Bearer {self.api_key}"},
                    json={"sdkAppId": self.sdk_app_id, "userId": user, "roomId": room},
                    timeout=TIMEOUT,
                )
                if response.ok:
                    token: str = response.json()["report"]["token"]
                    return token
            time.sleep(PAUSE * (attempt + 1))
        raise requests.ConnectionError(f"no entry for {user} in {ENTRY_TRIES} tries")

    def roster(self, room: int, path: str = "", **query: str) -> dict[str, Any]:
        """Read a room, or its timeline."""
        response = requests.get(
            f"{self.urls['rooms']}/v1/apps/{self.sdk_app_id}/rooms/{room}{path}",
            headers={"Authorization": f"Bearer {self.api_key}"},
            params=query,
            timeout=TIMEOUT,
        )
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer

    def call_back(self, event_type: int, user: str, room: int) -> None:
        """Tell as Tencent does that a user entered (103) or left (104)."""
        now = time.time_ns() // 1_000_000
        body = json.dumps(
            {
                "EventGroupId": 1,
                "EventType": event_type,
                "CallbackTs": now,
                "EventInfo": {
                    "RoomId": room,
                    "EventTs": now // 1000,
                    "EventMsTs": now,
                    "UserId": user,
                },
            }
        ).encode()
        digest = hmac.digest(self.callback_key.encode(), body, "sha256")
        headers = {
            "Content-Type": "application/json",
            "SdkAppId": str(self.sdk_app_id),
            "Sign": base64.b64encode(digest).decode(),
        }
        url = f"{self.urls['webhook']}/v1/trtc-callbacks"
        for pause in (0, *_TENCENTS_PAUSES):
            time.sleep(pause)
            with contextlib.suppress(requests.Timeout, requests.ConnectionError):
                if requests.post(url, headers=headers, data=body, timeout=TIMEOUT).ok:
                    return
        raise requests.ConnectionError(f"the callback about {user} was not taken")


class Client(Thread):
    """One member, for as long as its room lasts.

    Args:
        doors: where.
        script: the room's.
        user: who it is.
        room: the room's number.
        began: `time.monotonic()` at which the room begins.
        over: set when it ends.

    Attributes:
        resends: how often the server asked for the list again.
        requests: how many were sent.
        failure: what ended the client early; None: nothing.
    """

    def __init__(  # noqa: PLR0917 (a member's whole world)
        self, doors: Doors, script: Script, user: str, room: int, began: float, over: Event
    ) -> None:
        super().__init__(daemon=True, name=f"{room} {user}")
        self._doors, self._script, self._user, self._room = doors, script, user, room
        self._began, self._over = began, over
        self._token, self._seq, self._hash = "", 0, ""
        self.resends = self.requests = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        """Live through the script."""
        try:
            self._live()
        except (requests.RequestException, KeyError, ValueError) as error:
            self.failure = error

    def _live(self) -> None:
        if self._wait_until(self._script.joins[self._user]):
            return
        if self._script.callbacks:
            self._doors.call_back(103, self._user, self._room)
        if not self._script.lists:
            return
        sights = list(self._script.sights[self._user])
        self._enter()
        due = newest = None
        while True:
            sight = sights.pop(0) if sights and (due is None or sights[0].at <= due) else None
            if self._wait_until(due or 0 if sight is None else sight.at):
                return
            if sight is not None:
                newest = sight
                if sight.reenters:
                    self._enter()
                answer = self._report(sight)
            else:
                answer = self._send({"heartbeat": True, "hash": self._hash})
            while answer.get("resend") and newest is not None:
                self.resends += 1
                answer = self._report(newest, resent=True)
            pace = answer.get("heartbeatAfterMs")
            due = self._elapsed() + (HEARTBEAT if pace is None else min(pace / 1000, HEARTBEAT))

    def _enter(self) -> None:
        self._token, self._seq = self._doors.enter(self._user, self._room), 0

    def _report(self, sight: Sight, *, resent: bool = False) -> dict[str, Any]:
        age = 0 if resent else max(0, int(1000 * (self._elapsed() - sight.at)))
        users = [{"userid": user} for user in sorted(sight.users)]
        body = {"seq": self._seq, "ageMs": age, "userlist": users}
        answer = self._send(body | ({"resent": True} if resent else {}))
        self._seq += 1
        self._hash = answer["hash"]
        return answer

    def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Send until it is acknowledged or refused for good."""
        while True:
            self.requests += 1
            with contextlib.suppress(requests.Timeout, requests.ConnectionError):
                response = requests.post(
                    f"{self._doors.urls['webhook']}/v1/userlist-reports",
                    headers={"Authorization": f"Bearer {self._token}"},
                    json=body,
                    timeout=TIMEOUT,
                )
                if response.status_code < 500 and response.status_code != 429:
                    response.raise_for_status()
                    answer: dict[str, Any] = response.json()
                    return answer
            self._over.wait(PAUSE)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _wait_until(self, at: float) -> bool:
        """Wait until some seconds of the room's time; whether the room is over."""
        return self._over.wait(max(0.0, at - self._elapsed()))
