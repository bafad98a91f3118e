from __future__ import annotations

import json
import os
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from chalicelib.tickets import ECDSA, HMAC, EcdsaKey, load_key
from tests.functional.roomgate.conftest import APP, BOTO, STACK
from tests.support.keys import new_secret, pem_of_new_key

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from tests.functional.roomgate.conftest import Cli

NAME = f"{STACK}/app/{APP}"
PEM = pem_of_new_key()
SECRET = new_secret()


def pem(key: PrivateKeyTypes, password: bytes | None = None) -> str:
    hiding = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hiding).decode()


def public_pem() -> str:
    key = load_key(ECDSA, PEM)
    assert isinstance(key, EcdsaKey)
    return key.public_pem


def key_id(algorithm: str, text: str) -> str:
    return load_key(algorithm, text).key_id


def labelled(stage: str) -> dict[str, str]:
    client = BOTO.client("secretsmanager")
    found = client.get_secret_value(SecretId=NAME, VersionStage=stage)
    value: dict[str, str] = json.loads(found["SecretString"])
    return value


def secrets() -> list[str]:
    return [each["Name"] for each in BOTO.client("secretsmanager").list_secrets()["SecretList"]]


@pytest.fixture(params=["moto", "stand-in"])
def app(request: pytest.FixtureRequest, cli: Cli) -> str:
    """An application that is set up, and has no key."""
    request.getfixturevalue("aws" if request.param == "moto" else "rotating")
    cli.done("apps", "add", APP)
    return APP


class TestGenerating:
    def test_a_new_key_is_for_its_owner_alone(self, cli: Cli, tmp_path: Path) -> None:
        """The file is a P-256 key with mode 0600, whatever the umask; its public half is shown."""
        path = tmp_path / "new.pem"
        before = os.umask(0)
        try:
            facts = cli.done("keys", "generate", str(path))
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        key = load_key(ECDSA, path.read_text())
        assert isinstance(key, EcdsaKey)
        assert (key.curve, key.key_id) == ("P-256", facts["keyId"])
        assert facts["publicKey"] == key.public_pem
        assert isinstance(load_pem_public_key(key.public_pem.encode()), ec.EllipticCurvePublicKey)

    def test_the_private_key_is_not_shown(self, cli: Cli, tmp_path: Path) -> None:
        """A person sees the public key, for the console, and the next command."""
        told = cli.told("keys", "generate", str(tmp_path / "new.pem"))
        assert "BEGIN PUBLIC KEY" in told
        assert "PRIVATE" not in told
        assert "roomgate keys import" in told

    def test_a_file_is_never_overwritten(self, cli: Cli, tmp_path: Path) -> None:
        """Nor is a link followed: losing a key that signs would be worse than any error."""
        path = tmp_path / "there.pem"
        path.write_text("precious")
        assert "never overwritten" in cli.failed("keys", "generate", str(path))
        assert path.read_text() == "precious"
        link = tmp_path / "link.pem"
        link.symlink_to(tmp_path / "elsewhere.pem")
        assert "never overwritten" in cli.failed("keys", "generate", str(link))

    def test_a_folder_that_is_not_there_is_said(self, cli: Cli, tmp_path: Path) -> None:
        """The reason is the system's."""
        assert "No such file" in cli.failed("keys", "generate", str(tmp_path / "no" / "k.pem"))


