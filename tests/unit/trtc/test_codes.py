from __future__ import annotations

import re

import pytest

from chalicelib.trtc import CODES

# Wire facts, "Error codes that a user meets" and "roomsig".
USER_SIG = {70001, 70002, 70003, 70005, 70009, 70013, 70014, 70016, 70050, 70051, 70052}
ROOMSIG = {80, 82, 86, 87, 88}
ENTRY = {-3317, -3318, -3319, -3320, -100006, -100018, -102052}


def test_every_code_a_user_meets_is_known() -> None:
    """All codes of the wire facts are here, and no others but 0."""
    assert set(CODES) == {0} | USER_SIG | ROOMSIG | ENTRY


@pytest.mark.parametrize("number", sorted(CODES))
def test_a_code_has_a_name_and_a_meaning(number: int) -> None:
    """Names are kebab-case and unique; meanings are sentences."""
    code = CODES[number]
    assert code.number == number
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code.name)
    assert [other.name for other in CODES.values()].count(code.name) == 1
    assert code.meaning.endswith(".")
