from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.tickets import (
    ECDSA,
    HMAC,
    EcdsaKey,
    issue_private_map_key,
    issue_user_sig,
    load_key,
    verify_private_map_key,
    verify_user_sig,
)
from chalicelib.trtc import parse_room_url
from chalicelib.trtc.identifiers import parse_room
from roomgate.operator.api import Api
from roomgate.operator.errors import OperatorError
from tests.functional.roomgate.conftest import APP
from tests.support.issuer import IssuerStandIn
from tests.support.keys import new_secret, pem_of_new_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.functional.roomgate.conftest import Cli

PEM, SECRET = pem_of_new_key(), new_secret()
EC = load_key(ECDSA, PEM)
MAC = load_key(HMAC, SECRET)
API_KEY = "rg_backend_" + "k" * 43
WHO: dict[str, Any] = {"sdk_app_id": int(APP), "user_id": "alice"}


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    """A private key in a file."""
    path = tmp_path / "key.pem"
    path.write_text(PEM)
    return str(path)


@pytest.fixture
def public_file(tmp_path: Path) -> str:
    """Its public half in a file."""
    assert isinstance(EC, EcdsaKey)
    path = tmp_path / "public.pem"
    path.write_text(EC.public_pem)
    return str(path)


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[IssuerStandIn]:
    """A stand-in of the deployed issuer, where the environment says that it is."""
    with IssuerStandIn() as running:
        monkeypatch.setenv("ROOMGATE_ISSUER_URL", running.url)
        monkeypatch.setenv("ROOMGATE_API_KEY", API_KEY)
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        yield running


def sig(key: Any = EC, ttl: int = 600, now: int | None = None) -> str:
    return issue_user_sig(key, **WHO, now=now or int(time.time()), ttl=ttl)


def map_key(room: int | str, key: Any = MAC, privileges: int = 255) -> str:
    now = int(time.time())
    return issue_private_map_key(
        key, **WHO, room=parse_room(room), privileges=privileges, now=now, ttl=600
    )


class TestIssuingOffline:
    def test_a_user_sig(self, cli: Cli, key_file: str) -> None:
        """It holds, for as long as asked."""
        facts = cli.done("ticket", "issue", APP, "alice", "--ttl", "60", "--key-file", key_file)
        found = verify_user_sig(facts["userSig"], [EC], **WHO, now=int(time.time()))
        assert found.ends_at == facts["expiresAt"]
        assert facts["keyId"] == EC.key_id

    def test_all_to_enter_a_room(self, cli: Cli, key_file: str) -> None:
        """Both tickets, and the URL that carries them."""
        asked = ("--room", "7", "--role", "audience", "--key-file", key_file)
        facts = cli.done("ticket", "issue", APP, "alice", *asked)
        now = int(time.time())
        grant = verify_private_map_key(
            facts["privateMapKey"], [EC], **WHO, room=parse_room(7), now=now
        )
        assert (grant.privileges, grant.ends_at - grant.issued_at) == (42, 86_400)
        url = parse_room_url(facts["rtcUrl"])
        assert (url.user_sig, url.private_map_key) == (facts["userSig"], facts["privateMapKey"])

    def test_a_string_room_with_a_secret(self, cli: Cli) -> None:
        """The secret comes over standard input; privileges by name."""
        asked = ("--string-room", "7", "--privilege", "enter", "--key-file", "-")
        facts = cli.done("ticket", "issue", APP, "alice", *asked, given=SECRET)
        now = int(time.time())
        grant = verify_private_map_key(
            facts["privateMapKey"], [MAC], **WHO, room=parse_room("7"), now=now
        )
        assert (grant.privileges, facts["strRoomId"]) == (2, "7")

    def test_a_person_sees_them_too(self, cli: Cli, key_file: str) -> None:
        """Each alone on a line, so that it can be copied."""
        told = cli.told("ticket", "issue", APP, "alice", "--room", "7", "--key-file", key_file)
        lines = told.splitlines()
        assert [line.split()[0] for line in lines[::2]] == [
            *("userSig", "privateMapKey", "rtcUrl,"),
        ]
        verify_user_sig(lines[1], [EC], **WHO, now=int(time.time()))

    def test_a_string_room_needs_a_secret(self, cli: Cli, key_file: str) -> None:
        """Tickets of an ECDSA key know no such rooms."""
        asked = ("--string-room", "x", "--key-file", key_file)
        assert "HMAC-SHA256" in cli.failed("ticket", "issue", APP, "alice", *asked)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--room", "1", "--string-room", "1"), "different rooms"),
            (("--room", "1", "--role", "anchor", "--privilege", "enter"), "not both"),
            (("--role", "anchor"), "need a room"),
            (("--room", "0"), "must be from 1"),
            (("--string-room", "a\nb"), "U+000A"),
            (("--ttl", "4294967296"), "--ttl"),
        ],
    )
    def test_what_makes_no_sense_is_a_usage_error(
        self, cli: Cli, key_file: str, arguments: tuple[str, ...], said: str
    ) -> None:
        """Before anything is signed."""
        asked = ("ticket", "issue", APP, "alice", "--key-file", key_file)
        assert said in cli.misused(*asked, *arguments)

    def test_a_user_id_that_would_sign_a_second_identity_is_refused(
        self, cli: Cli, key_file: str
    ) -> None:
        """A line break would start a second line of what is signed."""
        asked = ("ticket", "issue", APP, "alice\nTLS.identifier:bob", "--key-file", key_file)
        assert "U+000A" in cli.misused(*asked)


