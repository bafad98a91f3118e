"""The live probe, asked for real on loopback."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from bench.emulators.loopback import Answer, Asked, Loopback
from chalicelib.keys.probe import TICKET_SECONDS, Verdict, ask
from chalicelib.stores.settings import Probe
from chalicelib.tickets import Expired, load_key, verify_user_sig
from tests.support.keys import new_secret, pem_of_new_key
from tests.support.rig import (
    APP,
    NOW,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.tickets import SigningKey

QUERY = "sdkappid={sdkAppId}&identifier={userId}&usersig={userSig}&random={random}"
KEY = load_key("HMAC-SHA256", new_secret())


def asked(
    answer: Callable[[Asked], Answer | None], key: SigningKey = KEY, path: str = "/v4/check"
) -> Verdict:
    """What the probe says of a server that answers so."""
    with Loopback(answer) as server:
        url = f"http://127.0.0.1:{server.port}{path}?{QUERY}"
        return ask(Probe(url, "prober", (0, 70402)), key, APP, NOW)


def coded(code: object) -> Answer:
    """An answer as Tencent's REST API gives it."""
    return Answer(200, json.dumps({"ActionStatus": "…", "ErrorCode": code}).encode())


@pytest.mark.parametrize("key", [KEY, load_key("ECDSA-SHA256", pem_of_new_key())])
def test_a_ticket_of_the_candidate_is_presented(key: SigningKey) -> None:
    """Short-lived, of the probe's user, whole at the other end."""
    requests: list[Asked] = []

    def answer(request: Asked) -> Answer:
        requests.append(request)
        return coded(0)

    assert asked(answer, key) == Verdict(accepted=True, said="ErrorCode 0")
    (request,) = requests
    sent = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
    assert (request.method, request.body) == ("POST", b"{}")
    assert (sent["sdkappid"], sent["identifier"]) == (str(APP), "prober")
    assert 0 <= int(sent["random"]) < 2**32
    signed = verify_user_sig(sent["usersig"], [key], sdk_app_id=APP, user_id="prober", now=NOW)
    assert signed
    with pytest.raises(Expired):
        verify_user_sig(
            sent["usersig"], [key], sdk_app_id=APP, user_id="prober", now=NOW + TICKET_SECONDS + 1
        )


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (coded(70402), Verdict(accepted=True, said="ErrorCode 70402")),
        (coded(70009), Verdict(accepted=False, said="ErrorCode 70009")),
        (coded("0"), Verdict(accepted=False, said="an answer without ErrorCode")),
        (coded(False), Verdict(accepted=False, said="an answer without ErrorCode")),
        (Answer(200, b"[]"), Verdict(accepted=False, said="an answer without ErrorCode")),
        (Answer(200, b"<html>"), Verdict(accepted=False, said="JSONDecodeError")),
        (Answer(200, b"\xff"), Verdict(accepted=False, said="UnicodeDecodeError")),
        (Answer(500, b'{"ErrorCode": 0}'), Verdict(accepted=False, said="HTTP 500")),
        (None, Verdict(accepted=False, said="ConnectionError")),
    ],
)
def test_only_the_configured_answers_mean_accepted(answer: Answer | None, verdict: Verdict) -> None:
    """Everything else leaves the candidate waiting."""
    assert asked(lambda _: answer) == verdict


def test_a_ticket_follows_no_redirect() -> None:
    """Nobody configured the host that it leads to."""
    paths: list[str] = []

    def answer(request: Asked) -> Answer:
        paths.append(urlsplit(request.path).path)
        return Answer(307, headers={"Location": f"http://127.0.0.1:1{request.path}"})

    assert asked(answer) == Verdict(accepted=False, said="HTTP 307")
    assert paths == ["/v4/check"]


def test_what_went_wrong_is_told_without_the_ticket() -> None:
    """The text of an error of requests holds the URL."""
    probe = Probe(f"http://127.0.0.1:1/?{QUERY}", "prober")
    started = time.monotonic()
    assert ask(probe, KEY, APP, NOW) == Verdict(accepted=False, said="ConnectionError")
    assert time.monotonic() - started < 10
