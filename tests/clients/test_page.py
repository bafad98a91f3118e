"""The web page in a headless Chromium: by keyboard, light and dark, on a phone, beside an SDK."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.page_server import Site, served_page
from tests.support.browser import Browser, browser, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 20
ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}


class Page:
    """A page in a tab of its own."""

    def __init__(self, chrome: Browser, url: str, width: int = 1000, scheme: str = "light") -> None:
        self._chrome = chrome
        self._target = chrome._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        attach = {"targetId": self._target, "flatten": True}
        self._session = chrome._ask("Target.attachToTarget", attach)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        shape = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", **shape)
        preference = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", features=[preference])
        chrome._events.clear()
        self.ask("Page.navigate", url=url)
        self.until("document.documentElement?.dataset.ready === 'yes'")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol in this tab."""
        return self._chrome._ask(method, params, self._session)

    def evaluate(self, expression: str) -> Any:
        """What an expression of JavaScript comes to, once its promise is kept."""
        result = self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until something holds in the page."""
        deadline = time.monotonic() + SECONDS
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < deadline, f"{expression}: {self.text()}"
            self.go_on()

    def go_on(self) -> None:
        """Let the page live for a moment."""
        self.evaluate("new Promise((resolve) => setTimeout(resolve, 30))")

    def text(self) -> str:
        """What can be read on the page."""
        text: str = self.evaluate("document.body.innerText")
        return text

    def press(self, key: dict[str, Any]) -> None:
        """Press a key."""
        self.ask("Input.dispatchKeyEvent", type="keyDown", **key)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **key)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.ask("Input.insertText", text=text)

    def enter(self, name: str = "anna", room: int = 1234) -> None:
        """Fill in the form and send it, by keyboard alone."""
        self.evaluate("document.getElementById('name').focus()")
        self.type(name)
        self.press(TAB)
        self.evaluate("document.activeElement.select()")
        self.type(str(room))
        self.press(ENTER)

    def picture(self) -> bytes:
        """A PNG of the window."""
        return base64.b64decode(self.ask("Page.captureScreenshot")["data"])

    def close(self) -> None:
        """Close the tab."""
        self._chrome._ask("Target.closeTarget", {"targetId": self._target})


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("No Chromium is installed, so the web page is not tried in one.")
    with browser(path, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def site() -> Iterator[Site]:
    with served_page() as serving:
        yield serving


def until_reported(site: Site, page: Page, holds: str) -> dict[str, Any]:
    """The newest report, once it is as said: an expression of `body`."""
    deadline = time.monotonic() + SECONDS
    while not (site.reports and eval(holds, {"body": site.reports[-1]})):  # noqa: S307 (a test's own)
        assert time.monotonic() < deadline, (site.reports, page.text())
        page.go_on()
    return site.reports[-1]


def test_a_browser_enters_reports_across_origins_and_leaves(chrome: Browser, site: Site) -> None:
    """By keyboard alone; the SDK's events become reports, and leaving does."""
    page = Page(chrome, site.url)
    page.enter()
    page.until("document.getElementById('status').textContent.startsWith('You are in')")
    assert page.evaluate("trtc.calls") == [["enterRoom", 1234, "test-user-sig"]]
    page.evaluate("trtc.emit('remote-user-enter', {userId: 'bob'})")
    body = until_reported(site, page, "body.get('userlist') == [{'userid': 'bob'}]")
    assert isinstance(body["ageMs"], int)
    page.evaluate("trtc.emit('remote-video-available', {userId: 'bob', streamType: 'main'})")
    assert "video" in page.text()
    assert page.evaluate("trtc.calls.slice(1)") == [["startRemoteVideo", "bob"]]
    page.evaluate("document.getElementById('leave').focus()")
    page.press(ENTER)
    until_reported(site, page, "body.get('left')")
    page.until("document.getElementById('status').textContent.startsWith('You have left')")
    origin = site.url.removesuffix("/index.html")
    assert set(site.origins) == {("OPTIONS", origin), ("POST", origin)}
    page.close()


def test_a_page_that_goes_says_that_it_left(chrome: Browser, site: Site) -> None:
    """The last word outlives the page."""
    page = Page(chrome, site.url)
    page.enter()
    until_reported(site, page, "'userlist' in body")
    page.ask("Page.navigate", url="about:blank")
    until_reported(site, page, "body.get('left')")
    page.close()


def test_a_kicked_out_user_reads_why(chrome: Browser, site: Site) -> None:
    """KICKED_OUT of the SDK ends the stay."""
    page = Page(chrome, site.url)
    page.enter()
    until_reported(site, page, "'userlist' in body")
    page.evaluate("trtc.emit('kicked-out', {reason: 'banned'})")
    until_reported(site, page, "body.get('left')")
    assert "banned (kicked-out)" in page.text()
    page.close()


def test_a_refused_entry_is_explained(chrome: Browser, site: Site) -> None:
    """The backend's problem stands on the page, and the form can be sent again."""
    page = Page(chrome, site.url)
    page.enter(room=13)
    page.until("!document.getElementById('problem').hidden")
    assert "Not this room. (room-not-allowed)" in page.text()
    assert page.evaluate("document.getElementById('enter').disabled") is False
    assert site.reports == []
    page.close()


def test_without_an_sdk_the_page_says_so_and_reports_all_the_same(chrome: Browser) -> None:
    """No trtc.js beside it: no video, but the room and its roster."""
    with served_page(sdk=False) as site:
        page = Page(chrome, site.url)
        assert "there is no video" in page.text()
        page.enter()
        until_reported(site, page, "body.get('userlist') == []")
        page.until("document.getElementById('roster').textContent === 'demo-anna, bob ?'")
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_it_fits_phones_and_both_schemes(
    chrome: Browser, site: Site, width: int, scheme: str, tmp_path: Path
) -> None:
    """Nothing stands out to the right, ink and paper differ, and no script complains."""
    page = Page(chrome, site.url, width, scheme)
    page.enter()
    page.until("document.getElementById('status').textContent.startsWith('You are in')")
    for name in ("bob", "a" * 32, "carl"):
        page.evaluate(f"trtc.emit('remote-user-enter', {{userId: '{name}'}})")
    until_reported(site, page, "len(body.get('userlist', [])) == 3")
    measures = json.loads(
        page.evaluate("""JSON.stringify({
            beyond: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            paper: getComputedStyle(document.body).backgroundColor,
            ink: getComputedStyle(document.body).color,
        })""")
    )
    assert measures["beyond"] <= 0
    light = measures["paper"] == "rgb(246, 247, 249)"
    assert light == (scheme == "light")
    assert measures["ink"] != measures["paper"]
    complaints = [e for e in chrome._events if e["method"] == "Runtime.exceptionThrown"]
    assert complaints == []
    (tmp_path / f"web-{width}-{scheme}.png").write_bytes(page.picture())
    page.close()