class TestInspectingOffline:
    def test_a_good_ticket(self, cli: Cli, public_file: str) -> None:
        """A public key is enough; fields and verdict are shown."""
        facts = cli.done("ticket", "inspect", "--key-file", public_file, given=sig() + "\n")
        assert (facts["kind"], facts["verdict"]["code"]) == ("userSig", 0)
        assert (facts["keyId"], facts["fields"]["userId"]) == (EC.key_id, "alice")

    def test_a_ticket_of_another_key(self, cli: Cli, key_file: str, tmp_path: Path) -> None:
        """The exit code is 0: the inspection is done; the verdict is Tencent's 70009."""
        path = tmp_path / "ticket.txt"
        path.write_text(sig(load_key(ECDSA, pem_of_new_key())))
        told = cli.told("ticket", "inspect", str(path), "--key-file", key_file)
        assert "fix: 70009" in told

    def test_one_of_several_keys(self, cli: Cli, key_file: str, tmp_path: Path) -> None:
        """Whichever of them signed is named."""
        other = tmp_path / "other.pem"
        other.write_text(pem_of_new_key())
        keys = ("--key-file", str(other), "--key-file", key_file)
        assert cli.done("ticket", "inspect", *keys, given=sig())["keyId"] == EC.key_id

    def test_without_any_key(self, cli: Cli) -> None:
        """Its form, its time and whom it is for can be told without."""
        asked = ("--offline", "--app", APP, "--user", "bob")
        facts = cli.done("ticket", "inspect", *asked, given=sig())
        assert facts["verdict"]["code"] == 70013

    @pytest.mark.parametrize("given", ["", "no ticket at all", "eJ" * 40])
    def test_rubbish_is_explained(self, cli: Cli, given: str) -> None:
        """Never a crash, and never its text."""
        told = cli.told("ticket", "inspect", "--offline", given=given)
        assert "fix: 700" in told

    def test_it_must_be_said_how(self, cli: Cli) -> None:
        """Offline, with a key, or through the issuer, which wants to know the application."""
        assert "--app" in cli.misused("ticket", "inspect", given=sig())


class TestVerifyingOffline:
    def test_a_good_ticket(self, cli: Cli, public_file: str) -> None:
        """Exit code 0."""
        asked = ("ticket", "verify", APP, "alice", "--key-file", public_file)
        facts = cli.done(*asked, given=sig())
        assert (facts["holds"], facts["kind"]) == (True, "userSig")
        assert "ok" in cli.told(*asked, given=sig())

    def test_a_room_ticket(self, cli: Cli, tmp_path: Path) -> None:
        """With a room it is a privateMapKey; what it allows is shown."""
        path = tmp_path / "secret.txt"
        path.write_text(SECRET)
        asked = ("ticket", "verify", APP, "alice", "--key-file", str(path))
        facts = cli.done(*asked, "--string-room", "x", given=map_key("x", privileges=2))
        assert facts["privileges"] == ["enter"]

    @pytest.mark.parametrize(
        ("given", "rest", "code"),
        [
            (sig(load_key(ECDSA, pem_of_new_key())), (), 70009),
            (sig(now=1_600_000_000), (), 70001),
            (sig(MAC), (), 70009),
            (map_key(7, EC), (), 70009),
            (map_key(7, EC), ("--room", "8"), 87),
            (map_key(7, EC), ("--string-room", "7"), 87),
            ("rubbish", (), 70003),
            ("", (), 70002),
        ],
    )
    def test_a_ticket_that_does_not_hold(
        self, cli: Cli, key_file: str, given: str, rest: tuple[str, ...], code: int
    ) -> None:
        """Exit code 1, with Tencent's code, and without the ticket."""
        said = cli.failed(
            *("ticket", "verify", APP, "alice", "--key-file", key_file), *rest, given=given
        )
        assert f"Tencent's {code}" in said
        assert not given or given not in said

    def test_a_file_with_a_public_and_a_private_key_is_none(
        self, cli: Cli, public_file: str, tmp_path: Path
    ) -> None:
        """Which of the two is meant can't be told."""
        both = tmp_path / "both.pem"
        with open(public_file) as file:  # noqa: PTH123 (a name is what the fixture gives)
            both.write_text(file.read() + PEM)
        asked = ("ticket", "verify", APP, "alice", "--key-file", str(both))
        assert "2 keys" in cli.failed(*asked, given=sig())

    def test_a_damaged_public_key_is_said(self, cli: Cli, public_file: str, tmp_path: Path) -> None:
        """It is no matter of the ticket."""
        bad = tmp_path / "bad.pem"
        with open(public_file) as file:  # noqa: PTH123 (likewise)
            bad.write_text(file.read().replace("M", "N", 1))
        asked = ("ticket", "verify", APP, "alice", "--key-file", str(bad))
        assert "can't be used" in cli.failed(*asked, given=sig())


