from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from bench.standins.loopback import HOST, Answer, Asked, Loopback
from bench.standins.stores import Extension, Stored
from chalicelib.keys.store import ExtensionStore, NotInStore, StoreDown

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "session/token+="
STORED = Stored(
    secrets={"roomgate/app/1": "a secret with ü and \r\n\r\n in it"},
    parameters={"/roomgate/apps/1": "x" * 70_000},
)


@pytest.fixture(name="extension")
def fixture_extension() -> Iterator[Extension]:
    with Extension(STORED, TOKEN) as extension:
        extension.invoke()
        yield extension


def test_a_secret_comes_with_its_version(extension: Extension) -> None:
    """The value is the secret string to the byte, and the version is named."""
    found = ExtensionStore(extension.port, TOKEN).secret("roomgate/app/1")
    assert found.value == STORED.secrets["roomgate/app/1"]
    assert found.version_id


def test_a_parameter_larger_than_one_segment_comes_whole(extension: Extension) -> None:
    """The answer is read to its end."""
    found = ExtensionStore(extension.port, TOKEN).parameter("/roomgate/apps/1")
    assert found == STORED.parameters["/roomgate/apps/1"]


@pytest.mark.parametrize("stage", ["AWSPREVIOUS", "NEXT"])
def test_a_label_that_no_version_carries_is_not_in_the_store(
    extension: Extension, stage: str
) -> None:
    """The staging label is part of the question."""
    with pytest.raises(NotInStore):
        ExtensionStore(extension.port, TOKEN).secret("roomgate/app/1", stage)


def test_an_unknown_parameter_is_not_in_the_store(extension: Extension) -> None:
    """The extension hands the store's own error on."""
    with pytest.raises(NotInStore):
        ExtensionStore(extension.port, TOKEN).parameter("/roomgate/apps/2")


def test_a_wrong_token_is_a_store_that_does_not_answer(extension: Extension) -> None:
    """A refusal is not taken for a missing secret, and does not repeat the token."""
    with pytest.raises(StoreDown, match="HTTP 401") as caught:
        ExtensionStore(extension.port, "stolen").secret("roomgate/app/1")
    assert "stolen" not in repr(caught.value)


def test_during_init_the_extension_is_not_ready(extension: Extension) -> None:
    """The extension answers in the INVOKE phase only."""
    extension.init()
    with pytest.raises(StoreDown, match="HTTP 400"):
        ExtensionStore(extension.port, TOKEN).secret("roomgate/app/1")


def test_nobody_there_is_a_store_that_is_down() -> None:
    """A port where nothing listens is told as such."""
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        store = ExtensionStore(unused.getsockname()[1], TOKEN)
        with pytest.raises(StoreDown, match="ConnectionRefusedError"):
            store.secret("roomgate/app/1")


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 OK\r\n\r\n", b'HTTP/1.1 200 OK\r\n\r\n{"Secret'],
    ids=["nothing", "not HTTP", "no status", "cut short"],
)
def test_garbage_is_a_store_that_is_down(answer: bytes) -> None:
    """Whatever answers on that port, the failure is a StoreError."""
    with socket.create_server((HOST, 0)) as server:
        threading.Thread(target=_answer_once, args=(server, answer), daemon=True).start()
        with pytest.raises(StoreDown):
            ExtensionStore(server.getsockname()[1], TOKEN).secret("roomgate/app/1")


def _answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(answer)


def test_an_answer_without_the_value_is_a_store_that_is_down() -> None:
    """A secret may be binary, which no key of ours is."""
    with (
        Loopback(
            lambda _asked: Answer(200, json.dumps({"SecretBinary": "AA=="}).encode())
        ) as server,
        pytest.raises(StoreDown, match="without SecretString"),
    ):
        ExtensionStore(server.port, TOKEN).secret("roomgate/app/1")


def test_names_are_written_so_that_they_arrive_as_they_are() -> None:
    """Slashes and labels go into the query encoded, the token into its header."""
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return Answer(200, json.dumps({"Parameter": {"Value": "v"}}).encode())

    with Loopback(answer) as server:
        ExtensionStore(server.port, TOKEN).parameter("/roomgate/callers/a b")
    assert asked[0].path == "/systemsmanager/parameters/get?name=%2Froomgate%2Fcallers%2Fa+b"
    assert asked[0].headers["X-Aws-Parameters-Secrets-Token"] == TOKEN
