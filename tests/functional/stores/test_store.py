"""One contract for both stores: boto3 on moto, and the extension as AWS documents it."""

from __future__ import annotations

import json
import socket
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from chalicelib.stores.store import (
    AwsStore,
    ExtensionStore,
    NotInStore,
    Store,
    StoreDown,
    store_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "a session token"
SECRET_TEXT = json.dumps({"algorithm": "HMAC-SHA256", "key": "plainly a test secret"})
Answer = tuple[int, str]


@contextmanager
def serving(answer: Callable[[str, dict[str, str], str | None], Answer]) -> Iterator[int]:
    """An HTTP server on loopback that answers (path, query, token), whatever the method."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            token = self.headers["X-Aws-Parameters-Secrets-Token"]
            status, body = answer(url.path, query, token)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def extension_answer(path: str, query: dict[str, str], token: str | None) -> Answer:
    """What the extension answers: the services' own JSON, or a no that does not say why."""
    if token != TOKEN:
        return 401, "unauthorized"
    try:
        if path == "/secretsmanager/get":
            secrets = boto3.client("secretsmanager")
            secret = secrets.get_secret_value(
                SecretId=query["secretId"], VersionStage=query["versionStage"]
            )
            return 200, json.dumps(secret, default=str)
        found = boto3.client("ssm").get_parameter(Name=query["name"])
        return 200, json.dumps(found, default=str)
    except ClientError:
        return 400, "an unexpected error occurred while executing request"


@pytest.fixture(params=["aws", "extension"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each store in turn, over the same content."""
    with mock_aws():
        boto3.client("secretsmanager").create_secret(Name="s/app/1", SecretString=SECRET_TEXT)
        boto3.client("secretsmanager").create_secret(Name="s/empty")
        for name in ("/s/apps/1", "/s/apps/2", "/s/callers/a"):
            boto3.client("ssm").put_parameter(Name=name, Value=f"value of {name}", Type="String")
        if request.param == "aws":
            yield AwsStore()
        else:
            with serving(extension_answer) as port:
                yield ExtensionStore(port, TOKEN)


def test_a_secret_is_read_by_its_stage(store: Store) -> None:
    """Value and version come back; the repr shows only the version."""
    secret = store.secret("s/app/1")
    assert secret.value == SECRET_TEXT
    assert secret.version_id
    assert secret.created
    assert abs(time.time() - secret.created) < 600
    assert "plainly" not in repr(secret)


def test_a_parameter_is_read(store: Store) -> None:
    """Its value comes back."""
    assert store.parameter("/s/apps/1") == "value of /s/apps/1"


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("2020-09-13T12:26:40Z", 1_600_000_000),
        ("2020-09-13T12:26:40.123Z", 1_600_000_000),
        (1_600_000_000.5, 1_600_000_000),
        ("yesterday", None),
        (float("inf"), None),
        (None, None),
        ([], None),
    ],
)
def test_a_date_in_any_form_is_read_or_left_out(date: object, seconds: int | None) -> None:
    """When a version was made is good to know; no key waits for it."""
    answer = json.dumps({"SecretString": "s", "VersionId": "v", "CreatedDate": date})
    with serving(lambda *_: (200, answer)) as port:
        assert ExtensionStore(port, TOKEN).secret("name").created == seconds


@pytest.mark.parametrize(
    "body", ["<html>plainly no answer</html>", "{}", '{"Parameter": {}}', '{"Parameter": 7}', ""]
)
def test_an_aws_that_babbles_is_down(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """What botocore can't read, or what lacks its members, is no value."""
    with serving(lambda *_: (200, body)) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        store = AwsStore()
        for read in (store.secret, store.parameter):
            with pytest.raises(StoreDown) as caught:
                read("name")
            assert "plainly" not in str(caught.value)


@pytest.mark.parametrize("body", ["{}", '{"Parameters": []}', '{"Parameters": [{}]}'])
def test_an_aws_that_lists_nothing_lists_nothing(
    monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    """INIT, which asks for the names, goes on."""
    with serving(lambda *_: (200, body)) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        assert AwsStore().parameter_names("/s/apps") == []


@pytest.mark.parametrize(
    ("name", "stage"),
    [("s/app/2", "AWSCURRENT"), ("s/app/1", "AWSPREVIOUS"), ("s/empty", "AWSCURRENT")],
)
def test_a_secret_that_is_not_there(store: Store, name: str, stage: str) -> None:
    """No such secret, no such stage and no value yet are all the same: not there."""
    with pytest.raises(NotInStore) as caught:
        store.secret(name, stage)
    assert caught.value.name == name


def test_a_parameter_that_is_not_there(store: Store) -> None:
    """It is told apart from a store that is down."""
    store.parameter("/s/apps/1")
    with pytest.raises(NotInStore):
        store.parameter("/s/apps/9")


def test_an_extension_that_gives_nothing_and_does_not_say_why_is_down() -> None:
    """It may lack the right, or be throttled: there is no telling before it gave anything."""
    with mock_aws(), serving(extension_answer) as port:
        store = ExtensionStore(port, TOKEN)
        with pytest.raises(StoreDown):
            store.parameter("/s/apps/9")


def test_names_are_listed_where_the_store_can(store: Store) -> None:
    """boto3 lists a path; the extension has no such call, and says nothing rather than guess."""
    listed = sorted(store.parameter_names("/s/apps"))
    assert listed == (["/s/apps/1", "/s/apps/2"] if store.preloads else [])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "failed"),
        (400, "not ready to serve traffic, please wait"),
        (401, "unauthorized"),
        (200, "not JSON"),
        (200, "[]"),
        (200, "{}"),
        (200, '{"Parameter": 7}'),
    ],
)
def test_an_extension_that_fails_or_babbles_is_down(status: int, body: str) -> None:
    """Nothing that is no answer is taken for a value, or for a missing one."""
    with serving(lambda *_: (status, body)) as port:
        store = ExtensionStore(port, TOKEN)
        for read in (store.secret, store.parameter):
            with pytest.raises(StoreDown) as caught:
                read("name")
            assert TOKEN not in str(caught.value)


def test_an_extension_that_is_not_there_is_down() -> None:
    """A refused connection is a store that is down."""
    with serving(lambda *_: (200, "")) as port:
        pass
    with pytest.raises(StoreDown):
        ExtensionStore(port, TOKEN).parameter("name")


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n{"]
)
def test_what_does_not_speak_http_is_down(answer: bytes) -> None:
    """Whatever answers on that port, the failure is a StoreError."""

    def answer_once(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=answer_once, args=(server,))
        thread.start()
        with pytest.raises(StoreDown):
            ExtensionStore(server.getsockname()[1], TOKEN).secret("name")
        thread.join()


def test_a_binary_secret_is_garbage() -> None:
    """Roomgate's secrets are text."""
    with mock_aws():
        boto3.client("secretsmanager").create_secret(Name="s/app/1", SecretBinary=b"x")
        with pytest.raises(StoreDown):
            AwsStore().secret("s/app/1")


def test_an_aws_that_refuses_is_down() -> None:
    """An error of AWS's other than "not found" is a store that is down, by its code."""
    store = AwsStore()
    with Stubber(store._parameters) as stub:
        stub.add_client_error("get_parameter", "AccessDeniedException")
        with pytest.raises(StoreDown) as caught:
            store.parameter("name")
    assert caught.value.reason == "AccessDeniedException"


def test_the_environment_chooses_the_store() -> None:
    """The extension where its port is set, else boto3."""
    environ = {"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": "2773", "AWS_SESSION_TOKEN": TOKEN}
    assert isinstance(store_of(environ), ExtensionStore)
    assert isinstance(store_of({}), AwsStore)
