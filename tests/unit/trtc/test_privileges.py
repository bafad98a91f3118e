from __future__ import annotations

import pytest

from chalicelib.trtc import (
    ALL,
    ENTER,
    PRIVILEGES,
    ROLES,
    BadPrivileges,
    bits_of,
    check_privileges,
    names_of,
)


def test_the_bits_are_tencents() -> None:
    """Each name stands for the bit that Tencent gave it."""
    expected = {
        "createRoom": 1,
        "enter": 2,
        "sendAudio": 4,
        "receiveAudio": 8,
        "sendVideo": 16,
        "receiveVideo": 32,
        "sendScreen": 64,
        "receiveScreen": 128,
    }
    assert dict(PRIVILEGES) == expected
    assert sum(expected.values()) == ALL
    assert expected["enter"] == ENTER


def test_the_roles_are_known() -> None:
    """An anchor has everything; an audience member enters, hears and sees."""
    assert dict(ROLES) == {"anchor": 255, "audience": 42}
    assert names_of(ROLES["audience"]) == ["enter", "receiveAudio", "receiveVideo"]


@pytest.mark.parametrize("bits", range(1, 256))
def test_names_and_bits_translate_into_each_other(bits: int) -> None:
    """bits_of undoes names_of."""
    assert bits_of(names_of(bits)) == bits


def test_a_name_twice_counts_once() -> None:
    """Names are a set."""
    assert bits_of(["enter", "enter"]) == ENTER


def test_bits_without_a_name_have_no_name() -> None:
    """A forged ticket may carry any bits; only those with a name are named."""
    assert names_of(2**31 | 2) == ["enter"]


@pytest.mark.parametrize("names", [[], ["Enter"], ["enter", "fly"], ["x" * 99]])
def test_unknown_names_are_refused(names: list[str]) -> None:
    """No name at all allows nothing, and an unknown one is a mistake."""
    with pytest.raises(BadPrivileges) as refused:
        bits_of(names)
    assert "fly" not in refused.value.reason


@pytest.mark.parametrize("value", [0, -1, 256, True, 2.0, "2", None])
def test_bits_out_of_range_are_refused(value: object) -> None:
    """Bits are a whole number from 1 to 255."""
    with pytest.raises(BadPrivileges):
        check_privileges(value)
