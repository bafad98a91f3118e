from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.roster.userlist import MOST_USERS
from chalicelib.stores.settings import LARGEST_ROOM, Probe, Settings

URL = "https://console.example.test/v4/account/check?identifier={userId}&usersig={userSig}"
PROBE = {"url": URL, "userId": "prober", "accepted": [0, 70402]}


def settings(**changes: Any) -> str:
    """A parameter's value with a probe."""
    return json.dumps(json.loads(Settings().to_json()) | {"probe": PROBE | changes})


def test_a_probe_survives_its_parameter() -> None:
    """What an operator writes is what the schedule asks; without one there is none."""
    found = Settings.from_json(settings())
    assert found.probe == Probe(URL, "prober", (0, 70402))
    assert Settings.from_json(found.to_json()) == found
    assert Settings.from_json(Settings().to_json()).probe is None


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://console.example.test/check?usersig={userSig}"},
        {"url": "https:///check?usersig={userSig}"},
        {"url": "https://console.example.test/check"},
        {"url": "https://console.example.test/{userSig}"},
        {"url": "https://{userId}.example.test/check?usersig={userSig}"},
        {"url": "https://[::1/check?usersig={userSig}"},
        {"url": 7},
        {"url": None},
        {"userId": "a b"},
        {"userId": ""},
        {"accepted": []},
        {"accepted": ["0"]},
        {"accepted": [True]},
        {"accepted": 0},
    ],
)
def test_a_probe_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    """A ticket goes over TLS, to one host and path, in the query."""
    with pytest.raises(ValueError, match=r".+"):
        Settings.from_json(settings(**changes))


@pytest.mark.parametrize(
    "path",
    [
        "/v4/openim/jsonvideoapp",
        "/v4/openim/JsonVideoApp",
        "/v4/openim/jsonvideo%61pp",
        "/x/../v4/openim/jsonvideoapp/",
    ],
)
@pytest.mark.parametrize("host", ["official.opensso.tencent-cloud.com", "yun.tim.qq.com", "x.test"])
def test_a_probe_is_never_the_roomsig_request(host: str, path: str) -> None:
    """Asked by a server, it would route the call wrongly: only a user's own client sends it."""
    with pytest.raises(ValueError, match="roomsig"):
        Settings.from_json(settings(url=f"https://{host}{path}?usersig={{userSig}}"))


def test_a_room_may_be_as_large_as_a_list_can_say() -> None:
    """A list names 5,000 others at most, and its reporter is there too."""
    assert LARGEST_ROOM == MOST_USERS + 1
    assert Settings(largest_room=LARGEST_ROOM).to_json()


def test_a_room_is_as_large_as_a_call_by_default() -> None:
    """Tencent lets 300 into a call; who streams to more says so."""
    assert Settings().largest_room == 300
