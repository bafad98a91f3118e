from __future__ import annotations

from infra.smoke.show import shortened


def test_tickets_tokens_and_keys_are_cut() -> None:
    """What opens something is shown by its first 8 characters only, wherever it stands."""
    secret = "0123456789abcdef"
    url = f"https://x.invalid/?sdkappid=1&usersig={secret}&random=2"
    value = {
        "userSig": secret,
        "report": {"token": secret},
        "roomsigRequest": {"url": url, "body": {"ReqBody": {"PrivMapEncrypt": secret}}},
        "rtcUrl": f"room://cloud.tencent.com/rtc?usersig={secret}&privatemapkey={secret}",
        "list": [{"apiKey": secret, "privateMapKey": secret}],
    }
    assert shortened(value) == {
        "userSig": "01234567…",
        "report": {"token": "01234567…"},
        "roomsigRequest": {
            "url": "https://x.invalid/?sdkappid=1&usersig=01234567…&random=2",
            "body": {"ReqBody": {"PrivMapEncrypt": "01234567…"}},
        },
        "rtcUrl": "room://cloud.tencent.com/rtc?usersig=01234567…&privatemapkey=01234567…",
        "list": [{"apiKey": "01234567…", "privateMapKey": "01234567…"}],
    }


def test_all_else_is_shown_as_it_is() -> None:
    """Numbers, names and room URLs are what the walk is about."""
    value = {"roomId": 5, "userId": "alice", "roomUrl": "room://cloud.tencent.com?roomsig=abc"}
    assert shortened(value) == value
