"""The openssl command line as a second opinion, in both directions."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from chalicelib.tickets import (
    ECDSA,
    BadKey,
    EcdsaKey,
    issue_private_map_key,
    issue_user_sig,
    load_key,
    load_public_key,
    verify_private_map_key,
    verify_user_sig,
)
from chalicelib.tickets.verify import open_ticket
from chalicelib.trtc.identifiers import parse_room
from tests.support.ticket_material import (
    NOW,
    ORDER,
    ROOM,
    ROOM_ORDER,
    SIGNED_V1,
    V1,
    WHO,
    b64,
    content,
    ticket,
    userbuf,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl command line is not installed"
)

CURVES = {"prime256v1": "P-256", "secp256k1": "secp256k1"}
FORMS = ("sec1", "sec1 with parameters", "pkcs8")


def openssl(*arguments: str, given: bytes | None = None) -> bytes:
    """Run openssl; it must succeed."""
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True)
    return done.stdout


def new_pem(curve: str, form: str) -> str:
    """A new private key as openssl writes it."""
    bare = ("-noout",) if form != "sec1 with parameters" else ()
    pem = openssl("ecparam", "-name", curve, "-genkey", *bare)
    if form == "pkcs8":
        pem = openssl("pkcs8", "-topk8", "-nocrypt", given=pem)
    return pem.decode()


def load(pem: str) -> EcdsaKey:
    key = load_key(ECDSA, pem)
    assert isinstance(key, EcdsaKey)
    return key


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("form", FORMS)
def test_openssls_keys_are_read(curve: str, form: str) -> None:
    """Every form of a key that openssl writes is read, and its public half is openssl's."""
    pem = new_pem(curve, form)
    key = load(pem)
    assert key.curve == CURVES[curve]
    assert key.public_pem == openssl("ec", "-pubout", given=pem.encode()).decode()
    assert load_public_key(key.public_pem).key_id == key.key_id


@pytest.mark.parametrize("curve", CURVES)
def test_openssl_accepts_our_signatures(curve: str, tmp_path: Path) -> None:
    """Over the content rebuilt from the ticket, openssl finds our signature good."""
    key = load(new_pem(curve, "sec1"))
    public = tmp_path / "public.pem"
    public.write_text(key.public_pem)
    for made in (issue_user_sig(key, **ORDER), issue_private_map_key(key, **ROOM_ORDER)):
        opened = open_ticket(made)
        signature = tmp_path / "signature"
        signature.write_bytes(opened.signature)
        verify = ("dgst", "-sha256", "-verify", str(public), "-signature", str(signature))
        assert openssl(*verify, given=opened.content) == b"Verified OK\n"


@pytest.mark.parametrize("curve", CURVES)
def test_we_accept_openssls_signatures(curve: str, tmp_path: Path) -> None:
    """A ticket whose content openssl signed verifies here."""
    private = tmp_path / "private.pem"
    private.write_text(new_pem(curve, "sec1"))
    keys = [load(private.read_text())]
    made = []
    for members in (V1, {**V1, "TLS.userbuf": userbuf()}):
        signature = openssl(
            "dgst", "-sha256", "-sign", str(private), given=content(members, SIGNED_V1)
        )
        made.append(ticket({**members, "TLS.sig": b64(signature)}))
    assert verify_user_sig(made[0], keys, **WHO, now=NOW).key_id == keys[0].key_id
    assert (
        verify_private_map_key(made[1], keys, **WHO, room=parse_room(ROOM), now=NOW).privileges
        == 255
    )


def test_parameters_written_out_are_refused() -> None:
    """A curve that is described instead of named is not read: it could be any curve."""
    pem = openssl(
        "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-param_enc", "explicit"
    ).decode()
    with pytest.raises(BadKey, match="parameters written out"):
        load_key(ECDSA, pem)