class TestThroughTheIssuer:
    def test_a_user_sig(self, cli: Cli, issuer: IssuerStandIn) -> None:
        """The API key goes into the header, and the answer is the issuer's."""
        answer = {"userSig": "eJ", "expiresAt": 1_600_000_000, "keyId": "k"}
        issuer.answer = (200, answer)
        assert cli.done("ticket", "issue", APP, "alice", "--ttl", "60") == answer
        (asked,) = issuer.asked
        assert asked.path == "/issuer/v1/user-sigs"
        assert asked.authorization == f"Bearer {API_KEY}"
        assert asked.body == {"sdkAppId": int(APP), "userId": "alice", "ttl": 60}

    def test_an_entry(self, cli: Cli, issuer: IssuerStandIn) -> None:
        """With a room it is a whole entry."""
        cli.run("ticket", "issue", APP, "alice", "--string-room", "x", "--ttl", "60")
        (asked,) = issuer.asked
        assert asked.path == "/issuer/v1/entries"
        assert (asked.body["strRoomId"], asked.body["privateMapKeyTtl"]) == ("x", 60)

    def test_the_api_key_may_come_over_standard_input(
        self, cli: Cli, issuer: IssuerStandIn
    ) -> None:
        """It counts more than the environment's."""
        cli.run("ticket", "issue", APP, "alice", "--api-key-stdin", given="rg_other_key\n")
        assert issuer.asked[0].authorization == "Bearer rg_other_key"

    def test_without_an_api_key_nothing_is_asked(
        self, cli: Cli, issuer: IssuerStandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What to do is told, the offline way too."""
        monkeypatch.delenv("ROOMGATE_API_KEY")
        said = cli.failed("ticket", "issue", APP, "alice")
        assert "ROOMGATE_API_KEY" in said
        assert "--key-file" in said
        assert issuer.asked == []

    def test_netrc_does_not_replace_the_api_key(
        self, cli: Cli, issuer: IssuerStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """requests would put what it finds there for a host into the header."""
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        cli.run("ticket", "issue", APP, "alice")
        assert issuer.asked[0].authorization == f"Bearer {API_KEY}"

    def test_a_problem_is_told_with_what_to_do(self, cli: Cli, issuer: IssuerStandIn) -> None:
        """Its code, its sentence, the request's id; never the API key."""
        errors = [{"pointer": "#/userId", "detail": "is too long"}]
        problem = {"code": "api-key-invalid", "detail": "No.", "requestId": "r1", "errors": errors}
        issuer.answer = (401, problem)
        said = cli.failed("ticket", "issue", APP, "alice")
        for part in ("401 api-key-invalid", "#/userId is too long", "callers list", "request r1"):
            assert part in said
        assert API_KEY not in said

    def test_what_a_problem_says_twice_is_told_once(self, cli: Cli, issuer: IssuerStandIn) -> None:
        """Where one member is wrong, its sentence is the problem's."""
        detail = "This caller may not use this application."
        errors = [{"pointer": "#/sdkAppId", "detail": detail}]
        issuer.answer = (403, {"code": "no", "detail": detail, "errors": errors})
        said = cli.failed("ticket", "issue", APP, "alice")
        assert (said.count(detail), ".." in said) == (1, False)

    @pytest.mark.parametrize("answer", [b"<html>", b"[]", {"message": "Forbidden"}])
    def test_what_is_not_roomgate_is_said(
        self, cli: Cli, issuer: IssuerStandIn, answer: object
    ) -> None:
        """The URL is probably wrong."""
        issuer.answer = (403, answer)
        assert "not Roomgate's" in cli.failed("ticket", "issue", APP, "alice")

    def test_a_redirect_is_not_followed(self, cli: Cli, issuer: IssuerStandIn) -> None:
        """The API key is nobody else's business."""
        issuer.answer = (307, {})
        cli.failed("ticket", "issue", APP, "alice")
        assert len(issuer.asked) == 1

    def test_an_issuer_that_does_not_answer_is_said(self, cli: Cli, issuer: IssuerStandIn) -> None:
        """With the kind of failure."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            said = cli.failed("ticket", "issue", APP, "alice", "--api", url)
        assert "can't be reached (ConnectionError)" in said
        assert issuer.asked == []

    @pytest.mark.parametrize(
        "url",
        [
            "http://rooms.example.com/issuer",
            "rooms.example.com",
            "https://user@rooms.example.com",
            "https://official.opensso.tencent-cloud.com/v4/openim/jsonvideoapp?x=",
            "ftp://127.0.0.1/",
        ],
    )
    def test_a_url_that_an_api_key_must_not_go_to(self, cli: Cli, url: str) -> None:
        """Not in the clear, and to nothing but a base URL."""
        env = {"ROOMGATE_API_KEY": API_KEY}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(*next(iter(env.items())))
            said = cli.failed("ticket", "issue", APP, "alice", "--api", url)
        assert "https://" in said

    def test_an_inspection(self, cli: Cli, issuer: IssuerStandIn) -> None:
        """All that is expected goes along."""
        verdict = {"code": 87, "name": "n", "cause": "c"}
        issuer.answer = (200, {"kind": None, "fields": {}, "verdict": verdict, "keyId": None})
        asked = ("ticket", "inspect", "--app", APP, "--user", "alice", "--room", "7")
        assert "fix: 87 n: c" in cli.told(*asked, given="ticket\n")
        body = {"ticket": "ticket", "sdkAppId": int(APP), "userId": "alice", "roomId": 7}
        assert issuer.asked[0].body == body

    @pytest.mark.parametrize(("code", "key_id"), [(70009, None), (0, None)])
    def test_a_ticket_that_does_not_hold(
        self, cli: Cli, issuer: IssuerStandIn, code: int, key_id: str | None
    ) -> None:
        """Nor does one whose signature nobody checked."""
        verdict = {"code": code, "name": "n", "cause": "because"}
        issuer.answer = (200, {"verdict": verdict, "keyId": key_id, "fields": {}})
        said = cli.failed("ticket", "verify", APP, "alice", given="ticket")
        assert f"Tencent's {code}" in said
        assert issuer.asked[0].body["kind"] == "userSig"

    def test_a_ticket_that_holds(self, cli: Cli, issuer: IssuerStandIn) -> None:
        """Until when, and whose key."""
        fields = {"endsAt": 1_600_000_000, "privilegeNames": ["enter"]}
        verdict = {"code": 0, "name": "ok", "cause": ""}
        issuer.answer = (200, {"verdict": verdict, "keyId": "k1", "fields": fields})
        facts = cli.done("ticket", "verify", APP, "alice", "--room", "7", given="ticket")
        assert (facts["keyId"], facts["privileges"]) == ("k1", ["enter"])


def test_an_api_does_not_show_its_key() -> None:
    """Not in its repr."""
    assert API_KEY not in repr(Api("https://example.com", API_KEY))
    with pytest.raises(OperatorError):
        Api("")


class TestRoomUrls:
    ANSWER = json.dumps({"RspHead": {"ErrorCode": 0}, "RspBody": {"opaque": "é"}})

    def test_a_url_is_made_of_an_answer(self, cli: Cli) -> None:
        """Offline, from a file or standard input."""
        asked = ("room-url", APP, "alice", "7", "--record-id", "3")
        url = cli.done(*asked, given=self.ANSWER)["roomUrl"]
        parsed = parse_room_url(url)
        assert (parsed.room, parsed.record_id, parsed.roomsig) == (7, 3, '{"opaque":"é"}')
        assert cli.told(*asked, given=self.ANSWER).strip() == url

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ('{"RspHead": {"ErrorCode": 70009, "ErrorInfo": "sig"}}', "70009"),
            ('{"RspHead": {"ErrorCode": 0}}', "RspBody"),
            ("", "not JSON"),
        ],
    )
    def test_a_refusal_becomes_no_url(self, cli: Cli, answer: str, said: str) -> None:
        """It is explained."""
        assert said in cli.failed("room-url", APP, "alice", "7", given=answer)
