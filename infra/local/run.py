"""``make run``: the whole of Roomgate on this machine, walked through once and then left up.

    python -m infra.local.run [--once] [--folder .local]

Stops on Ctrl-C or SIGTERM, in good order: the local AWS saves its state, and the next start goes on
with it.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from requests import RequestException

from infra.deploy import deployment as deploy
from infra.emulators.loopback import HOST
from infra.layout import LOCAL, InfraError
from infra.local.aws import LocalAws, port_for
from infra.package import target
from infra.package.bundle import package
from infra.smoke.key_walk import KeyWalk
from infra.smoke.room_walk import RoomWalk
from infra.smoke.show import say, step
from infra.smoke.tenant import Operator, Tenant, settle
from infra.smoke.walk import ROOM, Http, Walk

if TYPE_CHECKING:
    from collections.abc import Mapping

STACK = "roomgate"
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_UNSET: Final = "unset AWS_PROFILE $(env | sed -n 's/^\\(AWS_[A-Z0-9_]*\\)=.*/\\1/p')\n"
"""Has a shell forget its AWS settings, whatever they are; one is named, since zsh wants a name."""


def run(folder: Path, *, once: bool) -> None:
    """Start, deploy, walk; then stay up until told to stop.

    Args:
        folder: where the local AWS keeps its state.
        once: whether to end after the walk.

    Raises:
        InfraError: a step failed.
    """
    started = time.monotonic()
    step("The functions are packaged")
    bundles = package(target.local())
    step("The local AWS starts")
    with LocalAws(folder) as aws:
        say(f"   {aws.endpoint} (process {aws.pid}, log {aws.log})")
        step("The bundle is deployed, as to AWS")
        page_port = port_for(folder / "page-port")
        options = {
            "DeletionProtection": "false",
            "WebOrigins": f"http://{HOST}:{page_port},http://localhost:{page_port}",
        }
        deployed = deploy.up(aws.cloud, bundles, STACK, options, lambda text: say(f"   {text}"))
        step("An operator sets up an application, its key and a caller")
        tenant = settle(aws, STACK, folder / "tenant.json")
        _write_env(folder / "env", deployed.urls, tenant, page_port)
        _write_settings(folder / "aws", aws)
        say(f"\n   up after {time.monotonic() - started:.1f} s")
        http = Http(aws.log)
        Walk(deployed.urls, tenant, http).walk()
        RoomWalk(deployed.urls, tenant, http).walk()
        KeyWalk(deployed.urls["issuer"], tenant, Operator(aws.environ, STACK)).walk()
        say("\n   The walk is done: users were let in, who came and went is known, a key rotated.")
        if not once:
            with contextlib.suppress(KeyboardInterrupt):
                _stay(folder / "env", deployed.urls, tenant)
        step("The local AWS stops, and saves its state")


def _write_env(path: Path, urls: Mapping[str, str], tenant: Tenant, page_port: int) -> None:
    """What a shell needs to call the functions: ``. .local/env``.

    `make example` serves the web page on PAGE_PORT: that origin may report.
    """
    variables = {name.upper(): url for name, url in urls.items()}
    variables |= {"APP": str(tenant.sdk_app_id), "API_KEY": tenant.api_key}
    variables["PAGE_PORT"] = str(page_port)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))


def _write_settings(path: Path, aws: LocalAws) -> None:
    """What a shell needs to call the local AWS, with roomgate or aws: ``. .local/aws``."""
    path.touch(mode=0o600)
    # The shell's own settings would be preferred to these (a region, an endpoint of one service),
    # or go with other credentials: what is meant for this AWS would reach a real one.
    ours = {name: value for name, value in aws.environ.items() if name.startswith("AWS_")}
    settings = ours | {"AWS_REGION": aws.settings["AWS_DEFAULT_REGION"]}
    lines = [f"export {name}={value}\n" for name, value in settings.items()]
    path.write_text(_UNSET + "".join(lines))


def _stay(env: Path, urls: Mapping[str, str], tenant: Tenant) -> None:
    issuer, rooms, key = urls["issuer"], urls["rooms"], tenant.api_key
    app = tenant.sdk_app_id
    body = f'{{"sdkAppId": {app}, "userId": "carol", "roomId": {ROOM}}}'
    step(f"It stays up; Ctrl-C stops it. Try (or `. {env}`, and the README's examples):")
    say(f"   curl -s {issuer}/v1/entries -H 'Authorization: Bearer {key}' \\")
    say(f"     -H 'Content-Type: application/json' -d '{body}'\n")
    say(f"   curl -s {rooms}/v1/apps/{app}/rooms/{ROOM} -H 'Authorization: Bearer {key}'\n")
    say(f"   curl -s {issuer}/v1/openapi.json\n")
    say("   A day of made-up rooms, and the report about it (report.html):")
    say("   make demo-data && .venv/bin/roomgate analytics report")
    threading.Event().wait()


def _interrupt_once(_signal: int, _frame: object) -> None:
    """Stop as on Ctrl-C, however we are told to; make passes a Ctrl-C on a second time.

    From the first one on nothing may come between the local AWS and the saving of its state.
    """
    for each in _STOPS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.run", description="Roomgate, locally."
    )
    parser.add_argument("--once", action="store_true", help="end after the walk")
    parser.add_argument("--folder", type=Path, default=LOCAL, help="state of the local AWS")
    arguments = parser.parse_args()
    for each in _STOPS:
        signal.signal(each, _interrupt_once)
    try:
        run(arguments.folder, once=arguments.once)
    except (InfraError, BotoCoreError, ClientError, RequestException) as error:
        print(f"\nmake run failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
