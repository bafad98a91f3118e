"""What the backend is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

DEMO_LOGIN: Final = "yes-anyone-may-be-anyone"
UNAUTHENTICATED_WEAPP: Final = "yes-anyone-may-enter"
_LEAST_SECRET: Final = 32  # characters

_REQUIRED: Final = {
    "ROOMGATE_ISSUER": "the base URL of Roomgate's issuer",
    "ROOMGATE_ROOMS": "the base URL of Roomgate's rooms function",
    "ROOMGATE_API_KEY": "the API key that `roomgate callers add` showed (actions issue and read)",
    "ROOMGATE_SDK_APP_ID": "the TRTC application's sdkAppId, a number",
    "SESSION_SECRET": f"at least {_LEAST_SECRET} random characters; they sign the login sessions",
}
_WECHAT: Final = {
    "WECHAT_APP_ID": "the mini-program's AppID",
    "WECHAT_APP_SECRET": "the mini-program's AppSecret",
}
_RELAY: Final = {
    "ROOMGATE_WEBHOOK": "the base URL of Roomgate's webhook",
    "ROOMGATE_RELAY_ID": "the relay that `roomgate relays add` made",
    "ROOMGATE_RELAY_SECRET": "the secret that it showed (whsec_…)",
}


class SettingsWrong(Exception):
    """The environment lacks something or holds what is no value for it; the text says what."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings; their repr shows no secret.

    Attributes:
        issuer, rooms: base URLs of Roomgate's functions.
        api_key: Roomgate's; it never leaves the backend.
        sdk_app_id: the TRTC application.
        session_secret: signs the login sessions; the same in all processes.
        wechat_app_id, wechat_app_secret: the mini-program's, or empty: then there is the demo
            login only.
        wechat_api: base URL of WeChat's API.
        demo_login: whether anyone may log in under any name.
        weapp: whether the routes of Tencent's old demo backend are on.
        database: the SQLite file of these routes.
        webhook, relay_id, relay_secret: of the relay that reports for their clients, or empty.
        web: the folder of the web page, or None.
        timeout: seconds without a byte after which Roomgate or WeChat counts as silent.
    """

    issuer: str
    rooms: str
    api_key: str = field(repr=False)
    sdk_app_id: int
    session_secret: bytes = field(repr=False)
    wechat_app_id: str = ""
    wechat_app_secret: str = field(default="", repr=False)
    wechat_api: str = "https://api.weixin.qq.com"
    demo_login: bool = False
    weapp: bool = False
    database: Path = Path("weapp.sqlite3")
    webhook: str = ""
    relay_id: str = ""
    relay_secret: str = field(default="", repr=False)
    web: Path | None = None
    timeout: float = 8.0


def settings_of(environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Args:
        environ: the environment.

    Raises:
        SettingsWrong: names everything that is missing or wrong, never a value that is secret.
    """
    demo = _switch(environ, "EXAMPLE_DEMO_LOGIN", DEMO_LOGIN)
    weapp = _switch(environ, "EXAMPLE_UNAUTHENTICATED_WEAPP", UNAUTHENTICATED_WEAPP)
    required = dict(_REQUIRED)
    if not demo or any(environ.get(name) for name in _WECHAT):
        required |= _WECHAT
    if environ.get("ROOMGATE_RELAY_ID") or environ.get("ROOMGATE_RELAY_SECRET"):
        required |= _RELAY
    missing = [f"Set {name}: {what}." for name, what in required.items() if not environ.get(name)]
    if missing:
        raise SettingsWrong("\n".join(missing))
    app, secret = environ["ROOMGATE_SDK_APP_ID"], environ["SESSION_SECRET"]
    if not (app.isascii() and app.isdecimal()):
        raise SettingsWrong(f"ROOMGATE_SDK_APP_ID is {app!r}; it must be a number.")
    if len(secret) < _LEAST_SECRET:
        raise SettingsWrong(f"SESSION_SECRET must have at least {_LEAST_SECRET} characters.")
    web = environ.get("EXAMPLE_WEB", "")
    if web and not Path(web).is_dir():
        raise SettingsWrong(f"EXAMPLE_WEB is {web!r}, which is no folder.")
    return Settings(
        issuer=environ["ROOMGATE_ISSUER"],
        rooms=environ["ROOMGATE_ROOMS"],
        api_key=environ["ROOMGATE_API_KEY"],
        sdk_app_id=int(app),
        session_secret=secret.encode(),
        wechat_app_id=environ.get("WECHAT_APP_ID", ""),
        wechat_app_secret=environ.get("WECHAT_APP_SECRET", ""),
        wechat_api=environ.get("WECHAT_API") or Settings.wechat_api,
        demo_login=demo,
        weapp=weapp,
        database=Path(environ.get("EXAMPLE_DATABASE") or Settings.database),
        webhook=environ.get("ROOMGATE_WEBHOOK", ""),
        relay_id=environ.get("ROOMGATE_RELAY_ID", ""),
        relay_secret=environ.get("ROOMGATE_RELAY_SECRET", ""),
        web=Path(web) if web else None,
    )


def _switch(environ: Mapping[str, str], name: str, on: str) -> bool:
    """Whether an option is on; it is off unless it has the value that says what it means."""
    value = environ.get(name, "")
    if value not in {"", on}:
        raise SettingsWrong(f"{name} is {value!r}; leave it empty, or set it to {on}.")
    return value == on
