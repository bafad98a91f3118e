from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.tickets import (
    ECDSA,
    HMAC,
    BadKey,
    BadSignature,
    EcdsaKey,
    SigningKey,
    load_key,
    load_public_key,
)
from chalicelib.tickets.pem import read_private
from tests.support.keys import new_secret
from tests.support.ticket_material import b64

PKCS8, SEC1 = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "secp256k1": ec.SECP256K1()}
PRIVATE = {name: ec.generate_private_key(curve) for name, curve in CURVES.items()}
P256 = PRIVATE["P-256"]
# The DER of a curve's name, as an EC PARAMETERS block holds it.
PARAMETERS = {"P-256": "06082a8648ce3d030107", "secp256k1": "06052b8104000a"}
SECRET = new_secret()


def pem(private: object, form: PrivateFormat = PKCS8, password: bytes | None = None) -> str:
    """A private key of cryptography's as PEM."""
    hiding = BestAvailableEncryption(password) if password else NoEncryption()
    text: bytes = private.private_bytes(Encoding.PEM, form, hiding)  # type: ignore[attr-defined]  # Only keys that have it come here.
    return text.decode()


def block(label: str, der: bytes | str) -> str:
    """A PEM block."""
    body = b64(bytes.fromhex(der) if isinstance(der, str) else der)
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def der_of(text: str) -> bytes:
    """What is inside a PEM block."""
    return load_pem_private_key(text.encode(), None).private_bytes(
        Encoding.DER, SEC1 if "EC" in text else PKCS8, NoEncryption()
    )


