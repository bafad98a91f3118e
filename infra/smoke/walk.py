"""The walk: two users enter a room through the deployed functions, and report who is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import requests

from infra.emulators.miniprogram import ask_for_roomsig, userlist_event
from infra.emulators.tencent import TencentEmulator
from infra.layout import InfraError
from infra.smoke.show import say, show, step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from infra.smoke.tenant import Tenant

ROOM: Final = 4294967295
MEMBERS: Final = ("alice", "bob")
_SECONDS: Final = 30.0


class Http:
    """Calls the deployed functions, and shows each request and its answer.

    Args:
        log: of the local AWS, named when a call fails.
    """

    def __init__(self, log: Path) -> None:
        self._log = log

    def call(self, method: str, url: str, token: str, body: Any = None, expect: int = 200) -> Any:
        """Make a call and return its JSON.

        Args:
            method: GET or POST.
            url: of the route.
            token: for Authorization: Bearer.
            body: JSON, or None.
            expect: the status that the walk counts on.

        Raises:
            InfraError: another status came; names the answer and the log.
        """
        label = f"{method} {url.partition('/_user_request_')[2]}"
        if body is not None:
            show(label, body)
        answer = self.quietly(method, url, token, body, expect)
        show(f"{label if body is None else ''} -> {expect}".strip(), answer)
        return answer

    def quietly(
        self, method: str, url: str, token: str, body: Any = None, expect: int = 200
    ) -> Any:
        """Make a call and return its JSON, without a word; see `call`."""
        label = f"{method} {url.partition('/_user_request_')[2]}"
        headers = {"Authorization": f"Bearer {token}"}
        response = requests.request(method, url, headers=headers, json=body, timeout=_SECONDS)
        if response.status_code != expect:
            said = response.text[:500]
            raise InfraError(
                f"{label} answered {response.status_code} instead of {expect}: {said}\n"
                f"The functions' errors are in {self._log}; `make clean` starts from nothing."
            )
        return response.json()


class Walk:
    """The flow, step by step.

    Args:
        urls: base URL by function.
        tenant: who calls.
        http: calls, and shows what is said.
    """

    def __init__(self, urls: Mapping[str, str], tenant: Tenant, http: Http) -> None:
        self._issuer, self._rooms = urls["issuer"], urls["rooms"]
        self._tenant = tenant
        self._http = http

    def walk(self) -> None:
        """Walk all of it; raises InfraError where a step fails."""
        with TencentEmulator(self._tenant.sdk_app_id, self._public_key()) as tencent:
            say(f"   the stand-in of Tencent's roomsig service listens on {tencent.url}")
            entries = {user: self._enter(user) for user in MEMBERS}
            for user, entry in entries.items():
                self._room_url(user, entry["roomsigRequest"], tencent.url)
            self._refusal(entries["alice"]["roomsigRequest"], tencent.url)
        for user, entry in entries.items():
            self._report(user, entry["report"])
        step("Anyone who may read asks who is in the room")
        path = f"/v1/apps/{self._tenant.sdk_app_id}/rooms/{ROOM}"
        self._http.call("GET", self._rooms + path, self._tenant.api_key)

    def _public_key(self) -> str:
        step("What Tencent knows: the application's public key")
        url = f"{self._issuer}/v1/apps/{self._tenant.sdk_app_id}/keys"
        keys = self._http.call("GET", url, self._tenant.api_key)["keys"]
        public_key: str = keys[0]["publicKey"]
        return public_key

    def _enter(self, user: str) -> Any:
        step(f"The backend asks for an entry for {user}")
        body = {"sdkAppId": self._tenant.sdk_app_id, "userId": user, "roomId": ROOM}
        return self._http.call("POST", f"{self._issuer}/v1/entries", self._tenant.api_key, body)

    def _room_url(self, user: str, request: Mapping[str, Any], tencent: str) -> None:
        step(f"{user}'s client asks Tencent for its roomsig, the backend makes a URL of the answer")
        answer = ask_for_roomsig(request, tencent)
        show("POST to Tencent's stand-in, as the entry says -> 200", answer)
        url = self._from_answer(user, answer, expect=200)["roomUrl"]
        if not url.startswith("room://"):
            raise InfraError(f"The issuer made {url!r}, which is no room URL.")
        say(f"   {user} may enter: {url}")

    def _refusal(self, request: Mapping[str, Any], tencent: str) -> None:
        step("A changed privateMapKey: Tencent refuses it, and no URL is made of a refusal")
        asked = request["body"]["ReqBody"]
        ticket = asked["PrivMapEncrypt"]
        changed = ticket[:100] + ("B" if ticket[100] == "A" else "A") + ticket[101:]
        body = {**request["body"], "ReqBody": {**asked, "PrivMapEncrypt": changed}}
        answer = ask_for_roomsig({**request, "body": body}, tencent)
        show("POST to Tencent's stand-in -> 200", answer)
        self._from_answer("alice", answer, expect=422)

    def _from_answer(self, user: str, answer: Any, expect: int) -> Any:
        app = self._tenant.sdk_app_id
        body = {"sdkAppId": app, "userId": user, "roomId": ROOM, "answer": answer}
        url = f"{self._issuer}/v1/room-urls"
        return self._http.call("POST", url, self._tenant.api_key, body, expect)

    def _report(self, user: str, report: Mapping[str, Any]) -> None:
        step(f"{user}'s client reports event 1020: who else is in the room")
        others = [member for member in MEMBERS if member != user]
        event = userlist_event(self._tenant.sdk_app_id, ROOM, others)
        self._http.call("POST", report["url"], report["token"], {"seq": 0, "event": event})
