"""The walk through a room: three members come and go, and what is known of that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from infra.emulators.miniprogram import userlist_event
from infra.layout import InfraError
from infra.smoke.show import say, step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.smoke.tenant import Tenant
    from infra.smoke.walk import Http

ROOM: Final = 20  # The README's examples have room 1234 to themselves.
MEMBERS: Final = ("alice", "bob", "carol")
_WAIT_SECONDS: Final = 30.0
_LOOK_EVERY: Final = 0.2


class RoomWalk:
    """The members' side of the flow, step by step.

    Args:
        urls: base URL by function.
        tenant: who calls.
        http: calls, and shows what is said.
    """

    def __init__(self, urls: Mapping[str, str], tenant: Tenant, http: Http) -> None:
        self._urls, self._tenant, self._http = urls, tenant, http
        self._seqs = dict.fromkeys(MEMBERS, 0)
        self._reports: dict[str, Any] = {}

    def walk(self) -> None:
        """Walk all of it; raises InfraError where a step fails."""
        step(f"Three users get their entries for room {ROOM}")
        self._reports = {user: self._report_token(user) for user in MEMBERS}
        started = int(time.time() * 1000)
        step("They come: each change is reported by all who see it, and counts once")
        self._sees("alice", [])
        self._sees("bob", ["alice"])
        self._sees("alice", ["bob"])
        self._sees("carol", ["alice", "bob"])
        self._sees("alice", ["bob", "carol"])
        step("bob says good-bye; carol's phone dies, which only alice sees")
        self._says("bob", {"left": True})
        self._sees("alice", ["carol"])
        self._sees("alice", [])
        step("Who is in the room, by a backend that may read")
        path = f"{self._urls['rooms']}/v1/apps/{self._tenant.sdk_app_id}"
        say("   One member's list alone is believed about a leave after ten seconds at most.")
        self._await_alone(f"{path}/rooms/{ROOM}")
        self._sees("alice", [])  # Or the sweeper would write carol's leave, within a minute.
        self._http.call("GET", f"{path}/rooms/{ROOM}", self._tenant.api_key)
        step("Its timeline: who came and went, when, and by whose word")
        query = f"?from={started}"
        timeline = self._ask(f"{path}/rooms/{ROOM}/timeline{query}")
        for line in _told(timeline["entries"]):
            say(f"   {line}")
        step("bob's sessions, which the keeper writes as the changes stream by")
        sessions = self._await_session(f"{path}/users/bob/sessions{query}")
        for line in _lasted(sessions):
            say(f"   {line}")

    def _report_token(self, user: str) -> Any:
        body = {"sdkAppId": self._tenant.sdk_app_id, "userId": user, "roomId": ROOM}
        url = f"{self._urls['issuer']}/v1/entries"
        return self._http.quietly("POST", url, self._tenant.api_key, body)["report"]

    def _sees(self, user: str, others: list[str]) -> None:
        event = userlist_event(self._tenant.sdk_app_id, ROOM, others)
        self._says(user, {"event": event}, f"sees {' and '.join(others) or 'nobody else'}")

    def _says(self, user: str, what: dict[str, Any], words: str = "has left") -> None:
        report = self._reports[user]
        body = {"seq": self._seqs[user], **what}
        self._seqs[user] += 1
        answer = self._http.quietly("POST", report["url"], report["token"], body)
        say(f"   {user} {words} -> {answer['outcome']}, version {answer['version']}")

    def _ask(self, url: str) -> Any:
        return self._http.quietly("GET", url, self._tenant.api_key)

    def _await_alone(self, url: str) -> None:
        """Wait until alice is the only member; InfraError if that does not come."""
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            members = self._ask(url)["members"]
            if [member["userId"] for member in members] == ["alice"]:
                return
            if time.monotonic() > until:
                raise InfraError(f"alice alone is in the room; the roster says {members}.")
            time.sleep(_LOOK_EVERY)

    def _await_session(self, url: str) -> list[Any]:
        """The sessions, once the last one has ended; the stream takes a moment."""
        until = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < until:
            sessions: list[Any] = self._ask(url)["sessions"]
            if sessions and "left" in sessions[0]:
                return sessions
            time.sleep(_LOOK_EVERY)
        raise InfraError(f"No session of bob's has ended within {_WAIT_SECONDS:.0f} s: {url}")


def _told(entries: list[Any]) -> list[str]:
    """A timeline in words."""
    return [
        f"{_clock(each['t'])}  {each['userId']:6} {each['change']:7} "
        f"{_evidence(each)} (version {entry['version']})"
        for entry in entries
        for each in entry["transitions"]
    ]


def _evidence(transition: Mapping[str, Any]) -> str:
    by = transition.get("by", "Tencent")
    word = "by its own word" if by == transition["userId"] else f"by {by}'s word"
    return f"{word}, {transition['reason']}"


def _lasted(sessions: list[Any]) -> list[str]:
    return [
        f"room {each['roomId']}: from {_clock(each['joined'])}, {each['durationMs'] / 1000:.1f} s"
        for each in sessions
    ]


def _clock(ms: int) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(ms / 1000)) + f".{ms % 1000:03}"
