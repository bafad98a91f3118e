"""The deployed bundle, on a local AWS of its own that starts empty and leaves nothing behind."""

from __future__ import annotations

import socket
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest

from infra.deploy import deployment as deploy
from infra.local.aws import LocalAws
from infra.package import target
from infra.package.bundle import Bundle, package
from infra.smoke.tenant import Operator, new_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.deploy.cloud import Cloud
    from infra.deploy.deployment import Deployed

STACK = "systest"


class Tenant(NamedTuple):
    """An application of its own, with a caller that may do everything in it.

    Attributes:
        sdk_app_id: the application.
        api_key: the caller's.
        key: the application's signing key, as it was imported.
        key_id: how Roomgate names that key.
    """

    sdk_app_id: int
    api_key: str
    key: str
    key_id: str

    @property
    def headers(self) -> dict[str, str]:
        """What a call with the API key carries."""
        return {"Authorization": f"Bearer {self.api_key}"}


class Tenants:
    """Makes tenants through the operator's command line.

    Attributes:
        operator: that command line, pointed at the local AWS.
    """

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self._ids = count(1400000001)

    def new(self, *rights: str, key: str | None = None) -> Tenant:
        """Make an application, its key and a caller.

        Args:
            rights: options of ``roomgate callers add``; by default every action in the application.
            key: PEM or HMAC secret; by default a fresh P-256 key.
        """
        app = next(self._ids)
        text = key or new_key()
        self.operator.run("apps", "add", str(app), "--largest-room", "5001")
        key_id = self.operator.run("keys", "import", str(app), "-", given=text)["keyId"]
        return Tenant(app, self.caller(app, *rights), text, key_id)

    def caller(self, app: int, *rights: str) -> str:
        """Make one more caller for an application and return its API key."""
        wanted = rights or ("--action", "issue", "--action", "inspect", "--action", "read")
        name = f"caller-{next(self._ids)}"
        made = self.operator.run("callers", "add", name, "--application", str(app), *wanted)
        api_key: str = made["apiKey"]
        return api_key


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS that runs."""
    with LocalAws(tmp_path_factory.mktemp("aws")) as running:
        yield running


@pytest.fixture(scope="session")
def cloud(aws: LocalAws) -> Cloud:
    """Clients of the local AWS, as its root user."""
    return aws.cloud


@pytest.fixture(scope="session")
def bundles() -> list[Bundle]:
    """The packaged functions, for this host."""
    return package(target.local())


@pytest.fixture(scope="session")
def page_port() -> int:
    """A free port: web pages that are served there may report."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def deployed(cloud: Cloud, bundles: list[Bundle], page_port: int) -> Deployed:
    """The bundle, deployed: ``deployed.urls["issuer"]`` and so on are base URLs."""
    options = {"DeletionProtection": "false", "WebOrigins": f"http://127.0.0.1:{page_port}"}
    return deploy.up(cloud, bundles, STACK, options, print)


@pytest.fixture(scope="session")
def tenants(aws: LocalAws, deployed: Deployed) -> Tenants:
    """Makes applications with a key and a caller."""
    return Tenants(Operator(aws.environ, deployed.stack))


@pytest.fixture(scope="session")
def tenant(tenants: Tenants) -> Tenant:
    """An application with a P-256 key, for tests that leave it as it is."""
    return tenants.new()