class TestTheFirstKey:
    @pytest.mark.parametrize(("algorithm", "made"), [(ECDSA, PEM), (HMAC, SECRET)])
    def test_it_signs_at_once(self, cli: Cli, app: str, algorithm: str, made: str) -> None:
        """The algorithm follows from the file; the answer names the key and does not show it."""
        facts = cli.done("keys", "import", app, "-", given=made)
        expected = {"algorithm": algorithm, "keyId": key_id(algorithm, made), "state": "current"}
        assert facts == {"sdkAppId": int(APP), **expected}
        assert labelled("AWSCURRENT") == {"algorithm": algorithm, "key": made.strip()}

    def test_it_comes_from_a_file(self, cli: Cli, app: str, tmp_path: Path) -> None:
        """A byte order mark, as Windows' editors write it, is no part of it."""
        path = tmp_path / "key.pem"
        path.write_text("\N{ZERO WIDTH NO-BREAK SPACE}" + PEM)
        assert "now signs" in cli.told("keys", "import", app, str(path))
        assert labelled("AWSCURRENT")["key"] == PEM.strip()

    def test_white_space_around_a_secret_is_left_out_and_said(self, cli: Cli, app: str) -> None:
        """echo adds a newline; the stored secret is what the console shows."""
        result = cli.run("keys", "import", app, "-", given=f" {SECRET}\n")
        assert "was left out" in " ".join(result.stderr.split())
        assert labelled("AWSCURRENT")["key"] == SECRET

    def test_scripts_learn_of_it_too(self, cli: Cli, app: str) -> None:
        """The note stands among the facts."""
        result = cli.run("--json", "keys", "import", app, "-", given=SECRET + "\n")
        (note,) = json.loads(result.stdout)["notes"]
        assert "left out" in note

    def test_a_clean_secret_is_not_remarked_upon(self, cli: Cli, app: str) -> None:
        """Nor is the newline at the end of a PEM file, which belongs there."""
        assert cli.run("keys", "import", app, "-", given=PEM).stderr == ""

    def test_it_needs_its_application(self, cli: Cli, app: str) -> None:
        """Without settings there is nothing to import a key for; the text says what to do."""
        said = cli.failed("keys", "import", "1400000009", "-", given=PEM)
        assert "roomgate apps add 1400000009" in said
        assert app
        assert secrets() == []

    def test_it_needs_an_allowed_algorithm(self, cli: Cli, app: str) -> None:
        """The application's settings decide which algorithms may sign."""
        cli.done("apps", "set", app, "--algorithm", HMAC)
        said = cli.failed("keys", "import", app, "-", given=PEM)
        assert f"roomgate apps set {app} --algorithm {HMAC} --algorithm {ECDSA}" in said
        assert secrets() == []

    def test_its_algorithm_cannot_be_forbidden_while_it_signs(self, cli: Cli, app: str) -> None:
        """Every function that starts would be without a key; what comes first is told."""
        cli.done("keys", "import", app, "-", given=PEM)
        said = cli.failed("apps", "set", app, "--algorithm", HMAC)
        assert f"roomgate keys rotate {app}" in said
        assert key_id(ECDSA, PEM) in said
        (settings,) = cli.done("apps", "list")["applications"]
        assert settings["algorithms"] == [ECDSA, HMAC]
        cli.done("apps", "set", app, "--algorithm", ECDSA)

    def test_a_secret_that_is_being_deleted_is_said(self, cli: Cli, app: str) -> None:
        """AWS keeps a deleted secret for days; it can be restored."""
        cli.done("keys", "import", app, "-", given=PEM)
        BOTO.client("secretsmanager").delete_secret(SecretId=NAME, RecoveryWindowInDays=7)
        said = cli.failed("keys", "import", app, "-", given=SECRET)
        assert f"restore-secret --secret-id {NAME}" in said

    def test_a_secret_without_a_value_is_filled(self, cli: Cli, app: str) -> None:
        """However it came to be empty: the first key signs."""
        BOTO.client("secretsmanager").create_secret(Name=NAME)
        assert cli.done("keys", "import", app, "-", given=PEM)["state"] == "current"


class TestAKeyInKms:
    @pytest.fixture
    def app(self, aws: None, cli: Cli) -> str:  # noqa: ARG002 (its account)
        """On moto alone, which has a KMS."""
        cli.done("apps", "add", APP)
        return APP

    def test_its_id_is_stored(self, cli: Cli, app: str) -> None:
        """Its public half is shown, as that of any other key."""
        kms: Any = BOTO.client("kms")
        made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        kms_key_id = made["KeyMetadata"]["KeyId"]
        facts = cli.done("keys", "import", app, "--kms-key-id", kms_key_id)
        assert labelled("AWSCURRENT") == {"algorithm": ECDSA, "kmsKeyId": kms_key_id}
        (stored,) = cli.done("keys", "status", app)["keys"]
        assert stored["keyId"] == facts["keyId"]
        assert "BEGIN PUBLIC KEY" in stored["publicKey"]

    @pytest.mark.parametrize("kms_key_id", ["alias/mine", "1234abcd-12ab-34cd-56ef-1234567890ab"])
    def test_one_that_cannot_sign_is_refused(self, cli: Cli, app: str, kms_key_id: str) -> None:
        """What kind of key it takes is told."""
        said = cli.failed("keys", "import", app, "--kms-key-id", kms_key_id)
        assert "ECC_NIST_P256" in said
        assert secrets() == []

    def test_one_of_another_kind_is_refused(self, cli: Cli, app: str) -> None:
        """Nothing is said of a file, since there is none."""
        kms: Any = BOTO.client("kms")
        made = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
        said = cli.failed("keys", "import", app, "--kms-key-id", made["KeyMetadata"]["KeyId"])
        assert "can't be used: a key of KMS that signs no tickets. Needed is" in said
        assert secrets() == []


