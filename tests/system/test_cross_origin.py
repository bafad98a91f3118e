"""Reports from web pages: a headless Chromium on an origin that is allowed, and on another."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.clients.test_page import Page
from tests.support.browser import Browser, browser, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.deploy.deployment import Deployed
    from tests.system.conftest import Tenant

SECONDS = 30


class Blank(BaseHTTPRequestHandler):
    """A page without anything in it."""

    def do_GET(self) -> None:
        """Answer with the page."""
        page = b"<!doctype html><html data-ready=yes><link rel=icon href=data:,>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def origin_on(port: int) -> Iterator[str]:
    """Serve a blank page; 0: on any free port."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Blank)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("No Chromium is installed, so no web page reports from one.")
    with browser(path, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def grant(deployed: Deployed, tenant: Tenant) -> dict[str, Any]:
    """The report part of an entry."""
    response = requests.post(
        f"{deployed.urls['issuer']}/v1/entries",
        headers=tenant.headers,
        json={"sdkAppId": tenant.sdk_app_id, "userId": "web", "roomId": 77},
        timeout=SECONDS,
    )
    report: dict[str, Any] = response.json()["report"]
    return report


def fetched(page: Page, method: str, url: str, token: str, body: str = "") -> Any:
    """What a script on the page reads of an answer: its status, or why it reads nothing."""
    options = f"""{{method: '{method}', headers: {{
        Authorization: 'Bearer {token}', 'Content-Type': 'application/json'}}}}"""
    return page.evaluate(
        f"fetch('{url}', Object.assign({options}, '{body}' ? {{body: '{body}'}} : {{}}))"
        ".then((response) => response.status, (error) => error.message)"
    )


def test_an_allowed_origin_reports_and_reads_its_roster(
    chrome: Browser, grant: dict[str, Any], page_port: int
) -> None:
    """Answers and problems can both be read."""
    with origin_on(page_port) as origin:
        page = Page(chrome, origin)
        report = '{"seq": 0, "userlist": []}'
        assert fetched(page, "POST", grant["url"], grant["token"], report) == 200
        assert fetched(page, "GET", grant["rosterUrl"], grant["token"]) == 200
        assert fetched(page, "POST", grant["url"], "no-token", report) == 401
        assert fetched(page, "POST", grant["url"], grant["token"], "{}") == 400
        page.close()


def test_another_origin_is_refused(chrome: Browser, grant: dict[str, Any]) -> None:
    """Its preflight is, so that no report leaves the browser."""
    with origin_on(0) as origin:
        page = Page(chrome, origin)
        report = '{"seq": 0, "userlist": [{"userid": "nobody"}]}'
        answer = fetched(page, "POST", grant["url"], grant["token"], report)
        assert answer == "Failed to fetch"
        page.close()
