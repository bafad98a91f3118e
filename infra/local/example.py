"""``make example``: the example backend beside a running ``make run``.

    python -m infra.local.example [--folder .local] [--stack roomgate] [--port 8000]

WeChat's login and Tencent's roomsig service are stood in, on this host. It stops on Ctrl-C or
SIGTERM, and with it everything that it started.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests

from infra.emulators.loopback import HOST
from infra.emulators.tencent import TencentEmulator
from infra.emulators.wechat import WechatEmulator
from infra.layout import LOCAL, ROOT, InfraError
from infra.local.run import STACK
from infra.smoke.show import say, step
from infra.smoke.tenant import Operator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXAMPLES: Final = ROOT / "examples"
WEB: Final = ROOT / "clients" / "web"
_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_APP_ID: Final = "wx-local-example"
_TRY: Final = """\
BACKEND={url}
# A mini-program logs in. The stand-in takes any code once: anna.1 and anna.2 are both anna's.
LOGIN=$(curl -sS "$BACKEND/login" -d '{{"code": "anna.'$(date +%s)'"}}')
TOKEN=$(printf %s "$LOGIN" | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
# It asks for an entry to a room:
curl -sS "$BACKEND/enter" -H "Authorization: Bearer $TOKEN" -d '{{"roomId": 1234}}'
# Before WeChat 7.0.8 a client sends its roomsigRequest; Tencent's host is {tencent} here.
# An old sample app needs no more than this service address: {url}/weapp/webrtc_room/
curl -sS "$BACKEND/weapp/webrtc_room/get_login_info" -d '{{}}'"""
_listens: Final = re.compile(r"listens on (http://\S+)").search
_exported: Final = re.compile(r"^export (\w+)=(.*)$", re.MULTILINE).findall


def run(folder: Path, stack: str, port: int | None) -> None:
    """Start everything, say what to do next, and stay up until told to stop.

    Args:
        folder: of ``make run``'s local AWS.
        stack: the name of the installation there.
        port: where the backend listens, 0 for any free port; None: where `make run` lets the web
            page report from.

    Raises:
        InfraError: `make run` is not up, or the backend did not start.
    """
    local = _local_of(folder)
    app_secret = secrets.token_hex(16)
    step("WeChat's login and Tencent's roomsig service, stood in")
    with (
        WechatEmulator(_APP_ID, app_secret) as wechat,
        TencentEmulator(int(local["APP"]), _public_key(local)) as tencent,
    ):
        say(f"   code2session on {wechat.url}, roomsig on {tencent.url}")
        step("A relay, which reports for the old clients")
        relay = _relay(folder, stack, local["APP"])
        say(f"   relay {relay['relay']} (its secret is in {folder / 'example.json'})")
        step("The backend")
        settings = _settings(local, relay, wechat.url, app_secret) | {
            "EXAMPLE_DATABASE": str(folder.resolve() / "weapp.sqlite3"),
            "PORT": local["PAGE_PORT"] if port is None else str(port),
        }
        with backend(settings) as (url, process), contextlib.suppress(KeyboardInterrupt):
            _say_what_to_do(url, tencent.url)
            process.wait()
            raise InfraError("The example backend has ended by itself; it says why above.")
        step("The backend and the stand-ins have stopped")


def _settings(
    local: Mapping[str, str], relay: Mapping[str, str], wechat: str, app_secret: str
) -> dict[str, str]:
    """The backend's environment: everything that it can do is on."""
    return {
        "ROOMGATE_ISSUER": local["ISSUER"],
        "ROOMGATE_ROOMS": local["ROOMS"],
        "ROOMGATE_WEBHOOK": local["WEBHOOK"],
        "ROOMGATE_API_KEY": local["API_KEY"],
        "ROOMGATE_SDK_APP_ID": local["APP"],
        "ROOMGATE_RELAY_ID": relay["relay"],
        "ROOMGATE_RELAY_SECRET": relay["secret"],
        "WECHAT_APP_ID": _APP_ID,
        "WECHAT_APP_SECRET": app_secret,
        "WECHAT_API": wechat,
        "SESSION_SECRET": secrets.token_hex(32),
        "EXAMPLE_DEMO_LOGIN": "yes-anyone-may-be-anyone",
        "EXAMPLE_UNAUTHENTICATED_WEAPP": "yes-anyone-may-enter",
        "EXAMPLE_WEB": str(WEB) if WEB.is_dir() else "",
    }


@contextlib.contextmanager
def backend(settings: Mapping[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The backend's address and its process, which is stopped afterwards.

    Args:
        settings: its environment; nothing else of ours reaches it.

    Raises:
        InfraError: it did not start; what it said stands above.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "backend"],
        cwd=EXAMPLES,
        env={**kept, **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        listens = _listens(process.stdout.readline())
        if not listens:
            raise InfraError("The example backend did not start; it says why above.")
        yield listens[1], process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def _local_of(folder: Path) -> dict[str, str]:
    """What ``make run`` wrote for a shell: addresses, application and API key; it must be up."""
    path = folder / "env"
    if not path.exists():
        raise InfraError(f"There is no {path}. Start `make run` first, and leave it running.")
    local = dict(line.split("=", 1) for line in path.read_text().splitlines())
    try:
        _get(f"{local['ISSUER']}/healthz", local)
    except requests.RequestException:
        raise InfraError(
            f"Roomgate does not answer at {local['ISSUER']}. Leave `make run` running."
        ) from None
    return local


def _public_key(local: Mapping[str, str]) -> str:
    """The public half of the key that signs now, which Tencent would know."""
    answer = _get(f"{local['ISSUER']}/v1/apps/{local['APP']}/keys", local)
    for key in answer["keys"]:
        if key["state"] == "current":
            public_key: str = key["publicKey"]
            return public_key
    raise InfraError(f"Application {local['APP']} has no key that signs.")


def _get(url: str, local: Mapping[str, str]) -> Any:
    """The JSON that one of the local functions answers; no proxy of this host can reach it."""
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Authorization": f"Bearer {local['API_KEY']}"}
        response = session.get(url, headers=headers, timeout=_SECONDS)
        response.raise_for_status()
        return response.json()


def _relay(folder: Path, stack: str, app: str) -> dict[str, Any]:
    """The relay of the last time, or a new one; its secret is shown only once, so it is kept."""
    kept = folder / "example.json"
    if not kept.exists():
        aws = dict(_exported((folder / "aws").read_text()))  # What `make run` wrote for a shell.
        plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        name = f"example-{secrets.token_hex(3)}"
        made = Operator(plain | aws | {"NO_PROXY": HOST}, stack).run(
            "relays", "add", name, "--application", app
        )
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(made))
    relay: dict[str, Any] = json.loads(kept.read_text())
    return relay


def _say_what_to_do(url: str, tencent: str) -> None:
    step(f"The example backend is up at {url}; Ctrl-C stops it. Try, in a second terminal:")
    say(_TRY.format(url=url, tencent=tencent))
    if WEB.is_dir():
        say(f"\n   Chrome: the web page, with a login for local use only: {url}/")


def _interrupt(_signal: int, _frame: object) -> None:
    for each in _STOPS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.example", description="The example backend, locally."
    )
    parser.add_argument("--folder", type=Path, default=LOCAL, help="of make run's local AWS")
    parser.add_argument("--stack", default=STACK, help="the name of the installation there")
    parser.add_argument(
        "--port", type=int, help="of the backend (the one whose web page may report)"
    )
    arguments = parser.parse_args()
    for each in _STOPS:
        signal.signal(each, _interrupt)
    try:
        run(arguments.folder, arguments.stack, arguments.port)
    except (InfraError, requests.RequestException) as error:
        print(f"\nmake example failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
