"""A headless Chromium over its debugging pipe: what a page looks like, asks for and complains of.

Chromium's DevTools protocol is JSON, a message ending with a NUL byte; with
``--remote-debugging-pipe`` it reads file descriptor 3 and writes 4, so no port is opened.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
_COMPLAINTS = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
_MEASURES = """JSON.stringify({
    window: window.innerWidth,
    beyond: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    out: [...document.querySelectorAll('main *')].filter(each => {
        const box = each.getBoundingClientRect();
        const scrolls = each.closest('.scroll, pre, svg');
        return box.width && !scrolls && box.right > window.innerWidth + 0.5;
    }).map(each => each.outerHTML.slice(0, 80)),
    pictures: [...document.querySelectorAll('svg')].filter(each => each.clientHeight > 50).length,
    paper: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    text: document.body.innerText,
})"""


class Seen(NamedTuple):
    """What was seen of a page.

    Attributes:
        requests: the URLs that it asked for, its own among them.
        complaints: messages of the console.
        measures: the window's width, how far the page goes beyond it, elements that stand out,
            pictures that show, colours, text.
        picture: a PNG.
    """

    requests: list[str]
    complaints: list[str]
    measures: dict[str, Any]
    picture: bytes


def chromium() -> str | None:
    """Where one is installed, or None."""
    found = (shutil.which(name) for name in _NAMES)
    return next((path for path in found if path), None)


class Browser:
    """A browser that runs; ``browser`` starts one."""

    def __init__(self, write: int, read: int) -> None:
        self._write = write
        self._read = read
        self._id = 0
        self._rest = b""
        self._events: list[dict[str, Any]] = []

    def look(self, page: Path, width: int, height: int, scheme: str) -> Seen:
        """Open a page.

        Args:
            page: a file.
            width: of the window, in CSS pixels.
            height: likewise.
            scheme: ``light`` or ``dark``.
        """
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})
        session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable", session=session)
        phone = width < 600
        shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self._ask("Emulation.setDeviceMetricsOverride", shape, session)
        preference = {"name": "prefers-color-scheme", "value": scheme}
        self._ask("Emulation.setEmulatedMedia", {"features": [preference]}, session)
        self._events.clear()
        self._ask("Page.navigate", {"url": page.as_uri()}, session)
        self._wait_for("Page.loadEventFired")
        told = self._ask("Runtime.evaluate", {"expression": _MEASURES}, session)
        picture = self._ask("Page.captureScreenshot", {"captureBeyondViewport": False}, session)
        self._ask("Target.closeTarget", {"targetId": target})
        return Seen(
            [e["params"]["request"]["url"] for e in self._of("Network.requestWillBeSent")],
            [json.dumps(event["params"]) for name in _COMPLAINTS for event in self._of(name)],
            json.loads(told["result"]["value"]),
            base64.b64decode(picture["data"]),
        )

    def _of(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self._events if event["method"] == name]

    def _wait_for(self, name: str) -> None:
        while not self._of(name):
            self._events.append(self._message())

    def _ask(
        self, method: str, params: dict[str, Any] | None = None, session: str | None = None
    ) -> dict[str, Any]:
        self._id += 1
        message = {"id": self._id, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._id:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._events.append(answer)

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            chunk = os.read(self._read, 65_536)
            assert chunk, "the browser has ended"
            self._rest += chunk
        message, _, self._rest = self._rest.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded


@contextmanager
def browser(path: str, profile: Path) -> Iterator[Browser]:
    """Start a browser.

    Args:
        path: the program.
        profile: a folder for what it keeps.
    """
    their_in, our_out = os.pipe()
    our_in, their_out = os.pipe()
    # The shell puts the ends where Chromium expects them, whatever numbers they have here.
    words = [path, *_QUIET, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
    script = f'exec 3<&{their_in} 4>&{their_out}; exec "$@"'
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", *words],
        pass_fds=(their_in, their_out),
        stderr=subprocess.DEVNULL,
    )
    os.close(their_in)
    os.close(their_out)
    try:
        yield Browser(our_out, our_in)
    finally:
        os.close(our_out)  # It ends when nobody can ask it any more.
        os.close(our_in)
        process.wait(30)