def load(text: str) -> EcdsaKey:
    key = load_key(ECDSA, text)
    assert isinstance(key, EcdsaKey)
    return key


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("form", [PKCS8, SEC1])
def test_a_private_key_is_read(curve: str, form: PrivateFormat) -> None:
    """PKCS8 and SEC1 hold the same key, whose public half is what cryptography says it is."""
    private = PRIVATE[curve]
    key = load(pem(private, form))
    public = private.public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    shown = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert (key.algorithm, key.curve) == (ECDSA, curve)
    assert key.public_pem == shown.decode()
    assert key.key_id == hashlib.sha256(spki).hexdigest()[:16]
    public.verify(key.sign(b"content"), b"content", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("named", PARAMETERS)
@pytest.mark.parametrize("curve", CURVES)
def test_a_parameters_block_is_ignored(curve: str, named: str) -> None:
    """Some key files begin with EC PARAMETERS, which may even name the wrong curve."""
    text = pem(PRIVATE[curve], SEC1)
    key = load(block("EC PARAMETERS", PARAMETERS[named]) + text)
    assert (key.curve, key.key_id) == (curve, load(text).key_id)


@pytest.mark.parametrize("form", [PKCS8, SEC1])
def test_white_space_and_line_ends_do_not_matter(form: PrivateFormat) -> None:
    """Key files are copied through editors of every kind."""
    text = pem(P256, form)
    expected = load(text).key_id
    assert load("\r\n \t" + text.replace("\n", "\r\n") + "\n\n ").key_id == expected
    assert load(text.strip()).key_id == expected


def test_a_short_number_is_read() -> None:
    """Some issuers of keys leave leading zero bytes out."""
    der = bytes.fromhex("3012020101040105a00a") + bytes.fromhex(PARAMETERS["P-256"])
    expected = ec.derive_private_key(5, ec.SECP256R1())
    assert load(block("EC PRIVATE KEY", der)).key_id == load(pem(expected)).key_id


def test_a_compressed_public_half_is_read() -> None:
    """The public half may be written short; it must belong to the private one all the same."""
    numbers = P256.private_numbers()
    short = P256.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    private = numbers.private_value.to_bytes(32, "big")
    parts = "0201010420" + private.hex() + "a00a" + PARAMETERS["P-256"] + "a124032200" + short.hex()
    der = bytes.fromhex("30" + f"{len(parts) // 2:02x}" + parts)
    assert load(block("EC PRIVATE KEY", der)).key_id == load(pem(P256)).key_id


def self_signed() -> str:
    """A certificate."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(P256.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day + dt.timedelta(days=1))
        .sign(P256, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def public_only() -> str:
    return load(pem(P256)).public_pem


def without_curve() -> str:
    return block("EC PARAMETERS", PARAMETERS["P-256"]) + block("EC PRIVATE KEY", "3006020101040105")


def foreign_half() -> str:
    """A key file whose public half is that of another key."""
    other = ec.generate_private_key(ec.SECP256R1())
    mine, others = (
        key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        for key in (P256, other)
    )
    return block("EC PRIVATE KEY", der_of(pem(P256, SEC1)).replace(mine, others))


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
BAD_KEYS = {
    "empty": ("", "is empty"),
    "white space": (" \n\t", "is empty"),
    "an HMAC secret": (SECRET, "no PEM file"),
    "line ends spelled out": (pem(P256).replace("\n", "\\n"), "real ones"),
    "RSA": (pem(RSA), "an RSA key"),
    "RSA, traditional": (pem(RSA, SEC1), "an RSA key"),
    "Ed25519": (pem(ed25519.Ed25519PrivateKey.generate()), "an Ed25519 key"),
    "P-384": (pem(ec.generate_private_key(ec.SECP384R1())), "P-384"),
    "P-384, SEC1": (pem(ec.generate_private_key(ec.SECP384R1()), SEC1), "P-384"),
    "brainpool": (pem(ec.generate_private_key(ec.BrainpoolP256R1())), "another curve"),
    "encrypted": (pem(P256, password=b"secret"), "encrypted"),
    "encrypted, SEC1": (pem(P256, SEC1, b"secret"), "encrypted"),
    "no END": (pem(P256).partition("-----END")[0], "cut short"),
    "lines missing": (pem(P256).replace(pem(P256).splitlines()[2] + "\n", ""), "cut short"),
    "base64 damaged": (pem(P256).replace("MI", "M*", 1), "damaged"),
    "public only": (public_only(), "a public key only"),
    "certificate": (self_signed(), "a certificate"),
    "key and certificate": (pem(P256) + self_signed(), "2 keys"),
    "two keys": (pem(P256) * 2, "2 keys"),
    "parameters only": (block("EC PARAMETERS", PARAMETERS["P-256"]), "0 keys"),
    "text around": ("key: " + pem(P256), "outside its blocks"),
    "too long": (pem(P256) + " " * 20_000, "too long"),
    "unknown block": (block("SPECIAL KEY", "00"), "no key that Roomgate knows"),
    "OpenSSH": (pem(P256, PrivateFormat.OpenSSH), "an OpenSSH key"),
    "no curve": (without_curve(), "names no curve"),
    "foreign public half": (foreign_half(), "does not belong"),
    "number 0": (block("EC PRIVATE KEY", "3012020101040100a00a" + PARAMETERS["P-256"]), "range"),
    "long number": (
        block("EC PRIVATE KEY", "30320201010421" + "01" * 33 + "a00a" + PARAMETERS["P-256"]),
        "damaged",
    ),
    "bytes after": (block("PRIVATE KEY", der_of(pem(P256)) + b"\0"), "damaged"),
    "no DER": (block("PRIVATE KEY", "0102"), "damaged"),
    "empty block": (block("EC PRIVATE KEY", ""), "damaged"),
    "two curves": (
        block(
            "PRIVATE KEY",
            "302b020100301306072a8648ce3d020106082a8648ce3d030107"
            "0411300f020101040105a00706052b8104000a",
        ),
        "two curves",
    ),
}


@pytest.mark.parametrize("case", BAD_KEYS)
def test_anything_else_is_refused_with_a_reason(case: str) -> None:
    """Whoever installed the key learns what is wrong with it, and nothing of it is repeated."""
    text, reason = BAD_KEYS[case]
    with pytest.raises(BadKey, match=reason) as refused:
        load_key(ECDSA, text)
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    assert not any(line in refused.value.reason for line in text.split() if len(line) > 12)


@given(st.integers(0, 240), st.characters(max_codepoint=255), st.sampled_from([PKCS8, SEC1]))
@settings(deadline=None, max_examples=200)
def test_a_damaged_key_file_is_no_other_key(
    place: int, character: str, form: PrivateFormat
) -> None:
    """With any character changed a key file is refused, or still holds the very same key."""
    text = pem(P256, form)
    damaged = text[:place] + character + text[place + 1 :]
    try:
        key = load_key(ECDSA, damaged)
    except BadKey:
        return
    assert key.key_id == load(text).key_id


def test_a_secret_is_its_ascii_text() -> None:
    """The console's 64 hex characters are not decoded; white space around them is a copy's."""
    key = load_key(HMAC, f" {SECRET}\r\n")
    expected = hashlib.sha256(b"roomgate keyId\n" + SECRET.encode()).hexdigest()[:16]
    assert (key.algorithm, key.key_id) == (HMAC, expected)
    assert key.sign(b"content") == load_key(HMAC, SECRET).sign(b"content")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("\n", "empty"),
        ("0123456789abcdef", "16 characters"),
        ("a" * 513, "513 characters"),
        (SECRET[:32] + " " + SECRET[32:], "white space inside"),
        (SECRET[:32] + "\n" + SECRET[32:], "white space inside"),
        ("é" * 64, "not ASCII"),
        (SECRET + "\0", "not ASCII"),
        (pem(P256), "PEM file"),
    ],
)
def test_a_bad_secret_is_refused_with_a_reason(text: str, reason: str) -> None:
    """A secret that was damaged on its way signs nothing."""
    with pytest.raises(BadKey, match=reason):
        load_key(HMAC, text)


@pytest.mark.parametrize("algorithm", ["", "ES256", "ecdsa-sha256"])
def test_other_algorithms_are_refused(algorithm: str) -> None:
    """Names are exact."""
    with pytest.raises(BadKey, match="ECDSA-SHA256, HMAC-SHA256"):
        load_key(algorithm, SECRET)


def test_a_key_shows_algorithm_and_id_only() -> None:
    """Its repr may be logged."""
    for key in (load(pem(P256)), load_key(HMAC, SECRET), load_public_key(public_only())):
        assert repr(key) == f"{type(key).__name__}({key.algorithm}, {key.key_id})"
    assert repr(read_private(pem(P256))) == "EcPrivate(P-256)"


def test_key_ids_differ() -> None:
    """A ticket can be traced to its key."""
    ids = {load(pem(private)).key_id for private in PRIVATE.values()}
    assert len(ids | {load_key(HMAC, SECRET).key_id}) == 3


def test_a_signature_verifies(key: SigningKey) -> None:
    """Verifying returns nothing, and raises for another content, signature or key."""
    signature = key.sign(b"content")
    key.verify(b"content", signature)
    for content, claimed in ((b"Content", signature), (b"content", b""), (b"content", b"x" * 71)):
        with pytest.raises(BadSignature) as refused:
            key.verify(content, claimed)
        assert refused.value.key_ids == (key.key_id,)


@pytest.mark.parametrize("curve", CURVES)
def test_a_public_key_verifies(curve: str) -> None:
    """What a key signed, its published half verifies."""
    key = load(pem(PRIVATE[curve]))
    public = load_public_key(key.public_pem)
    public.verify(b"content", key.sign(b"content"))
    assert (public.key_id, public.curve, public.algorithm) == (key.key_id, curve, ECDSA)
    assert not hasattr(public, "sign")


SPKI = P256.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (pem(P256), "no public key"),
        (block("PUBLIC KEY", SPKI[:-1] + bytes([SPKI[-1] ^ 1])), "not on its curve"),
        (block("PUBLIC KEY", SPKI[:-1]), "damaged"),
        (
            RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            "an RSA key",
        ),
        (block("PUBLIC KEY", "3016301306072a8648ce3d020106082a8648ce3d030107"), "damaged"),
        (block("PUBLIC KEY", "3019301306072a8648ce3d020106082a8648ce3d03010703020002"), "full"),
    ],
)
def test_a_bad_public_key_is_refused(text: str, reason: str) -> None:
    """Only a whole point on one of the two curves is a public key."""
    with pytest.raises(BadKey, match=reason):
        load_public_key(text)