class TestUnusableKeys:
    @pytest.fixture
    def app(self, aws: None, cli: Cli) -> str:  # noqa: ARG002 (its account)
        """On moto alone: these don't get as far as Secrets Manager."""
        cli.done("apps", "add", APP)
        return APP

    @pytest.mark.parametrize(
        ("given", "wrong", "advice"),
        [
            (pem(rsa.generate_private_key(65537, 2048)), "an RSA key", "console"),
            (pem(ed25519.Ed25519PrivateKey.generate()), "an Ed25519 key", "console"),
            (pem_of_new_key(ec.SECP384R1()), "on P-384", "console"),
            (pem(ec.generate_private_key(ec.SECP256R1()), b"pw"), "encrypted", "openssl pkey"),
            (PEM[: len(PEM) // 2], "cut short", "console"),
            (PEM[:60] + PEM[80:], "damaged", "console"),
            (public_pem(), "a public key only", "private key that belongs"),
            (PEM + pem_of_new_key(), "2 keys", "console"),
            (PEM + public_pem(), "2 keys", "private key that belongs"),
            ("", "empty", "console"),
            ("\n", "empty", "console"),
            ("too-short", "9 characters", "console"),
            (SECRET[:32] + " " + SECRET[32:], "white space inside", "console"),
            (SECRET + "\n" + SECRET, "white space inside", "console"),
        ],
    )
    def test_what_is_wrong_and_what_to_do_is_told(
        self, cli: Cli, app: str, given: str, wrong: str, advice: str
    ) -> None:
        """Without a part of the key; and the store stays as it was."""
        said = cli.failed("keys", "import", app, "-", given=given)
        assert "can't be used (standard input)" in said
        assert wrong in said
        assert advice in said
        assert not any(len(line) > 9 and line in said for line in given.splitlines())
        assert secrets() == []

    @pytest.mark.parametrize(
        ("algorithm", "given"), [(ECDSA, SECRET), (HMAC, PEM), (ECDSA, public_pem())]
    )
    def test_the_algorithm_that_is_named_counts(
        self, cli: Cli, app: str, algorithm: str, given: str
    ) -> None:
        """A file of the other kind is refused, not guessed about."""
        said = cli.failed("keys", "import", app, "-", "--algorithm", algorithm, given=given)
        assert "can't be used" in said

    def test_no_text_is_no_key(self, cli: Cli, app: str) -> None:
        """DER, for example; how to make PEM of it is told."""
        der = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
        )
        assert "-inform DER" in cli.misused("keys", "import", app, "-", given=der + b"\xff\xfe")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("no-such-file",), "No such file"),
            (("/",), "directory"),
            ((), "Give either a FILE"),
            (("/dev/null", "--kms-key-id", "x"), "Give either a FILE"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_a_usage_error(
        self, cli: Cli, app: str, arguments: tuple[str, ...], said: str
    ) -> None:
        """The name and the system's reason."""
        assert said.lower() in cli.misused("keys", "import", app, *arguments).lower()

    def test_a_file_that_is_too_long_is_not_read_to_its_end(self, cli: Cli, app: str) -> None:
        """A key has a few hundred bytes."""
        assert "longer than" in cli.misused("keys", "import", app, "-", given="x" * 65_537)


class TestACandidate:
    def test_a_later_key_waits(self, cli: Cli, app: str) -> None:
        """Nothing signs with it; what happens next is told."""
        cli.done("keys", "import", app, "-", given=PEM)
        facts = cli.done("keys", "import", app, "-", given=SECRET)
        assert (facts["state"], facts["keyId"]) == ("candidate", key_id(HMAC, SECRET))
        assert labelled("AWSCURRENT")["key"] == PEM.strip()
        assert labelled("NEXT")["key"] == SECRET

    def test_people_are_told_when_it_counts(self, cli: Cli, app: str) -> None:
        """The schedule takes it up by itself: whoever imports must know."""
        cli.done("keys", "import", app, "-", given=PEM)
        told = cli.told("keys", "import", app, "-", given=SECRET)
        assert "within 5 minutes" in told
        assert f"roomgate keys rotate {app}" in told

    def test_the_key_that_signs_is_refused(self, cli: Cli, app: str) -> None:
        """Importing the same key twice would rotate to itself."""
        cli.done("keys", "import", app, "-", given=PEM)
        assert "current key already" in cli.failed("keys", "import", app, "-", given=PEM)

    def test_the_candidate_is_refused_too(self, cli: Cli, app: str) -> None:
        """It waits already; what makes it sign is told."""
        cli.done("keys", "import", app, "-", given=PEM)
        cli.done("keys", "import", app, "-", given=SECRET)
        said = cli.failed("keys", "import", app, "-", given=SECRET)
        assert f"roomgate keys rotate {app}" in said

    def test_another_candidate_needs_a_word(self, cli: Cli, app: str) -> None:
        """--replace says that it is meant."""
        cli.done("keys", "import", app, "-", given=PEM)
        cli.done("keys", "import", app, "-", given=SECRET)
        other = new_secret()
        said = cli.failed("keys", "import", app, "-", given=other)
        assert "--replace" in said
        assert f"roomgate keys abort {app}" in said
        facts = cli.done("keys", "import", app, "-", "--replace", given=other)
        assert facts["keyId"] == key_id(HMAC, other)
        assert labelled("NEXT")["key"] == other

    def test_it_can_be_dropped(self, cli: Cli, app: str) -> None:
        """The key that signs goes on; a second time there is nothing to drop."""
        cli.done("keys", "import", app, "-", given=PEM)
        cli.done("keys", "import", app, "-", given=SECRET)
        facts = cli.done("keys", "abort", app)
        dropped = {"state": "candidate", "keyId": key_id(HMAC, SECRET)}
        assert (facts["dropped"], facts["current"]) == ([dropped], key_id(ECDSA, PEM))
        assert "nothing to abort" in cli.failed("keys", "abort", app)


class TestLooking:
    def test_keys_are_listed_by_their_ids(self, cli: Cli, app: str) -> None:
        """Of every application, those without a key too; never a secret part."""
        assert "roomgate apps add" not in cli.told("keys", "list")
        cli.done("keys", "import", app, "-", given=PEM)
        cli.done("keys", "import", app, "-", given=SECRET)
        cli.done("apps", "add", "1400000002")
        first, second = cli.done("keys", "list")["applications"]
        assert [key["state"] for key in first["keys"]] == ["current", "candidate"]
        assert first["keys"][0]["publicKey"] == public_pem()
        assert second == {"sdkAppId": 1400000002, "keys": []}
        told = cli.told("keys", "list")
        assert "import one" in told
        assert key_id(HMAC, SECRET) in told
        for text in (told, json.dumps(first)):
            assert SECRET not in text
            assert PEM.splitlines()[1] not in text

    def test_the_status_tells_what_is_next(self, cli: Cli, app: str) -> None:
        """From the first key to a candidate that waits."""
        cli.done("keys", "import", app, "-", given=PEM)
        assert "Next: nothing" in cli.told("keys", "status", app)
        cli.done("keys", "import", app, "-", given=SECRET)
        facts = cli.done("keys", "status", app)
        assert f"roomgate keys rotate {app}" in facts["next"]
        assert abs(facts["keys"][0]["since"] - time.time()) < 60

    @pytest.mark.parametrize("command", ["status", "rotate", "rollback", "abort"])
    def test_an_application_without_a_key_is_said(self, cli: Cli, app: str, command: str) -> None:
        """With the command that imports the first; an unknown one with what sets it up."""
        assert f"roomgate keys import {app}" in cli.failed("keys", command, app)
        assert "roomgate apps add 1400000009" in cli.failed("keys", command, "1400000009")

    def test_without_applications_there_is_a_beginning(self, cli: Cli, app: str) -> None:
        """An empty list says what comes first."""
        BOTO.client("ssm").delete_parameter(Name=f"/{STACK}/apps/{app}")
        assert "roomgate apps add" in cli.told("keys", "list")
