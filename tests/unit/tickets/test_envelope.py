from __future__ import annotations

import base64
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.tickets import (
    BadBase64,
    BadDeflate,
    BadJson,
    EmptyTicket,
    MalformedTicket,
    OversizedTicket,
    WrongAlphabet,
)
from chalicelib.tickets.envelope import (
    MAX_CHARACTERS,
    MAX_INFLATED,
    parse_members,
    seal,
    unseal,
)
from tests.support.ticket_material import b64, tencent

CONTENT = b'{"TLS.ver":"2.0","a":"' + bytes(range(48, 123)).replace(b"\\", b"") * 3 + b'"}'


TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=2000)


@given(TEXTS, TEXTS)
@settings(deadline=None)
def test_unsealing_returns_what_was_sealed(head: str, rest: str) -> None:
    """unseal undoes seal, and any zlib opens the envelope."""
    sealed = seal(head, rest)
    assert unseal(sealed) == (head + rest).encode()
    assert zlib.decompress(bytes_of(sealed)) == (head + rest).encode()


def bytes_of(text: str) -> bytes:
    """Undo Tencent's base64 as any issuer's library would."""
    return base64.b64decode(text.translate(str.maketrans("*-_", "+/=")), validate=True)


def test_the_alphabet_is_tencents() -> None:
    """No verifier would notice a wrong one, so the characters are looked at, padding included."""
    texts = [seal("{", chr(mark) * times) for mark in range(32, 127) for times in (1, 2, 3)]
    assert {*"".join(texts)} <= {
        *"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-_"
    }
    assert all(len(text) % 4 == 0 for text in texts)
    assert any(text.endswith("_") for text in texts)
    assert any("*" in text for text in texts)
    assert all(text.startswith("eJ") for text in texts)


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("window", [9, 12, 15])
def test_any_zlib_stream_is_opened(level: int, window: int) -> None:
    """Real issuers compress at any level; small windows are as good."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, window)
    framed = deflater.compress(CONTENT) + deflater.flush()
    assert unseal(tencent(framed)) == CONTENT


def test_plain_base64_is_opened() -> None:
    """One official issuer emits it."""
    assert unseal(b64(zlib.compress(CONTENT))) == CONTENT


FRAMED = zlib.compress(CONTENT + b"+")
PADDED = tencent(FRAMED)


def some(marks: str, alphabet: str) -> bytes:
    """Compressed content whose base64 has all of these marks."""
    for number in range(1000):
        framed = zlib.compress(CONTENT + str(number).encode())
        text = (tencent if alphabet == "tencent" else b64)(framed)
        if all(mark in text for mark in marks):
            return framed
    raise AssertionError(marks)


@pytest.mark.parametrize(
    "text",
    [
        tencent(some("*-_", "tencent")).replace("*", "+"),
        tencent(some("*-_", "tencent")).replace("-", "/"),
        tencent(some("*-_", "tencent")).replace("_", "="),
        b64(some("+/=", "plain")).replace("+", "-").replace("/", "_"),
        PADDED + "\n",
        " " + PADDED,
        PADDED[:8] + "\n" + PADDED[8:],
        PADDED[:8] + "é" + PADDED[9:],
        PADDED[:8] + "_" + PADDED[9:],
        PADDED.rstrip("_") + "___",
        "\0",
        "____",
        "====",
    ],
)
def test_a_mix_of_alphabets_is_refused(text: str) -> None:
    """A text is in Tencent's alphabet or in the plain one; the first wrong character is named."""
    with pytest.raises(WrongAlphabet) as refused:
        unseal(text)
    assert f"Character {refused.value.offset + 1} " in str(refused.value)


def spare_bits(text: str) -> str:
    """The same base64 with another last character, that decodes to the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-"
    kept = text.rstrip("_")
    changed = alphabet[alphabet.index(kept[-1]) + 1]
    return kept[:-1] + changed + text[len(kept) :]


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "eJw",
        PADDED[:-1],
        PADDED.rstrip("_") if PADDED.endswith("_") else PADDED[:-2],
        PADDED.rstrip("_")[: len(PADDED.rstrip("_")) // 4 * 4 - 3],
        spare_bits(tencent(some("_", "tencent"))),
    ],
)
def test_base64_has_one_spelling(text: str) -> None:
    """Cut short, without its padding, or with spare bits set, it is refused."""
    with pytest.raises(BadBase64):
        unseal(text)


@pytest.mark.parametrize(
    ("framed", "truncated"),
    [
        (b"abc", False),
        (b"\x78\x9c\xff\xff\xff", False),
        (FRAMED[:-1], True),
        (FRAMED[:-4], True),
        (FRAMED[:9], True),
        (FRAMED[:-1] + bytes([FRAMED[-1] ^ 1]), False),
        (FRAMED + b"\0", False),
        (FRAMED + FRAMED, False),
        (CONTENT, False),
        (zlib.compress(CONTENT)[2:-4], False),
    ],
)
def test_a_damaged_stream_is_refused(framed: bytes, *, truncated: bool) -> None:
    """No zlib stream, half of one, one with a wrong checksum, one with bytes after it."""
    with pytest.raises(BadDeflate) as refused:
        unseal(tencent(framed))
    assert refused.value.truncated == truncated


def test_nothing_is_empty() -> None:
    """There is a class of its own for the most frequent mistake."""
    with pytest.raises(EmptyTicket):
        unseal("")


@pytest.mark.parametrize("size", [MAX_INFLATED + 1, 10_000_000])
def test_a_bomb_is_not_inflated(size: int) -> None:
    """However much a ticket claims to hold, 16 KB are inflated at most."""
    with pytest.raises(OversizedTicket) as refused:
        unseal(tencent(zlib.compress(bytes(size), 9)))
    assert refused.value.limit in {MAX_INFLATED, MAX_CHARACTERS}


def test_the_bounds_are_exact() -> None:
    """16 KB are inflated, and a text of 16 K characters is looked at; one more is not."""
    assert unseal(tencent(zlib.compress(bytes(MAX_INFLATED)))) == bytes(MAX_INFLATED)
    with pytest.raises(BadDeflate):
        unseal("A" * MAX_CHARACTERS)
    with pytest.raises(OversizedTicket):
        unseal("A" * (MAX_CHARACTERS + 4))


@given(st.text() | st.text("ABeJxyz019*-_+/="))
@settings(deadline=None)
def test_a_text_is_opened_or_malformed(text: str) -> None:
    """Nothing else comes of any text."""
    try:
        content = unseal(text)
    except MalformedTicket:
        return
    assert len(content) <= MAX_INFLATED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"TLS"',
        b"{}{}",
        b'{"a":1} x',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":"\n"}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":' + b"9" * 5000 + b"}",
        b"[" * 16_000,
    ],
    ids=lambda content: str(content[:20]),
)
def test_only_one_json_object_is_read(content: bytes) -> None:
    """Strictly: a text that two readers could understand differently is refused."""
    with pytest.raises(BadJson):
        parse_members(content)


def test_json_that_nests_deeply_is_no_fault() -> None:
    """Python 3.11 refuses some thousand levels; 3.13 reads all that 16 KB can hold."""
    deep = b'{"a":' * 2000 + b"1" + b"}" * 2000
    try:
        members = parse_members(deep)
    except BadJson:
        return
    assert list(members) == ["a"]


@pytest.mark.parametrize("text", ['{"a":1}', ' \r\n\t{ "a" : 1 } \n'])
def test_white_space_in_json_does_not_matter(text: str) -> None:
    """Issuers print JSON as they like."""
    assert parse_members(text.encode()) == json.loads(text)
